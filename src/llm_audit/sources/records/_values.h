/* What a decoded value is: a text, one that says something, or one that is there at all. */
#ifndef LLM_AUDIT_VALUES_H
#define LLM_AUDIT_VALUES_H
#include <Python.h>

#define LONGEST_NOTHING 9 /* "undefined" */

static const char *const nothing[] = {"", "none", "null", "nan", "n/a", "undefined"};

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

/* Whether a text says something. */
static int says_something(PyObject *text) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t from = 0, to = PyUnicode_GET_LENGTH(text);
    while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, from))) from++;
    while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, to - 1))) to--;
    return to - from > LONGEST_NOTHING || !is_nothing(text, from, to);
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

static PyObject *get(PyObject *object, PyObject *name) { return PyDict_GetItemWithError(object, name); }

#endif
