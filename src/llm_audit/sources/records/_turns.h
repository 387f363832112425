/* Reads turns of texts alone from the text of a JSON array, without its objects. What is odd in any way is not read. */
#ifndef LLM_AUDIT_TURNS_H
#define LLM_AUDIT_TURNS_H
#include "../formats/plain/flat/_line.h"

static PyObject *read_string(Line *line) {
    Text text;
    return is_next(line, '"') && read_text(line, &text) ? as_unicode(&text) : NULL;
}

/* The text of a part {"type": "text", "text": …}, its text as "content" too; NULL for any other, and for an empty one. */
static PyObject *read_part(Line *line) {
    PyObject *found = NULL;
    int has_type = 0;
    if (!is_next(line, '{')) return NULL;
    for (int k = 0; k < 2; k++) {
        if ((k && !is_next(line, ',')) || !is_next(line, '"')) goto odd;
        if (!has_type && is_word(line, "type\"")) {
            if (!is_next(line, ':') || next_byte(line) != '"' || !is_word(line, "\"text\"")) goto odd;
            has_type = 1;
        } else {
            if (found || !(is_word(line, "text\"") || is_word(line, "content\"")) || !is_next(line, ':')) goto odd;
            if (!(found = read_string(line)) || !PyUnicode_GET_LENGTH(found)) goto odd;
        }
    }
    if (is_next(line, '}')) return found;
odd:
    Py_XDECREF(found);
    return NULL;
}

static PyObject *read_parts(Line *line) {
    PyObject *texts = is_next(line, '[') ? PyList_New(0) : NULL, *found = NULL;
    int fits = texts != NULL;
    do {
        PyObject *part = fits ? read_part(line) : NULL;
        fits = part && PyList_Append(texts, part) == 0;
        Py_XDECREF(part);
    } while (fits && is_next(line, ','));
    if (fits && is_next(line, ']')) {
        PyObject *break_ = PyUnicode_FromOrdinal('\n');
        if (PyList_GET_SIZE(texts) == 1) found = Py_NewRef(PyList_GET_ITEM(texts, 0));
        else if (break_) found = PyUnicode_Join(break_, texts);
        Py_XDECREF(break_);
    }
    Py_XDECREF(texts);
    return found;
}

/* A turn of a role and a content, or parts, each once. */
static PyObject *read_turn(Line *line, PyObject *make, PyObject *roles) {
    PyObject *part[2] = {NULL, NULL}, *found = NULL;
    int has_parts = 0;
    if (!is_next(line, '{')) return NULL;
    for (int k = 0; k < 2; k++) {
        if ((k && !is_next(line, ',')) || !is_next(line, '"')) goto done;
        if (!part[0] && is_word(line, "role\"")) {
            PyObject *given = is_next(line, ':') ? read_string(line) : NULL;
            part[0] = given ? Py_XNewRef(PyDict_GetItemWithError(roles, given)) : NULL;
            Py_XDECREF(given);
            if (!part[0]) goto done;
        } else {
            int is_content = is_word(line, "content\"");
            if (part[1] || !(is_content || is_word(line, "parts\"")) || !is_next(line, ':')) goto done;
            has_parts = !is_content || next_byte(line) != '"';
            if (!(part[1] = has_parts ? read_parts(line) : read_string(line))) goto done;
        }
    }
    if (has_parts && !PyUnicode_CompareWithASCIIString(part[0], "tool")) goto done; /* which are results */
    if (is_next(line, '}')) found = PyObject_Vectorcall(make, part, 2, NULL);
done:
    Py_XDECREF(part[0]);
    Py_XDECREF(part[1]);
    return found;
}

/* The turns of a whole text, at least one; NULL, mostly with no error, where any is odd. */
static PyObject *read_turns(Line *line, PyObject *make, PyObject *roles) {
    PyObject *found = is_next(line, '[') ? PyList_New(0) : NULL;
    int fits = found != NULL;
    do {
        PyObject *turn = fits ? read_turn(line, make, roles) : NULL;
        fits = turn && PyList_Append(found, turn) == 0;
        Py_XDECREF(turn);
    } while (fits && is_next(line, ','));
    if (fits && is_next(line, ']') && !next_byte(line) && line->at == line->end) return found;
    Py_XDECREF(found);
    return NULL;
}

#endif
