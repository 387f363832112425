/* Columns and tables of NumPy as C reads them: through the buffer protocol, with their kinds and sizes checked. */
#ifndef LLM_AUDIT_POLICY_COLUMNS_H
#define LLM_AUDIT_POLICY_COLUMNS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    Py_buffer view;
    char *at;
    Py_ssize_t length, step; /* a column that repeats one value has a step of zero */
    Py_ssize_t width;        /* of a table, else 1 */
    int open;
} Column;

static int64_t whole(const Column *column, Py_ssize_t i) {
    const char *at = column->at + i * column->step;
    if (column->view.itemsize == 4) {
        int32_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline double real(const Column *column, Py_ssize_t i) {
    const char *at = column->at + i * column->step;
    if (column->view.itemsize == 4) {
        float value;
        memcpy(&value, at, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline int8_t byte(const Column *column, Py_ssize_t i) { return (int8_t)column->at[i * column->step]; }

/* Kinds: n whole numbers, f floating-point numbers (both of 32 or 64 bits), b bytes; N and F are tables of whole rows,
   o and p are columns of such to fill, Q and P tables, all of 64 bits. */
static int fits(const Py_buffer *view, char kind) {
    const char *format = view->format ? view->format : "B";
    int table = strchr("NFPQ", kind) != NULL, filled = strchr("opPQ", kind) != NULL;
    const char *formats = strchr("nNoQ", kind) ? "ilq" : strchr("fFpP", kind) ? "fd" : "?bB";
    if (view->ndim != (table ? 2 : 1) || strlen(format) != 1 || !strchr(formats, format[0])) return 0;
    if (kind != 'b' && view->itemsize != 8 && (view->itemsize != 4 || filled)) return 0;
    if (filled && !table && view->shape[0] > 1 && view->strides[0] != view->itemsize) return 0;
    return !table || PyBuffer_IsContiguous(view, 'C');
}

static void close_columns(Column *columns, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        if (columns[i].open) PyBuffer_Release(&columns[i].view);
        columns[i].open = 0;
    }
}

/* Open one column for each kind; 0 with an exception where one does not fit. All are to be closed in either case. */
static int open_columns(PyObject *const *args, const char *kinds, Column *columns) {
    Py_ssize_t count = (Py_ssize_t)strlen(kinds);
    memset(columns, 0, (size_t)count * sizeof *columns);
    for (Py_ssize_t i = 0; i < count; i++) {
        Column *column = &columns[i];
        int flags = PyBUF_STRIDES | PyBUF_FORMAT | (strchr("opPQ", kinds[i]) ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(args[i], &column->view, flags)) return 0;
        column->open = 1;
        if (!fits(&column->view, kinds[i])) {
            PyErr_Format(PyExc_ValueError, "argument %zd is no column of its kind", i + 1);
            return 0;
        }
        column->at = column->view.buf;
        column->length = column->view.shape[0];
        column->width = column->view.ndim == 2 ? column->view.shape[1] : 1;
        column->step = column->view.ndim == 2 ? column->view.itemsize : column->view.strides[0];
    }
    return 1;
}

static PyObject *misfit(void) {
    PyErr_SetString(PyExc_ValueError, "columns do not fit each other");
    return NULL;
}

#endif
