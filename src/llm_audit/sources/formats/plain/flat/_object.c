/* Reads a line that is one JSON object of known keys. What is odd in any way is left to the caller's own decoder: what is
   read here must be right, but not everything need be read. object_reader.py explains the use. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "_line.h"
#include "_request.h"

#define MAX_KEYS 64
#define MAX_COUNT 1000000000
enum { SCALAR, COUNT, NESTED, ANY, MESSAGES, KINDS };
enum { ROLES = 4 };

static const char *const role_names[ROLES] = {"user", "assistant", "system", "tool"};
static PyObject *roles[ROLES];

typedef struct {
    Py_ssize_t count, length[MAX_KEYS];
    PyObject *keys[MAX_KEYS]; /* bytes, with the quotation mark that ends them */
    const char *key[MAX_KEYS];
    int kind[MAX_KEYS];
    PyObject *converter[MAX_KEYS], *make;
} Plan;

static PyObject *read_number(Line *line) {
    Number number;
    if (!read_numeric(line, &number)) return NULL;
    return number.is_whole ? PyLong_FromLongLong(number.whole) : PyFloat_FromDouble(number.real);
}

static PyObject *read_scalar(Line *line) {
    Text text;
    switch (next_byte(line)) {
    case '"': return line->at++, read_text(line, &text) ? as_unicode(&text) : NULL;
    case 'n': return is_word(line, "null") ? Py_NewRef(Py_None) : NULL;
    case 't': return is_word(line, "true") ? Py_NewRef(Py_True) : NULL;
    case 'f': return is_word(line, "false") ? Py_NewRef(Py_False) : NULL;
    default: return line->at < line->end ? read_number(line) : NULL;
    }
}

/* Pass over an object or array, whose content the caller checks. */
static int skip_nested(Line *line) {
    Py_ssize_t depth = 0;
    do {
        uint8_t c = next_byte(line);
        if (!c) return 0;
        line->at++;
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        Text text;
        if (c == '"' && !read_text(line, &text)) return 0;
    } while (depth > 0);
    return 1;
}

static PyObject *read_nested(Line *line, PyObject *converter, int scalars) {
    uint8_t c = next_byte(line);
    if (c != '{' && c != '[') return scalars || c == 'n' ? read_scalar(line) : NULL;
    const uint8_t *start = line->at;
    PyObject *bytes = skip_nested(line) ? PyBytes_FromStringAndSize((const char *)start, line->at - start) : NULL;
    PyObject *found = bytes ? PyObject_CallOneArg(converter, bytes) : NULL;
    Py_XDECREF(bytes);
    /* What it cannot convert makes the line odd. */
    if (PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)) PyErr_Clear();
    return found;
}

static PyObject *read_count(Line *line) {
    PyObject *found = next_byte(line) == 'n' ? read_scalar(line) : line->at < line->end ? read_number(line) : NULL;
    if (!found || found == Py_None) return found;
    if (PyLong_Check(found)) {
        long long count = PyLong_AsLongLong(found); /* it has few digits */
        if (count >= 0 && count <= MAX_COUNT) return found;
    }
    Py_DECREF(found);
    return NULL;
}

static PyObject *known_role(const Text *text) {
    for (int k = 0; k < ROLES; k++)
        if ((Py_ssize_t)strlen(role_names[k]) == text->length && !memcmp(role_names[k], text->data, (size_t)text->length))
            return roles[k];
    return NULL;
}

/* A message of a role and a text alone, each once. */
static PyObject *read_message(Line *line, PyObject *make) {
    PyObject *part[2] = {NULL, NULL}, *found = NULL;
    Text text;
    if (!is_next(line, '{')) return NULL;
    for (int k = 0; k < 2; k++) {
        if ((k && !is_next(line, ',')) || !is_next(line, '"')) goto done;
        int is_role = is_word(line, "role\"");
        if ((!is_role && !is_word(line, "content\"")) || part[!is_role]) goto done;
        if (!is_next(line, ':') || !is_next(line, '"') || !read_text(line, &text)) goto done;
        if (!(part[!is_role] = is_role ? Py_XNewRef(known_role(&text)) : as_unicode(&text))) goto done;
    }
    if (is_next(line, '}')) found = PyObject_Vectorcall(make, part, 2, NULL);
done:
    Py_XDECREF(part[0]);
    Py_XDECREF(part[1]);
    return found;
}

static PyObject *read_messages(Line *line, PyObject *make) {
    if (next_byte(line) == 'n') return read_scalar(line);
    if (!is_next(line, '[')) return NULL;
    PyObject *found = PyList_New(0);
    if (!found || is_next(line, ']')) return found;
    do {
        PyObject *message = read_message(line, make);
        int added = message && PyList_Append(found, message) == 0;
        Py_XDECREF(message);
        if (!added) {
            Py_DECREF(found);
            return NULL;
        }
    } while (is_next(line, ','));
    if (is_next(line, ']')) return found;
    Py_DECREF(found);
    return NULL;
}

