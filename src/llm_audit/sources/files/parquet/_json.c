/* Writes rows of Arrow's arrays as JSON lines, from their buffers. json_lines.py explains the use. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>

#include "../../formats/plain/flat/_line.h"

#define NUMBER_BYTES 24
#define ESCAPE_BYTES 6

enum { NOTHING, FLAG, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, REAL, TEXT, LONG_TEXT, PLACES, LIST, LONG_LIST,
       OBJECT, KINDS };
static const char *const kind_names[KINDS] = {"null", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
    "uint64", "double", "string", "large_string", "dictionary", "list", "large_list", "struct"};
static const int widths[KINDS] = {[INT8] = 1, [INT16] = 2, [INT32] = 4, [INT64] = 8, [UINT8] = 1, [UINT16] = 2, [UINT32] = 4,
                                  [UINT64] = 8, [REAL] = 8, [TEXT] = 4, [LONG_TEXT] = 8, [LIST] = 4, [LONG_LIST] = 8};

typedef struct Array {
    int kind;
    Py_ssize_t offset, length, key_length, children;
    const char *key; /* as JSON, with a colon */
    Py_buffer valid, values, texts;
    struct Array *child;
} Array;

typedef struct {
    PyObject *bytes;
    Py_ssize_t size, most;
} Lines;

/* Make room for more bytes; NULL where the lines are then too long, or with an error. */
static uint8_t *room(Lines *lines, Py_ssize_t more) {
    Py_ssize_t needed = lines->size + more, had = PyBytes_GET_SIZE(lines->bytes);
    if (more > lines->most || needed > lines->most) return NULL;
    if (needed > had && _PyBytes_Resize(&lines->bytes, needed > had * 2 ? needed : had * 2)) return NULL;
    return (uint8_t *)PyBytes_AS_STRING(lines->bytes) + lines->size;
}

static int add(Lines *lines, const char *text, Py_ssize_t length) {
    uint8_t *to = room(lines, length);
    if (!to) return 0;
    memcpy(to, text, (size_t)length);
    lines->size += length;
    return 1;
}

static int add_char(Lines *lines, char c) { return add(lines, &c, 1); }

static int add_text(Lines *lines, const uint8_t *at, Py_ssize_t length) {
    static const char letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    const uint8_t *end = at + length;
    if (!add_char(lines, '"')) return 0;
    for (;;) {
        uint8_t *start = room(lines, end - at + VECTOR_BYTES + ESCAPE_BYTES), *to = start;
        int beyond;
        if (!start) return 0;
        at = copy_run(at, end, &to, &beyond);
        if (at == end) return lines->size += to - start, add_char(lines, '"');
        uint8_t c = *at++;
        *to++ = '\\';
        if (c >= 32) *to++ = c;
        else if (letters[c]) *to++ = (uint8_t)letters[c];
        else to += snprintf((char *)to, ESCAPE_BYTES, "u%04x", c);
        lines->size += to - start;
    }
}

static int add_whole(Lines *lines, uint64_t size, int is_negative) {
    char digits[NUMBER_BYTES], *at = digits + NUMBER_BYTES;
    do *--at = (char)('0' + size % 10);
    while (size /= 10);
    if (is_negative) *--at = '-';
    return add(lines, at, digits + NUMBER_BYTES - at);
}

static int add_real(Lines *lines, double value) {
    char *text = isfinite(value) ? PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL) : NULL;
    int done = text && add(lines, text, (Py_ssize_t)strlen(text));
    PyMem_Free(text);
    return done;
}

static int is_set(const Py_buffer *bits, Py_ssize_t at) { return ((const uint8_t *)bits->buf)[at >> 3] >> (at & 7) & 1; }

static int is_missing(const Array *array, Py_ssize_t at) {
    return array->kind == NOTHING || (array->valid.buf && !is_set(&array->valid, array->offset + at));
}

static int64_t whole(const Array *array, Py_ssize_t at) {
    const void *values = array->values.buf;
    switch (at += array->offset, array->kind) {
    case INT8: return ((const int8_t *)values)[at];
    case INT16: return ((const int16_t *)values)[at];
    case INT32: case TEXT: case LIST: return ((const int32_t *)values)[at];
    case UINT8: return ((const uint8_t *)values)[at];
    case UINT16: return ((const uint16_t *)values)[at];
    case UINT32: return ((const uint32_t *)values)[at];
    default: return ((const int64_t *)values)[at];
    }
}

static int is_within(int64_t start, int64_t end, Py_ssize_t length) {
    int is = 0 <= start && start <= end && end <= length;
    if (!is) PyErr_SetString(PyExc_ValueError, "an array goes beyond its values");
    return is;
}

static int add_value(Lines *lines, const Array *array, Py_ssize_t at);

static int add_list(Lines *lines, const Array *array, Py_ssize_t at) {
    int64_t start = whole(array, at), end = whole(array, at + 1);
    if (!is_within(start, end, array->child->length) || !add_char(lines, '[')) return 0;
    for (int64_t item = start; item < end; item++)
        if ((item > start && !add_char(lines, ',')) || !add_value(lines, array->child, (Py_ssize_t)item)) return 0;
    return add_char(lines, ']');
}

/* Add an object, without the fields that are null where it is a row. */
static int add_object(Lines *lines, const Array *array, Py_ssize_t at, int is_row) {
    int fields = 0;
    if (!add_char(lines, '{')) return 0;
    for (const Array *field = array->child; field < array->child + array->children; field++) {
        if (is_row && is_missing(field, at)) continue;
        if ((fields++ && !add_char(lines, ',')) || !add(lines, field->key, field->key_length)) return 0;
        if (!add_value(lines, field, at)) return 0;
    }
    return add_char(lines, '}');
}

