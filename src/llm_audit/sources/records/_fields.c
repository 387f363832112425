/* Reads fields of decoded records: texts, the first of several names, objects, times, and turns of texts alone. fields.py, times.py
   and messages.py give the same in Python, also for values that are not as JSON decodes them. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "../formats/plain/flat/_times.h"
#include "_anthropic.h"
#include "_turns.h"
#include "_usage.h"

#define LONGEST_NOTHING 9 /* "undefined" */
#define NANOSECOND_DIGITS 19
#define MAX_TOKENS 1000000000

static const char *const nothing[] = {"", "none", "null", "nan", "n/a", "undefined"};
static PyObject *no_object, *any_mapping, *any_objects; /* an empty mapping, and the readers of unusual values */
static PyObject *message, *roles, *text_fields;         /* what turns are made by */
static PyObject *name_role, *name_content, *name_parts, *name_calls, *name_call, *name_type, *name_text, *name_key, *name_value;

static int is_text(PyObject *value) { return value && PyUnicode_CheckExact(value); }

static int is_nothing(PyObject *text, Py_ssize_t from, Py_ssize_t to) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (size_t word = 0; word < sizeof nothing / sizeof *nothing; word++) {
        Py_ssize_t k = 0;
        for (; k < to - from && nothing[word][k]; k++) {
            Py_UCS4 c = PyUnicode_READ(kind, data, from + k);
            if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != (Py_UCS4)nothing[word][k]) break;
        }
        if (k == to - from && !nothing[word][k]) return 1;
    }
    return 0;
}

static PyObject *text(PyObject *Py_UNUSED(module), PyObject *value) {
    if (PyUnicode_CheckExact(value)) {
        int kind = PyUnicode_KIND(value);
        const void *data = PyUnicode_DATA(value);
        Py_ssize_t from = 0, to = PyUnicode_GET_LENGTH(value);
        while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, from))) from++;
        while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, to - 1))) to--;
        if (to - from > LONGEST_NOTHING || !is_nothing(value, from, to)) return Py_NewRef(value);
    } else if (PyLong_CheckExact(value)) return PyObject_Str(value);
    Py_RETURN_NONE;
}

/* Whether a value is there: neither null nor an empty text; -1 with an error. */
static int is_given(PyObject *value) {
    if (value == Py_None) return 0;
    if (PyUnicode_CheckExact(value)) return PyUnicode_GET_LENGTH(value) > 0;
    if (PyLong_CheckExact(value) || PyDict_CheckExact(value) || PyList_CheckExact(value) || PyBool_Check(value)) return 1;
    PyObject *empty = PyUnicode_New(0, 0);
    int differs = empty ? PyObject_RichCompareBool(value, empty, Py_NE) : -1;
    Py_XDECREF(empty);
    return differs;
}

static PyObject *first_of(PyObject *record, PyObject *const *names, Py_ssize_t count) {
    for (Py_ssize_t k = 0; k < count; k++) {
        PyObject *value;
        if (PyDict_CheckExact(record)) {
            if (!(value = Py_XNewRef(PyDict_GetItemWithError(record, names[k])))) {
                if (PyErr_Occurred()) return NULL;
                continue;
            }
        } else if (!(value = PyObject_CallMethod(record, "get", "O", names[k]))) return NULL;
        int given = is_given(value);
        if (given > 0) return value;
        Py_DECREF(value);
        if (given < 0) return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *first(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (!count) return PyErr_SetString(PyExc_TypeError, "first takes a record and names"), NULL;
    return first_of(args[0], args + 1, count - 1);
}

static PyObject *firsts(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyTuple_CheckExact(args[1]))
        return PyErr_SetString(PyExc_TypeError, "firsts takes a record and a tuple of tuples of names"), NULL;
    PyObject *found = PyTuple_New(PyTuple_GET_SIZE(args[1]));
    for (Py_ssize_t k = 0; found && k < PyTuple_GET_SIZE(args[1]); k++) {
        PyObject *names = PyTuple_GET_ITEM(args[1], k), *value = NULL;
        if (!PyTuple_CheckExact(names)) PyErr_SetString(PyExc_TypeError, "names are in tuples");
        else value = first_of(args[0], ((PyTupleObject *)names)->ob_item, PyTuple_GET_SIZE(names));
        if (value) PyTuple_SET_ITEM(found, k, value);
        else Py_CLEAR(found);
    }
    return found;
}

static int is_prepared(PyObject *what) {
    if (!what) PyErr_SetString(PyExc_RuntimeError, "nothing was prepared for this");
    return what != NULL;
}

static PyObject *mapping(PyObject *Py_UNUSED(module), PyObject *value) {
    if (PyDict_CheckExact(value)) return Py_NewRef(value);
    if (!is_prepared(no_object)) return NULL;
    return value == Py_None ? Py_NewRef(no_object) : PyObject_CallOneArg(any_mapping, value);
}

static PyObject *objects(PyObject *Py_UNUSED(module), PyObject *value) {
    if (PyList_CheckExact(value)) {
        Py_ssize_t k = 0;
        while (k < PyList_GET_SIZE(value) && PyDict_CheckExact(PyList_GET_ITEM(value, k))) k++;
        if (k == PyList_GET_SIZE(value)) return PyObject_GetIter(value);
    }
    return is_prepared(any_objects) ? PyObject_CallOneArg(any_objects, value) : NULL;
}

static PyObject *has_single(PyObject *Py_UNUSED(module), PyObject *record) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!PyDict_CheckExact(record)) Py_RETURN_TRUE; /* as it may */
    while (PyDict_Next(record, &at, &key, &value))
        if (PyDict_CheckExact(value) && PyDict_GET_SIZE(value) == 1) Py_RETURN_TRUE;
    Py_RETURN_FALSE;
}