static PyObject *read_value(const Plan *plan, Line *line, Py_ssize_t k) {
    switch (plan->kind[k]) {
    case SCALAR: return read_scalar(line);
    case COUNT: return read_count(line);
    case NESTED: return read_nested(line, plan->converter[k], 0);
    case ANY: return read_nested(line, plan->converter[k], 1);
    default: return read_messages(line, plan->converter[k]);
    }
}

static int read_object(const Plan *plan, Line *line, PyObject **values) {
    if (!is_next(line, '{')) return 0;
    for (Py_ssize_t n = 0; n < plan->count; n++) {
        if (n && !is_next(line, ',')) return 0;
        Py_ssize_t k = read_key(line, plan->count, plan->key, plan->length, n);
        if (k < 0 || values[k] || !(values[k] = read_value(plan, line, k))) return 0;
    }
    return is_next(line, '}') && !next_byte(line) && line->at == line->end;
}

static PyObject *read_line(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "read takes a plan and a line of bytes");
        return NULL;
    }
    const Plan *plan = PyCapsule_GetPointer(args[0], "plan");
    if (!plan) return NULL;
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(args[1]);
    Line line = {data, data + PyBytes_GET_SIZE(args[1]), PyMem_Malloc((size_t)PyBytes_GET_SIZE(args[1]) + VECTOR_BYTES)};
    if (!line.scratch) return PyErr_NoMemory();
    PyObject *values[MAX_KEYS] = {NULL};
    int fits = read_object(plan, &line, values);
    PyMem_Free(line.scratch);
    PyObject *found = fits ? PyObject_Vectorcall(plan->make, values, (size_t)plan->count, NULL) : NULL;
    for (Py_ssize_t k = 0; k < plan->count; k++) Py_XDECREF(values[k]);
    if (found || PyErr_Occurred()) return found;
    Py_RETURN_NONE;
}

static void release(PyObject *capsule) {
    Plan *plan = PyCapsule_GetPointer(capsule, "plan");
    for (Py_ssize_t k = 0; k < plan->count; k++) {
        Py_DECREF(plan->keys[k]);
        Py_DECREF(plan->converter[k]);
    }
    Py_DECREF(plan->make);
    PyMem_Free(plan);
}

static int add(Plan *plan, PyObject *key, PyObject *value) {
    if (!PyBytes_Check(key) || !PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
        PyErr_SetString(PyExc_TypeError, "a key is bytes, and its value a kind and what converts it");
        return 0;
    }
    long kind = PyLong_AsLong(PyTuple_GET_ITEM(value, 0));
    if (kind < 0 || kind >= KINDS) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "there is no such kind of value");
        return 0;
    }
    Py_ssize_t k = plan->count++;
    plan->keys[k] = Py_NewRef(key), plan->converter[k] = Py_NewRef(PyTuple_GET_ITEM(value, 1)), plan->kind[k] = (int)kind;
    plan->key[k] = PyBytes_AS_STRING(key), plan->length[k] = PyBytes_GET_SIZE(key);
    return 1;
}

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *make, *keys, *values;
    if (!PyArg_ParseTuple(args, "OO!O!", &make, &PyTuple_Type, &keys, &PyTuple_Type, &values)) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(keys);
    if (count != PyTuple_GET_SIZE(values) || count < 1 || count > MAX_KEYS) {
        PyErr_SetString(PyExc_ValueError, "a plan has 1 to 64 keys, each with its value");
        return NULL;
    }
    Plan *plan = PyMem_Calloc(1, sizeof *plan);
    if (!plan) return PyErr_NoMemory();
    plan->make = Py_NewRef(make);
    PyObject *capsule = PyCapsule_New(plan, "plan", release);
    for (Py_ssize_t k = 0; capsule && k < count; k++)
        if (!add(plan, PyTuple_GET_ITEM(keys, k), PyTuple_GET_ITEM(values, k))) Py_CLEAR(capsule);
    return capsule;
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_VARARGS, "Prepare keys and kinds of values for read."},
    {"read", (PyCFunction)(void (*)(void))read_line, METH_FASTCALL, "The values of a line, or None where it is not as planned."},
    {"request", (PyCFunction)(void (*)(void))request, METH_FASTCALL, "The request of a record's values, or None."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_object", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__object(void) {
    for (int k = 0; k < ROLES; k++)
        if (!(roles[k] = PyUnicode_InternFromString(role_names[k]))) return NULL;
    return intern_names() ? PyModule_Create(&module) : NULL;
}
