/* Names of fields as Python looks them up fastest. */
#ifndef LLM_AUDIT_NAMES_H
#define LLM_AUDIT_NAMES_H
#include <Python.h>

/* Texts as a tuple of interned strings; NULL and an error where there is no memory. */
static PyObject *interned(const char *const *texts, Py_ssize_t count) {
    PyObject *found = PyTuple_New(count);
    for (Py_ssize_t k = 0; found && k < count; k++) {
        PyObject *name = PyUnicode_InternFromString(texts[k]);
        if (name) PyTuple_SET_ITEM(found, k, name);
        else Py_CLEAR(found);
    }
    return found;
}

#endif