/* The scalars of pairs of a key and a value of one kind, as OTLP writes them; None where other values are among them. */
static PyObject *scalars(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyFrozenSet_CheckExact(args[1]))
        return PyErr_SetString(PyExc_TypeError, "scalars takes pairs and a frozen set of kinds"), NULL;
    if (!PyList_CheckExact(args[0])) Py_RETURN_NONE;
    PyObject *found = PyDict_New(), *kind, *inner;
    int done = found != NULL;
    for (Py_ssize_t k = 0; done > 0 && k < PyList_GET_SIZE(args[0]); k++) {
        PyObject *pair = PyList_GET_ITEM(args[0], k), *key, *value;
        Py_ssize_t at = 0;
        done = PyDict_CheckExact(pair) && is_text(key = PyDict_GetItemWithError(pair, name_key)) &&
               (value = PyDict_GetItemWithError(pair, name_value)) && PyDict_CheckExact(value) && PyDict_GET_SIZE(value) == 1 &&
               PyDict_Next(value, &at, &kind, &inner) && PySet_Contains(args[1], kind) == 1 && is_given(inner) == 1 &&
               !PyDict_SetItem(found, key, inner);
        if (PyErr_Occurred()) done = -1;
    }
    if (done > 0) return found;
    Py_XDECREF(found);
    if (done < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *get(PyObject *object, PyObject *name) { return PyDict_GetItemWithError(object, name); }

/* The text of a part that holds one and nothing else; NULL for any other. Borrowed. */
static PyObject *plain_text(PyObject *part) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (PyUnicode_CheckExact(part)) return part;
    if (!PyDict_CheckExact(part)) return NULL;
    PyObject *kind = get(part, name_type);
    if (!is_text(kind) || PyUnicode_CompareWithASCIIString(kind, "text")) return NULL;
    while (PyDict_GET_SIZE(part) != 2 && PyDict_Next(part, &at, &key, &value))
        if (PySet_Contains(text_fields, key) != 1) return NULL;
    PyObject *written = get(part, name_text);
    if (!written || written == Py_None || (is_text(written) && !PyUnicode_GET_LENGTH(written))) written = get(part, name_content);
    return is_text(written) && PyUnicode_GET_LENGTH(written) ? written : NULL;
}

/* The text of content that is nothing but texts, a line each; NULL for any other, or with an error. */
static PyObject *text_of(PyObject *content) {
    if (PyUnicode_CheckExact(content)) return Py_NewRef(content);
    if (!PyList_CheckExact(content)) return NULL;
    Py_ssize_t count = PyList_GET_SIZE(content);
    PyObject *only = count == 1 ? plain_text(PyList_GET_ITEM(content, 0)) : NULL;
    if (only || count == 1) return Py_XNewRef(only);
    PyObject *texts = PyList_New(count), *line = texts ? PyUnicode_FromOrdinal('\n') : NULL, *found = NULL;
    for (Py_ssize_t k = 0; line && k < count; k++) {
        PyObject *written = plain_text(PyList_GET_ITEM(content, k));
        if (!written) Py_CLEAR(line);
        else PyList_SET_ITEM(texts, k, Py_NewRef(written));
    }
    if (line) found = PyUnicode_Join(line, texts);
    Py_XDECREF(texts), Py_XDECREF(line);
    return found;
}