static int add_value(Lines *lines, const Array *array, Py_ssize_t at) {
    int64_t start, end;
    double real;
    if (is_missing(array, at)) return add(lines, "null", 4);
    switch (array->kind) {
    case FLAG: return is_set(&array->values, array->offset + at) ? add(lines, "true", 4) : add(lines, "false", 5);
    case UINT64: return add_whole(lines, ((const uint64_t *)array->values.buf)[array->offset + at], 0);
    case REAL:
        memcpy(&real, (const double *)array->values.buf + array->offset + at, sizeof real);
        return add_real(lines, real);
    case TEXT: case LONG_TEXT:
        start = whole(array, at), end = whole(array, at + 1);
        return is_within(start, end, array->texts.len) && add_text(lines, (const uint8_t *)array->texts.buf + start, end - start);
    case PLACES:
        start = whole(array->child, at);
        return is_within(start, start, array->child[1].length - 1) && add_value(lines, array->child + 1, (Py_ssize_t)start);
    case LIST: case LONG_LIST: return add_list(lines, array, at);
    case OBJECT: return add_object(lines, array, at, 0);
    default:
        start = whole(array, at);
        return add_whole(lines, start < 0 ? 0 - (uint64_t)start : (uint64_t)start, start < 0);
    }
}

static int get_buffer(PyObject *given, Py_buffer *buffer) {
    return given == Py_None || !PyObject_GetBuffer(given, buffer, PyBUF_SIMPLE);
}

/* Whether the buffers have the values of an array, and its children theirs. */
static int is_whole(const Array *array) {
    Py_ssize_t end = array->offset + array->length;
    int has_ends = array->kind == TEXT || array->kind == LONG_TEXT || array->kind == LIST || array->kind == LONG_LIST;
    if (array->offset < 0 || array->length < 0 || end < 0 || end > PY_SSIZE_T_MAX / 16) return 0;
    if (array->valid.buf && array->valid.len < (end + 7) / 8) return 0;
    if (array->length && array->values.len < (array->kind == FLAG ? (end + 7) / 8 : (end + has_ends) * widths[array->kind])) return 0;
    for (Py_ssize_t k = 0; k < array->children && (array->kind == OBJECT || (array->kind == PLACES && !k)); k++)
        if (array->child[k].length < array->length) return 0;
    if (array->kind == PLACES) return array->children == 2 && array->child->kind >= INT8 && array->child->kind <= UINT64;
    return array->children == 1 || (array->kind != LIST && array->kind != LONG_LIST);
}

static void release(Array *array) {
    for (Py_ssize_t k = 0; k < array->children; k++) release(array->child + k);
    PyMem_Free(array->child);
    PyBuffer_Release(&array->valid), PyBuffer_Release(&array->values), PyBuffer_Release(&array->texts);
}

static int read_array(PyObject *given, Array *array) {
    PyObject *valid, *values, *texts, *children;
    const char *kind;
    *array = (Array){0};
    if (!PyTuple_Check(given)) return PyErr_SetString(PyExc_TypeError, "an array is a tuple"), 0;
    if (!PyArg_ParseTuple(given, "sy#nnOOOO!", &kind, &array->key, &array->key_length, &array->offset, &array->length, &valid,
                          &values, &texts, &PyTuple_Type, &children)) return 0;
    while (array->kind < KINDS && strcmp(kind, kind_names[array->kind])) array->kind++;
    if (array->kind == KINDS) return PyErr_SetString(PyExc_ValueError, "an array is of an unknown kind"), 0;
    if (!get_buffer(valid, &array->valid) || !get_buffer(values, &array->values) || !get_buffer(texts, &array->texts)) return 0;
    Py_ssize_t count = PyTuple_GET_SIZE(children);
    if (count && !(array->child = PyMem_Calloc((size_t)count, sizeof *array->child))) return PyErr_NoMemory(), 0;
    while (array->children < count)
        if (array->children++, !read_array(PyTuple_GET_ITEM(children, array->children - 1), array->child + array->children - 1)) return 0;
    if (is_whole(array)) return 1;
    PyErr_SetString(PyExc_ValueError, "buffers do not fit an array");
    return 0;
}

/* Write rows from one on until they have enough bytes, or one has no line: where a number is not finite, or it is too long. */
static PyObject *write_lines(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *given;
    Py_ssize_t row, enough;
    Array rows;
    Lines lines = {NULL, 0, 0};
    if (!PyArg_ParseTuple(args, "Onnn", &given, &row, &enough, &lines.most)) return NULL;
    int done = read_array(given, &rows);
    if (done && (rows.kind != OBJECT || row < 0)) done = (PyErr_SetString(PyExc_ValueError, "rows are a struct"), 0);
    if (done && (lines.bytes = PyBytes_FromStringAndSize(NULL, (enough > 0 ? enough : 0) + 1))) {
        while (row < rows.length && lines.size < enough) {
            Py_ssize_t before = lines.size;
            if (!add_object(&lines, &rows, row, 1) || !add_char(&lines, '\n')) {
                lines.size = before;
                break;
            }
            row++;
        }
    }
    release(&rows);
    if (PyErr_Occurred()) return Py_XDECREF(lines.bytes), NULL;
    if (_PyBytes_Resize(&lines.bytes, lines.size)) return NULL;
    return Py_BuildValue("(Nn)", lines.bytes, row);
}

static PyMethodDef methods[] = {{"write", write_lines, METH_VARARGS, "Write rows as lines from one on, as far as they have some."},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_json", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__json(void) { return PyModule_Create(&module); }
