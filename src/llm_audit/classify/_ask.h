/* Finds the part of a plain text that asks, where the rest is a document. context.py does the same in Python, and for
   whatever is not decided here. */
#ifndef LLM_AUDIT_ASK_H
#define LLM_AUDIT_ASK_H
#include <Python.h>

#include "_search.h"

#define WIDE_QUESTION 0xFF1F

/* Prepared words, and the sizes that decide what is done with a text. */
typedef struct {
    Words *chores;
    const Words *tags, *rework, *surely_rework, *polite, *requests, *assent, *reference;
    Py_ssize_t edge, follow_up_chars, long_chars, paragraph_chars, pasted_chars;
    PyObject *labels;
} Plan;

typedef struct {
    int kind;
    const void *data;
} Chars;

static Py_UCS4 char_at(Chars text, Py_ssize_t at) { return PyUnicode_READ(text.kind, text.data, at); }

static int is_letter(Py_UCS4 c) { return c > 127 || Py_ISALNUM(c) || c == '_'; }

static Py_ssize_t first_letter(Chars text, Py_ssize_t at, Py_ssize_t to) {
    while (at < to && !is_letter(char_at(text, at))) at++;
    return at;
}

/* Whether a text, after characters that are no part of a word, may begin with one of the words. */
static int begins_text(const Words *words, Chars text, Py_ssize_t at, Py_ssize_t to) {
    return begins_at(words, text.kind, text.data, first_letter(text, at, to), to);
}

/* The characters of the longest of the words that text[at:to] begins with, in any case; 0 where it begins with none. */
static Py_ssize_t beginning(const Words *words, Chars text, Py_ssize_t at, Py_ssize_t to) {
    Py_ssize_t longest = 0;
    if (at >= to || !words->begins[folded(text.kind, text.data, at)]) return 0;
    for (int word = 0; word < words->count; word++) {
        Py_ssize_t length = words->length[word], k = 0;
        if (length <= longest || length > to - at) continue;
        while (k < length && folded(text.kind, text.data, at + k) == words->letters[word][k]) k++;
        if (k == length) longest = length;
    }
    return longest;
}

/* Whether a paragraph begins with a request; -1 where a pattern has to say. */
static int requests(const Plan *plan, Chars text, Py_ssize_t from, Py_ssize_t to) {
    Py_ssize_t at = first_letter(text, from, to), length = beginning(plan->requests, text, at, to);
    if (!length) return begins_at(plan->requests, text.kind, text.data, at, to) ? -1 : 0;
    return at + length == to || !is_letter(char_at(text, at + length)) ? 1 : -1;
}

/* Whether a paragraph asks for something; -1 where a pattern has to say. */
static int asks(const Plan *plan, Chars text, Py_ssize_t from, Py_ssize_t to) {
    Py_ssize_t end = to;
    while (end > from && Py_UNICODE_ISSPACE(char_at(text, end - 1))) end--;
    Py_UCS4 last = end > from ? char_at(text, end - 1) : 0;
    return last == '?' || last == ':' || last == WIDE_QUESTION ? 1 : requests(plan, text, from, to);
}

/* Whether a text begins with an ask to rework what follows its first paragraph; -1 where a pattern has to say. */
static int reworks(const Plan *plan, Chars text, Py_ssize_t from, Py_ssize_t end) {
    Py_ssize_t at = first_letter(text, from, end), place = at;
    for (Py_ssize_t k = from; k < end; k++)
        if (char_at(text, k) > 127) return -1; /* words of other scripts may stand anywhere in its first line */
    if (at == end) return -1;
    if (!begins_at(plan->rework, text.kind, text.data, at, end)) return 0;
    place += beginning(plan->polite, text, at, end);
    return beginning(plan->surely_rework, text, place, end) ? 1 : -1;
}

/* Where the first empty line of text[from:to] begins, or the last; -1 where there is none. */
static Py_ssize_t empty_line(PyObject *text, Py_ssize_t from, Py_ssize_t to, int direction) {
    Py_ssize_t at = from;
    while ((at = PyUnicode_FindChar(text, '\n', direction > 0 ? at : from, to, direction)) >= 0) {
        if (direction > 0 ? at + 1 < to && PyUnicode_READ_CHAR(text, at + 1) == '\n'
                          : at > from && PyUnicode_READ_CHAR(text, at - 1) == '\n') return direction > 0 ? at : at - 1;
        if (direction > 0) at++;
        else to = at;
    }
    return -1;
}

/* Two parts of a text as lines, either of which may be empty. */
static PyObject *lines_of(PyObject *text, Py_ssize_t from, Py_ssize_t to, Py_ssize_t again, Py_ssize_t end) {
    if (from == to) return PyUnicode_Substring(text, again, end);
    PyObject *first = PyUnicode_Substring(text, from, to);
    if (!first || again == end) return first;
    PyObject *second = PyUnicode_Substring(text, again, end);
    PyObject *found = second ? PyUnicode_FromFormat("%U\n%U", first, second) : NULL;
    Py_DECREF(first);
    Py_XDECREF(second);
    return found;
}

/* The part of text[from:to] that asks; NULL, without an error, where that is not decided here. */
static PyObject *ask_of(const Plan *plan, PyObject *text, Py_ssize_t from, Py_ssize_t to) {
    Chars chars = {PyUnicode_KIND(text), PyUnicode_DATA(text)};
    Py_ssize_t end = empty_line(text, from, to, 1);
    Py_ssize_t head = to, tail = to; /* the parts that ask are text[from:head] and text[tail:to] */
    if (end >= 0 && to - from > plan->long_chars) {
        Py_ssize_t last = empty_line(text, end + 2, to, -1), start = (last < 0 ? end : last) + 2;
        int first = end - from <= plan->paragraph_chars ? asks(plan, chars, from, end) : 0;
        int second = to - start <= plan->paragraph_chars ? asks(plan, chars, start, to) : 0;
        if (first < 0 || second < 0) return NULL;
        if (first || second) head = first ? end : from, tail = second ? start : to;
    } else if (end >= 0 && end - from <= plan->paragraph_chars && to - end > plan->pasted_chars) {
        int is_rework = reworks(plan, chars, from, end), asks_more = 0;
        Py_ssize_t start = is_rework ? empty_line(text, end, to, -1) + 2 : to;
        if (is_rework > 0 && to - start <= plan->pasted_chars) asks_more = requests(plan, chars, start, to);
        if (is_rework < 0 || asks_more < 0) return NULL;
        if (is_rework) head = end, tail = asks_more ? start : to;
    }
    Py_ssize_t first = head > from ? from : tail, length = head - from + (head > from && tail < to) + to - tail;
    if (length <= plan->follow_up_chars && begins_text(plan->assent, chars, first, to)) return NULL;
    if (length <= plan->follow_up_chars && length == to - from && begins_text(plan->reference, chars, from, to)) return NULL;
    return lines_of(text, from, head, tail, to);
}

#endif
