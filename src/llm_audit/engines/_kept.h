/* The prompt of the row before: several rows of one reply share it, and then what was written of it is copied. */
#ifndef LLM_AUDIT_KEPT_H
#define LLM_AUDIT_KEPT_H
#include <Python.h>

#include "_columns.h"
#include "_digest.h"

/* What decides a prompt's columns, as it was for a row, and the characters of that row's ask. */
typedef struct {
    PyObject *messages, *tools, *operation, *redacted; /* messages: a tuple; NULL where nothing is kept */
    Py_ssize_t row, chars;
} Kept;

static void forget(Kept *kept) {
    Py_CLEAR(kept->messages);
    Py_CLEAR(kept->tools);
    Py_CLEAR(kept->operation);
    Py_CLEAR(kept->redacted);
}

/* Whether a row before has the same messages, which never change, and all else that decides the columns. */
static int is_kept(const Kept *kept, PyObject *messages, PyObject *tools, PyObject *operation, PyObject *redacted) {
    if (!kept->messages || !PyList_CheckExact(messages) || tools != kept->tools || operation != kept->operation ||
        redacted != kept->redacted || PyList_GET_SIZE(messages) != PyTuple_GET_SIZE(kept->messages)) return 0;
    for (Py_ssize_t k = PyList_GET_SIZE(messages); k--;) /* those of two prompts differ at the end */
        if (PyList_GET_ITEM(messages, k) != PyTuple_GET_ITEM(kept->messages, k)) return 0;
    return 1;
}

/* Whether messages are of the usual type, which is immutable, and the last of them stays when its request has gone, as
   where a transcript holds it: of others nothing is kept, so that no text stays for longer than its record. */
static int may_recur(PyObject *messages, PyObject *type) {
    Py_ssize_t count = PyList_CheckExact(messages) ? PyList_GET_SIZE(messages) : 0;
    if (!count || Py_REFCNT(PyList_GET_ITEM(messages, count - 1)) < 2) return 0;
    while (count && Py_IS_TYPE(PyList_GET_ITEM(messages, count - 1), (PyTypeObject *)type)) count--;
    return !count;
}

/* Keep what a row was made of; 0 and an error where that fails. */
static int keep(Kept *kept, PyObject *messages, PyObject *tools, PyObject *operation, PyObject *redacted) {
    forget(kept);
    if (!(kept->messages = PyList_AsTuple(messages))) return 0;
    kept->tools = Py_NewRef(tools), kept->operation = Py_NewRef(operation), kept->redacted = Py_NewRef(redacted);
    return 1;
}

/* Copy a range of columns from the row that is kept. */
static void copy_columns(Columns *columns, Py_ssize_t from, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end) {
    for (Py_ssize_t place = first * columns->capacity; first < end; first++, place += columns->capacity) {
        columns->values[place + row] = columns->values[place + from];
        columns->known[place + row] = columns->known[place + from];
    }
}

#endif
