/* Hashes the longest line of a text; features/line_hash.py gives the same in Python. */
#ifndef LLM_AUDIT_LONGEST_H
#define LLM_AUDIT_LONGEST_H
#include <Python.h>

#include "../classify/_context.h"
#include "_xxh3.h"

#define MIN_CHARS 64
#define MAX_CHARS (1 << 16)

/* Hash a text's UTF-8; 0 and an error where it has none. */
static int hash_text(PyObject *text, uint64_t seed, uint64_t *hash) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    if (!bytes) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "a text is to be hashed");
        return 0;
    }
    *hash = xxh3(bytes, (size_t)length, seed);
    return 1;
}

/* The longest line among the first characters, the first of several, and without blanks around it. */
static void find_line(Chars text, Py_ssize_t length, Py_ssize_t *from, Py_ssize_t *to) {
    Py_ssize_t end = length < MAX_CHARS ? length : MAX_CHARS, best = 0, longest = 0;
    for (Py_ssize_t start = 0, stop; end - start > longest; start = stop + 1) {
        stop = find_char(text, '\n', start, end);
        if (stop < 0) stop = end;
        if (stop - start > longest) best = start, longest = stop - start;
    }
    *from = best, *to = best + longest;
    strip(text, from, to);
}

/* Write a line with each run of spaces and tabs as one space; it does not begin with one. Returns its length. */
static Py_ssize_t collapse(Chars text, Py_ssize_t from, Py_ssize_t to, Chars line) {
    Py_ssize_t length = 0;
    for (int was_blank = 0; from < to; from++) {
        Py_UCS4 c = char_at(text, from);
        int is_blank = c == ' ' || c == '\t';
        if (!is_blank || !was_blank) PyUnicode_WRITE(line.kind, (void *)line.data, length++, is_blank ? ' ' : c);
        was_blank = is_blank;
    }
    return length;
}

/* Whether a line of ASCII has a tab, or a space after another. */
static int has_runs(const char *line, Py_ssize_t length) {
    int found = line[length - 1] == '\t';
    for (Py_ssize_t k = 0; k + 1 < length; k++) found |= (line[k] == '\t') | ((line[k] == ' ') & (line[k + 1] == ' '));
    return found;
}

/* Hash the longest line of a text: 1 where that is done, 0 where it is short, -1 and an error where it has no UTF-8. */
static int hash_longest(Chars text, Py_ssize_t length, int is_ascii, uint64_t *hash) {
    Py_ssize_t from, to;
    if (length < MIN_CHARS) return 0;
    find_line(text, length, &from, &to);
    if (to - from < MIN_CHARS) return 0;
    if (is_ascii && !has_runs((const char *)text.data + from, to - from))
        return *hash = xxh3((const char *)text.data + from, (size_t)(to - from), 0), 1;
    Chars line = {text.kind, PyMem_Malloc((size_t)(to - from) * (size_t)text.kind)};
    if (!line.data) return PyErr_NoMemory(), -1;
    int done = (length = collapse(text, from, to, line)) >= MIN_CHARS;
    if (done && is_ascii) *hash = xxh3(line.data, (size_t)length, 0);
    else if (done) {
        PyObject *whole = PyUnicode_FromKindAndData(line.kind, line.data, length);
        done = whole && hash_text(whole, 0, hash) ? 1 : -1;
        Py_XDECREF(whole);
    }
    PyMem_Free((void *)line.data);
    return done;
}

#endif
