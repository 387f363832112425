/* The columns of a batch of rows: bits of numbers, places of words among distinct ones, and what is known. */
#ifndef LLM_AUDIT_COLUMNS_H
#define LLM_AUDIT_COLUMNS_H
#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "_longest.h"

/* How a value is written: a word or a tuple of words; a text, by its hash, or a hash; a whole number; a truth value; a
   measure. */
enum { A_WORD, TAGS, AN_ID, A_HASH, A_NUMBER, A_SMALL_NUMBER, A_FLAG, AN_AMOUNT, KINDS };
static const char *const kind_names[KINDS] = {"word", "tags", "id", "hash", "number", "small", "flag", "amount"};

#define MAX_EXACT (1LL << 53) /* up to which all whole numbers are measures too */

/* The row that is written is the last; the words of a column are a mapping to their places. */
typedef struct {
    uint64_t *values;
    uint8_t *known;
    Py_ssize_t capacity, row;
    PyObject *words;
} Columns;

static int set(Columns *columns, Py_ssize_t column, uint64_t value) {
    columns->values[column * columns->capacity + columns->row] = value;
    return columns->known[column * columns->capacity + columns->row] = 1;
}

static int set_none(Columns *columns, Py_ssize_t column) {
    columns->values[column * columns->capacity + columns->row] = 0;
    columns->known[column * columns->capacity + columns->row] = 0;
    return 1;
}

static int set_word(Columns *columns, Py_ssize_t column, PyObject *word) {
    PyObject *words = PyTuple_GET_ITEM(columns->words, column), *place = PyDict_GetItemWithError(words, word);
    if (place) return set(columns, column, (uint64_t)PyLong_AsSsize_t(place));
    if (PyErr_Occurred() || (PyUnicode_Check(word) && !PyUnicode_AsUTF8(word))) return 0;
    Py_ssize_t count = PyDict_GET_SIZE(words);
    int done = (place = PyLong_FromSsize_t(count)) && !PyDict_SetItem(words, word, place);
    Py_XDECREF(place);
    return done && set(columns, column, (uint64_t)count);
}

static int set_id(Columns *columns, Py_ssize_t column, PyObject *text) {
    uint64_t hash;
    return hash_text(text, 0, &hash) && set(columns, column, hash);
}

static int set_number(Columns *columns, Py_ssize_t column, PyObject *value, int is_small) {
    int is_beyond;
    long long number = PyLong_AsLongLongAndOverflow(value, &is_beyond);
    if (is_beyond || (is_small && number != (int32_t)number)) return 0;
    return set(columns, column, (uint64_t)number);
}

static int set_hash(Columns *columns, Py_ssize_t column, PyObject *value) {
    uint64_t hash = PyLong_AsUnsignedLongLong(value);
    return !PyErr_Occurred() && set(columns, column, hash);
}

static int set_amount(Columns *columns, Py_ssize_t column, PyObject *value) {
    int is_beyond = 0;
    long long whole = PyLong_CheckExact(value) ? PyLong_AsLongLongAndOverflow(value, &is_beyond) : 0;
    double amount = PyFloat_CheckExact(value) ? PyFloat_AS_DOUBLE(value) : (double)whole;
    uint64_t bits;
    if (is_beyond || whole > MAX_EXACT || whole < -MAX_EXACT) return 0;
    memcpy(&bits, &amount, sizeof bits);
    return set(columns, column, bits);
}

/* Write a value that is of a column's kind or None; 0 where it is neither, perhaps with an error. */
static int set_value(Columns *columns, Py_ssize_t column, int kind, PyObject *value) {
    if (value == Py_None) return set_none(columns, column);
    switch (kind) {
    case A_WORD: return PyUnicode_Check(value) && set_word(columns, column, value);
    case TAGS:
        if (!PyTuple_Check(value)) return 0;
        return PyTuple_GET_SIZE(value) ? set_word(columns, column, value) : set_none(columns, column);
    case AN_ID: return PyUnicode_Check(value) && set_id(columns, column, value);
    case A_HASH: return PyLong_CheckExact(value) && set_hash(columns, column, value);
    case A_NUMBER: case A_SMALL_NUMBER:
        return PyLong_CheckExact(value) && set_number(columns, column, value, kind == A_SMALL_NUMBER);
    case A_FLAG: return PyBool_Check(value) && set(columns, column, value == Py_True);
    default: return (PyFloat_CheckExact(value) || PyLong_CheckExact(value)) && set_amount(columns, column, value);
    }
}

#endif