static int holds(PyObject *object, PyObject *name) {
    PyObject *value = get(object, name);
    return value ? PyObject_IsTrue(value) : 0;
}

/* Make a message of a role's content that is texts alone; NULL for any other, or with an error. */
static PyObject *turn_of(PyObject *role, PyObject *content) {
    PyObject *parts[2] = {get(roles, role), NULL};
    if (!parts[0] || (!is_text(content) && !PyUnicode_CompareWithASCIIString(parts[0], "tool"))) return NULL;
    if (!(parts[1] = text_of(content))) return NULL;
    PyObject *turn = PyObject_Vectorcall(message, parts, 2, NULL);
    Py_DECREF(parts[1]);
    return turn;
}

/* Make a message of a turn of texts alone; NULL for any other, or with an error. */
static PyObject *plain_turn(PyObject *item) {
    if (!PyDict_CheckExact(item)) return NULL;
    PyObject *given = get(item, name_role), *content = get(item, name_content);
    if (!is_text(given)) return NULL;
    if (PyDict_GET_SIZE(item) != 2 || !is_text(content)) { /* by far the most usual shape */
        if (!content || content == Py_None) content = get(item, name_parts);
        if (!content || PyObject_IsTrue(content) != 1 || holds(item, name_calls) || holds(item, name_call)) return NULL;
        PyObject *role = get(roles, given);
        if (!role || !PyUnicode_CompareWithASCIIString(role, "tool")) return NULL;
    }
    return turn_of(given, content);
}

static PyObject *turn(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !is_text(args[0]) || !is_prepared(message)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "turn takes a role and content");
        return NULL;
    }
    PyObject *found = turn_of(args[0], args[1]);
    if (found || PyErr_Occurred()) return found;
    Py_RETURN_NONE;
}

/* The counts of an object under some names; None where one of them is not plain. */
static PyObject *plain_counts(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyTuple_CheckExact(args[1])) return PyErr_SetString(PyExc_TypeError, "plain_counts takes an object and names"), NULL;
    if (!PyDict_CheckExact(args[0])) Py_RETURN_NONE;
    Py_ssize_t names = PyTuple_GET_SIZE(args[1]);
    PyObject *found = PyTuple_New(names);
    for (Py_ssize_t k = 0; found && k < names; k++) {
        PyObject *value = get(args[0], PyTuple_GET_ITEM(args[1], k));
        int beyond = 1;
        long long given = value && PyLong_CheckExact(value) ? PyLong_AsLongLongAndOverflow(value, &beyond) : 0;
        if (value && value != Py_None && (beyond || given < 0 || given > MAX_TOKENS)) Py_CLEAR(found);
        else PyTuple_SET_ITEM(found, k, Py_NewRef(value ? value : Py_None));
    }
    if (found || PyErr_Occurred()) return found;
    Py_RETURN_NONE;
}

static PyObject *add_plain(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3 || !PyList_CheckExact(args[0]) || !is_prepared(message)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "add_plain takes a list, items and a place");
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred()) return NULL;
    int is_list = PyList_CheckExact(args[1]);
    while (at >= 0 && is_list && at < PyList_GET_SIZE(args[1])) {
        PyObject *turn = plain_turn(PyList_GET_ITEM(args[1], at));
        int added = turn ? PyList_Append(args[0], turn) : 1;
        Py_XDECREF(turn);
        if (added < 0 || PyErr_Occurred()) return NULL;
        if (added) break;
        at++;
    }
    return PyLong_FromSsize_t(at);
}

static PyObject *written_turns(PyObject *Py_UNUSED(module), PyObject *value) {
    if (!is_prepared(message)) return NULL;
    Py_ssize_t length = 0;
    const char *data = PyUnicode_CheckExact(value) ? PyUnicode_AsUTF8AndSize(value, &length) : NULL;
    PyObject *found = NULL;
    if (data) {
        Line line = {(const uint8_t *)data, (const uint8_t *)data + length, PyMem_Malloc((size_t)length + VECTOR_BYTES)};
        if (!line.scratch) return PyErr_NoMemory();
        found = read_turns(&line, message, roles);
        PyMem_Free(line.scratch);
    } else if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) PyErr_Clear(); /* half of a pair */
    if (found || PyErr_Occurred()) return found;
    Py_RETURN_NONE;
}

