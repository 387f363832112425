/* Searches for words in lower case: those of groups in the ends of a text, and those that a text begins with. */
#ifndef LLM_AUDIT_SEARCH_H
#define LLM_AUDIT_SEARCH_H
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define SEARCH_STEP 2 /* three characters of any word begin at a multiple of it, so only such places are looked at */
#define HEAD (SEARCH_STEP + 2) /* the shortest word of a group */
#define MAX_LETTERS 32
#define MAX_WORDS 64
#define MAX_GROUPS 8
#define KNOWN 64
#define MAX_KNOWN_CHARS (1 << 14)

typedef struct {
    uint32_t places[MAX_GROUPS][32 * 32]; /* by two characters, upper and lower case as one, the third ones as bits */
    uint32_t heads[MAX_WORDS]; /* apart from the rest, since they are all that is mostly looked at */
    uint8_t letters[MAX_WORDS][MAX_LETTERS], group[MAX_WORDS], begins[128];
    Py_ssize_t length[MAX_WORDS];
    int count, groups;
    struct { PyObject *text; int found; } known[KNOWN]; /* texts that a log repeats */
} Words;

/* The characters of a text, as Python's texts hold them. */
typedef struct {
    int kind;
    const void *data;
} Chars;

static Chars chars_of(PyObject *text) { return (Chars){PyUnicode_KIND(text), PyUnicode_DATA(text)}; }

/* A character in lower case; 0 beyond ASCII. */
static inline uint8_t folded(int kind, const void *data, Py_ssize_t at) {
    Py_UCS4 c = PyUnicode_READ(kind, data, at);
    return c >= 'A' && c <= 'Z' ? c + 32 : c < 128 ? c : 0;
}

static int matches(const Words *words, int word, int kind, const void *data, Py_ssize_t at) {
    Py_ssize_t k = HEAD;
    while (k < words->length[word] && folded(kind, data, at + k) == words->letters[word][k]) k++;
    return k == words->length[word];
}

static int at_place(const Words *words, int group, int kind, const void *data, Py_ssize_t at, Py_ssize_t to) {
    uint32_t head = 0;
    for (int k = 0; k < HEAD; k++) head = head << 8 | folded(kind, data, at + k);
    for (int k = 0; k < words->count; k++)
        if (words->heads[k] == head && words->group[k] == group && words->length[k] <= to - at &&
            matches(words, k, kind, data, at)) return 1;
    return 0;
}

/* Pass over bytes where no word of a group is, three places at once, where the machine's words begin with their low byte. */
static inline Py_ssize_t pass_over(const uint32_t *places, const uint8_t *data, Py_ssize_t at, Py_ssize_t to) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (uint64_t c, pairs; to - at >= 8; at += 3 * SEARCH_STEP) {
        memcpy(&c, data + at, 8);
        c &= 0x1F1F1F1F1F1F1F1FU;
        pairs = (c & 0xFF00FF00FF00FFU) << 5 | (c >> 8 & 0xFF00FF00FF00FFU);
        if ((places[pairs & 1023] >> (c >> 16 & 31) | places[pairs >> 16 & 1023] >> (c >> 32 & 31) |
             places[pairs >> 32 & 1023] >> (c >> 48 & 31)) & 1) break;
    }
#endif
    return at;
}

static inline int search(const Words *words, int group, const int kind, const void *data, Py_ssize_t from, Py_ssize_t to) {
    const uint32_t *places = words->places[group];
    for (Py_ssize_t i = from; i + 2 < to; i += SEARCH_STEP) {
        if (kind == PyUnicode_1BYTE_KIND && (i = pass_over(places, data, i, to)) + 2 >= to) break;
        uint32_t pair = (PyUnicode_READ(kind, data, i) & 31) << 5 | (PyUnicode_READ(kind, data, i + 1) & 31);
        if (!(places[pair] >> (PyUnicode_READ(kind, data, i + 2) & 31) & 1)) continue;
        for (int k = 0; k < SEARCH_STEP; k++)
            if (i - k >= from && i - k + HEAD <= to && at_place(words, group, kind, data, i - k, to)) return 1;
    }
    return 0;
}

/* Whether data[from:to] holds a word of a group. */
static int holds(const Words *words, int group, int kind, const void *data, Py_ssize_t from, Py_ssize_t to) {
    switch (kind) { /* a search of its own for each width of characters */
    case PyUnicode_1BYTE_KIND: return search(words, group, PyUnicode_1BYTE_KIND, data, from, to);
    case PyUnicode_2BYTE_KIND: return search(words, group, PyUnicode_2BYTE_KIND, data, from, to);
    default: return search(words, group, PyUnicode_4BYTE_KIND, data, from, to);
    }
}

