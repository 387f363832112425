/* What the rows of a batch have in common: names, statuses and metadata by their bytes, and distinct asks. */
#ifndef LLM_AUDIT_BATCH_H
#define LLM_AUDIT_BATCH_H
#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "_row.h"

enum { MODELS, STATUSES, ALL_METADATA, TEAMS, APPS, USERS, PLACES };

/* What a batch has collected: for each of PLACES a mapping from bytes to a place, and asks with their hashes. */
typedef struct {
    PyObject *places[PLACES], *hashes, *asks;
    uint64_t *values;
    uint8_t *known;
    Py_ssize_t capacity;
} Batch;

/* Find the place of bytes in one of a batch's mappings, which adds what it misses; NULL where they are odd. Borrowed. */
static PyObject *place_of(PyObject *places, const uint8_t *data, Py_ssize_t length) {
    PyObject *key = PyBytes_FromStringAndSize((const char *)data, length);
    PyObject *found = key ? PyDict_GetItemWithError(places, key) : NULL;
    if (key && !found && !PyErr_Occurred()) {
        found = PyObject_GetItem(places, key); /* which calls __missing__ */
        Py_XDECREF(found); /* the mapping keeps it */
        if (found && PyDict_GetItemWithError(places, key) != found) found = NULL;
    }
    Py_XDECREF(key);
    forgive();
    return found;
}

static int set_place(Row *row, int column, PyObject *place) {
    long long number = place && PyLong_Check(place) ? PyLong_AsLongLong(place) : -1;
    if (number < 0) return 0;
    set(row, column, (uint64_t)number);
    return 1;
}

/* Read a scalar or, of metadata, any value, by its bytes. */
static PyObject *read_place(Line *line, PyObject *places, int scalar) {
    uint8_t c = next_byte(line);
    const uint8_t *start = line->at;
    if ((scalar && (c == '{' || c == '[')) || !skip_value(line, MAX_DEPTH)) return NULL;
    return place_of(places, start, line->at - start);
}

/* Find the place of an ask in the batch, or add it; 0 where another has its hash, or with an error. */
static int set_ask(Batch *batch, Row *row, PyObject *ask) {
    PyObject *hash = PyLong_FromUnsignedLongLong(xxh3(PyBytes_AS_STRING(ask), (size_t)PyBytes_GET_SIZE(ask), 0));
    PyObject *place = hash ? PyDict_GetItemWithError(batch->hashes, hash) : NULL;
    int done = 0;
    if (place) {
        PyObject *same = PyList_GetItem(batch->asks, PyLong_AsSsize_t(place));
        done = same && PyBytes_Check(same) && PyBytes_GET_SIZE(same) == PyBytes_GET_SIZE(ask) &&
               !memcmp(PyBytes_AS_STRING(same), PyBytes_AS_STRING(ask), (size_t)PyBytes_GET_SIZE(ask)) &&
               set_place(row, ASK_PLACE, place);
    } else if (hash && !PyErr_Occurred()) {
        place = PyLong_FromSsize_t(PyList_GET_SIZE(batch->asks));
        done = place && set_place(row, ASK_PLACE, place) && !PyList_Append(batch->asks, ask) &&
               !PyDict_SetItem(batch->hashes, hash, place);
        Py_XDECREF(place);
    }
    Py_XDECREF(hash);
    return done;
}

static int read_batch(PyObject *given, Batch *batch, Py_buffer *values, Py_buffer *known) {
    PyObject **places = batch->places;
    if (!PyArg_ParseTuple(given, "w*w*(O!O!O!O!O!O!)O!O!", values, known, &PyDict_Type, places, &PyDict_Type, places + 1,
                          &PyDict_Type, places + 2, &PyDict_Type, places + 3, &PyDict_Type, places + 4, &PyDict_Type,
                          places + 5, &PyDict_Type, &batch->hashes, &PyList_Type, &batch->asks)) return 0;
    batch->values = values->buf, batch->known = known->buf, batch->capacity = known->len / COLUMNS;
    if (known->len == batch->capacity * COLUMNS && values->len == known->len * 8) return 1;
    PyBuffer_Release(values), PyBuffer_Release(known);
    PyErr_SetString(PyExc_ValueError, "buffers do not fit each other");
    return 0;
}

#endif
