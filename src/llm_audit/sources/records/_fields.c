/* Reads fields of decoded records: texts, the first of several names, objects, times, and turns of texts alone. fields.py, times.py
   and messages.py give the same in Python, also for values that are not as JSON decodes them. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "_anthropic.h"
#include "_parts.h"
#include "_session.h"
#include "_time.h"
#include "_turns.h"
#include "_usage.h"
#include "_values.h"

#define MAX_TOKENS 1000000000

static PyObject *no_object, *any_mapping, *any_objects; /* an empty mapping, and the readers of unusual values */
static PyObject *name_parts, *name_calls, *name_call, *name_key, *name_value;

static PyObject *text(PyObject *Py_UNUSED(module), PyObject *value) {
    if (PyUnicode_CheckExact(value) && says_something(value)) return Py_NewRef(value);
    if (PyLong_CheckExact(value)) return PyObject_Str(value);
    Py_RETURN_NONE;
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

static int holds(PyObject *object, PyObject *name) {
    PyObject *value = get(object, name);
    return value ? PyObject_IsTrue(value) : 0;
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

static PyObject *turns(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !is_text(args[0]) || !is_prepared(message)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "turns takes a role and content");
        return NULL;
    }
    PyObject *found = turns_of(args[0], args[1]);
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

/* Add the messages of a turn; 0 where it is odd, -1 with an error. */
static int add_turn(PyObject *found, PyObject *item) {
    PyObject *turn = plain_turn(item), *more = NULL;
    if (turn) return append(found, turn) ? 1 : -1;
    if (!PyErr_Occurred() && PyDict_CheckExact(item) && PyDict_GET_SIZE(item) == 2 && is_text(get(item, name_role)))
        more = turns_of(get(item, name_role), get(item, name_content));
    int added = more && !PyList_SetSlice(found, PyList_GET_SIZE(found), PyList_GET_SIZE(found), more);
    Py_XDECREF(more);
    return PyErr_Occurred() ? -1 : added;
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
        int added = add_turn(args[0], PyList_GET_ITEM(args[1], at));
        if (added < 0 || PyErr_Occurred()) return NULL;
        if (!added) break;
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

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *args) {
    if (!PyArg_ParseTuple(args, "OOO", &no_object, &any_mapping, &any_objects)) return NULL;
    Py_INCREF(no_object), Py_INCREF(any_mapping), Py_INCREF(any_objects);
    Py_RETURN_NONE;
}

static PyObject *prepare_turns(PyObject *Py_UNUSED(module), PyObject *args) {
    if (!PyArg_ParseTuple(args, "OO!O!O", &message, &PyDict_Type, &roles, &PyFrozenSet_Type, &text_fields, &canonical)) return NULL;
    Py_INCREF(message), Py_INCREF(roles), Py_INCREF(text_fields), Py_INCREF(canonical);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"text", text, METH_O, "A text that says something, or the digits of an integer; else None."},
    {"first", (PyCFunction)(void (*)(void))first, METH_FASTCALL, "The first of these fields that is given."},
    {"firsts", (PyCFunction)(void (*)(void))firsts, METH_FASTCALL, "Of each of several lists of fields, the first that is given."},
    {"mapping", mapping, METH_O, "An object, or an empty one."},
    {"objects", objects, METH_O, "The objects of an array, one by one."},
    {"add_plain", (PyCFunction)(void (*)(void))add_plain, METH_FASTCALL, "Add turns that are plain; the place of the first other."},
    {"turns", (PyCFunction)(void (*)(void))turns, METH_FASTCALL, "The messages of texts and of a tool's calls and results, or None."},
    {"session_row", session_row, METH_O, "What a row of a session of Claude Code holds; None where it is not plain."},
    {"prepare_sessions", prepare_sessions, METH_O, "Set what requests of sessions are made by."},
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
    {"prepare_turns", prepare_turns, METH_VARARGS, "Set what turns are made by: a class, roles, names of plain parts, a writer."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_fields", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__fields(void) {
    PyObject **const names[] = {&name_parts, &name_calls, &name_call, &name_key, &name_value};
    static const char *const written[] = {"parts", "tool_calls", "function_call", "key", "value"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (!(*names[k] = PyUnicode_InternFromString(written[k]))) return NULL;
    return intern_usage() && intern_anthropic() && intern_parts() && intern_session() ? PyModule_Create(&module) : NULL;
}