/* Whether the ends of a text hold a word of each group. */
static int has_words(const Words *words, Py_ssize_t edge, Chars text, Py_ssize_t length) {
    int whole = length <= edge || length - edge <= edge;
    for (int group = 0; group < words->groups; group++) {
        if (holds(words, group, text.kind, text.data, 0, whole ? length : edge)) continue;
        if (whole || !holds(words, group, text.kind, text.data, length - edge, length)) return 0;
    }
    return 1;
}

/* Whether a clause of data[from:to], up to a full stop or a line's end, holds a word of each group, or may do so: it has a
   letter beyond ASCII that stands for one of ASCII. */
static int has_clause(const Words *words, Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (Py_ssize_t at = from; from < to; from = ++at) {
        for (Py_UCS4 c = 0; at < to && (c = PyUnicode_READ(text.kind, text.data, at)) != '.' && c != '\n'; at++)
            if (c == 0x130 || c == 0x131 || c == 0x17F || c == 0x212A) return 1;
        int group = 0;
        while (group < words->groups && holds(words, group, text.kind, text.data, from, at)) group++;
        if (group == words->groups) return 1;
    }
    return 0;
}

/* Whether a clause of an end of a text may hold a word of each group. */
static int may_be_chore(const Words *words, Py_ssize_t edge, Chars text, Py_ssize_t length) {
    if (!has_words(words, edge, text, length)) return 0;
    if (length <= 2 * edge) return has_clause(words, text, 0, length);
    return has_clause(words, text, 0, edge) || has_clause(words, text, length - edge, length);
}

/* The same for a text that many requests repeat, such as a system prompt. */
static inline int repeated_may_be_chore(Words *words, Py_ssize_t edge, PyObject *text) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (!length || length > MAX_KNOWN_CHARS) return may_be_chore(words, edge, chars_of(text), length);
    size_t slot = ((size_t)length + 7 * PyUnicode_READ_CHAR(text, length - 1) + PyUnicode_READ_CHAR(text, length / 2)) % KNOWN;
    PyObject *known = words->known[slot].text;
    if (known && PyUnicode_GET_LENGTH(known) == length && PyUnicode_KIND(known) == PyUnicode_KIND(text) &&
        !memcmp(PyUnicode_DATA(known), PyUnicode_DATA(text), (size_t)(length * PyUnicode_KIND(text))))
        return words->known[slot].found;
    Py_INCREF(text);
    Py_XSETREF(words->known[slot].text, text);
    return words->known[slot].found = may_be_chore(words, edge, chars_of(text), length);
}

/* Whether data[at:to] may begin with one of the words, in any case: a character beyond ASCII may stand for a letter. */
static int begins_at(const Words *words, int kind, const void *data, Py_ssize_t at, Py_ssize_t to) {
    if (at >= to) return 0;
    Py_UCS4 first = PyUnicode_READ(kind, data, at);
    if (first > 127) return 1;
    if (!words->begins[folded(kind, data, at)]) return 0;
    for (int word = 0; word < words->count; word++) {
        Py_ssize_t k = 0;
        while (k < words->length[word] && at + k < to && folded(kind, data, at + k) == words->letters[word][k]) k++;
        if (k == words->length[word] || (at + k < to && PyUnicode_READ(kind, data, at + k) > 127)) return 1;
    }
    return 0;
}

/* Add a word; a group is -1 where its words are to begin a text, and may be short. */
static inline int add_word(Words *words, PyObject *word, int group) {
    Py_ssize_t length;
    const char *letters = PyUnicode_AsUTF8AndSize(word, &length);
    if (!letters) return 0;
    if (words->count == MAX_WORDS || length < (group < 0 ? 1 : HEAD) || length > MAX_LETTERS || length != PyUnicode_GET_LENGTH(word)) {
        PyErr_SetString(PyExc_ValueError, "a word has 4 to 32 ASCII characters, and there are 64 at most");
        return 0;
    }
    int added = words->count++;
    memcpy(words->letters[added], letters, length);
    words->length[added] = length, words->begins[(uint8_t)letters[0]] = 1;
    if (group < 0) return 1;
    words->group[added] = (uint8_t)group;
    for (int k = 0; k < HEAD; k++) words->heads[added] = words->heads[added] << 8 | (uint8_t)letters[k];
    for (int k = 0; k < SEARCH_STEP; k++)
        words->places[group][(letters[k] & 31) << 5 | (letters[k + 1] & 31)] |= 1u << (letters[k + 2] & 31);
    return 1;
}

#endif