/* Microseconds of a time in UTC as most logs write it, or of its nanoseconds since 1970; None for any other. */
static PyObject *plain_time(PyObject *Py_UNUSED(module), PyObject *value) {
    int64_t found = 0;
    if (PyUnicode_CheckExact(value) && PyUnicode_IS_ASCII(value)) {
        const char *at = PyUnicode_DATA(value);
        Py_ssize_t length = PyUnicode_GET_LENGTH(value);
        uint64_t nanoseconds = 0;
        if (length == NANOSECOND_DIGITS) {
            for (; length && *at >= '0' && *at <= '9'; at++, length--) nanoseconds = 10 * nanoseconds + (uint64_t)(*at - '0');
            if (!length) found = (int64_t)(nanoseconds / 1000);
        } else read_iso(at, length, &found);
    }
    if (found < EARLIEST_US || found >= LATEST_US) Py_RETURN_NONE;
    return PyLong_FromLongLong(found);
}

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *args) {
    if (!PyArg_ParseTuple(args, "OOO", &no_object, &any_mapping, &any_objects)) return NULL;
    Py_INCREF(no_object), Py_INCREF(any_mapping), Py_INCREF(any_objects);
    Py_RETURN_NONE;
}

static PyObject *prepare_turns(PyObject *Py_UNUSED(module), PyObject *args) {
    if (!PyArg_ParseTuple(args, "OO!O!", &message, &PyDict_Type, &roles, &PyFrozenSet_Type, &text_fields)) return NULL;
    Py_INCREF(message), Py_INCREF(roles), Py_INCREF(text_fields);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"text", text, METH_O, "A text that says something, or the digits of an integer; else None."},
    {"first", (PyCFunction)(void (*)(void))first, METH_FASTCALL, "The first of these fields that is given."},
    {"firsts", (PyCFunction)(void (*)(void))firsts, METH_FASTCALL, "Of each of several lists of fields, the first that is given."},
    {"mapping", mapping, METH_O, "An object, or an empty one."},
    {"objects", objects, METH_O, "The objects of an array, one by one."},
    {"add_plain", (PyCFunction)(void (*)(void))add_plain, METH_FASTCALL, "Add turns of texts alone; the place of the first other."},
    {"turn", (PyCFunction)(void (*)(void))turn, METH_FASTCALL, "A message of a role's content that is texts alone, or None."},
    {"plain_counts", (PyCFunction)(void (*)(void))plain_counts, METH_FASTCALL, "Counts under some names; None if one is not plain."},
    {"written_turns", written_turns, METH_O, "The messages of a JSON array of turns of texts alone; None for any other text."},
    {"has_single", has_single, METH_O, "Whether a record may have an object of one field among its values."},
    {"scalars", (PyCFunction)(void (*)(void))scalars, METH_FASTCALL, "The scalars of pairs of a key and a value, by key."},
    {"plain_time", plain_time, METH_O, "Microseconds of a time as most logs write it; None for any other."},
    {"plain_usage", plain_usage, METH_O, "The usage of a chat completion whose counts add up; None for any other."},
    {"plain_anthropic_usage", plain_anthropic_usage, METH_O, "The usage of plain counts under Anthropic's names; None for any other."},
    {"prepare_anthropic", prepare_anthropic, METH_O, "Set the words that change nothing of a usage."},
    {"prepare_usage", prepare_usage, METH_VARARGS, "Set the class of a usage, and the word for one that was reported."},
    {"prepare", prepare, METH_VARARGS, "Set an empty object, and what reads unusual objects and arrays."},
    {"prepare_turns", prepare_turns, METH_VARARGS, "Set what turns are made by: a class, roles, names of plain parts."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_fields", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__fields(void) {
    PyObject **const names[] = {&name_role, &name_content, &name_parts, &name_calls, &name_call, &name_type, &name_text,
                                &name_key, &name_value};
    static const char *const written[] = {"role", "content", "parts", "tool_calls", "function_call", "type", "text", "key", "value"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (!(*names[k] = PyUnicode_InternFromString(written[k]))) return NULL;
    return intern_usage() && intern_anthropic() ? PyModule_Create(&module) : NULL;
}
