/* Finds what an ask may be about: fenced code, tagged documents, examples, lines that put a question after documents.
   context.py takes them away. */
#ifndef LLM_AUDIT_CONTEXT_H
#define LLM_AUDIT_CONTEXT_H
#include <Python.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "_search.h"

#define CASELESS 0x3000 /* letters from here on have one case */
#define WIDE_COLON 0xFF1A
#define LABEL 24 /* characters in which a line has its label */
#define MAX_LABELS 64
#define AT_ONCE 32
#define FENCE 3
#define FEWEST_WORDS 3 /* around fences that say what to do with what is in them */

static inline Py_UCS4 char_at(Chars text, Py_ssize_t at) { return PyUnicode_READ(text.kind, text.data, at); }

/* Where one of two characters is that are wider than a byte, or the end: many at once are passed over. */
#ifdef __SSE2__
#define FIND_WIDE(name, type, spread, equal, together)                                                                   \
    static inline __m128i name##_mask(const type *data, __m128i c, __m128i other) {                                      \
        __m128i some = _mm_loadu_si128((const __m128i *)data);                                                           \
        return _mm_or_si128(equal(some, c), equal(some, other));                                                         \
    }                                                                                                                    \
    static Py_ssize_t name(const type *data, Py_UCS4 c, Py_UCS4 other, Py_ssize_t from, Py_ssize_t to) {                 \
        const __m128i first = spread((int)c), second = spread((int)other);                                               \
        const Py_ssize_t vector = 16 / sizeof(type);                                                                     \
        for (; to - from >= 2 * vector; from += 2 * vector) {                                                            \
            __m128i low = name##_mask(data + from, first, second), high = name##_mask(data + from + vector, first, second); \
            unsigned found = (unsigned)_mm_movemask_epi8(together(low, high));                                           \
            if (found) return from + __builtin_ctz(found) * 2 * vector / 16;                                             \
        }                                                                                                                \
        while (from < to && data[from] != c && data[from] != other) from++;                                              \
        return from;                                                                                                     \
    }
FIND_WIDE(find_in_two_bytes, Py_UCS2, _mm_set1_epi16, _mm_cmpeq_epi16, _mm_packs_epi16)
FIND_WIDE(find_in_four_bytes, Py_UCS4, _mm_set1_epi32, _mm_cmpeq_epi32, _mm_packs_epi32)
#else
#define FIND_WIDE(name, type)                                                                            \
    static Py_ssize_t name(const type *data, Py_UCS4 c, Py_UCS4 other, Py_ssize_t from, Py_ssize_t to) { \
        for (int any = 0; to - from >= AT_ONCE; from += AT_ONCE) {                                       \
            for (int k = 0; k < AT_ONCE; k++) any |= (data[from + k] == c) | (data[from + k] == other);  \
            if (any) break;                                                                              \
        }                                                                                                \
        while (from < to && data[from] != c && data[from] != other) from++;                              \
        return from;                                                                                     \
    }
FIND_WIDE(find_in_two_bytes, Py_UCS2)
FIND_WIDE(find_in_four_bytes, Py_UCS4)
#endif

/* Where the first of two characters of a text is that is not of single bytes; -1 for none. */
static Py_ssize_t find_either(Chars text, Py_UCS4 c, Py_UCS4 other, Py_ssize_t from, Py_ssize_t to) {
    Py_ssize_t at = text.kind == PyUnicode_2BYTE_KIND ? find_in_two_bytes(text.data, c, other, from, to)
                                                      : find_in_four_bytes(text.data, c, other, from, to);
    return at < to ? at : -1;
}

/* Where the first such character of text[from:to] is, or -1. */
static Py_ssize_t find_char(Chars text, Py_UCS4 c, Py_ssize_t from, Py_ssize_t to) {
    if (from >= to) return -1;
    if (text.kind == PyUnicode_1BYTE_KIND) {
        const char *start = text.data, *found = c < 256 ? memchr(start + from, (int)c, (size_t)(to - from)) : NULL;
        return found ? found - start : -1;
    }
    return find_either(text, c, c, from, to);
}

static Py_ssize_t find_last_char(Chars text, Py_UCS4 c, Py_ssize_t from, Py_ssize_t to) {
#ifdef __GLIBC__
    if (text.kind == PyUnicode_1BYTE_KIND && c < 256 && to > from) {
        const char *start = text.data, *found = memrchr(start + from, (int)c, (size_t)(to - from));
        return found ? found - start : -1;
    }
#endif
    while (to > from && char_at(text, to - 1) != c) to--;
    return to > from ? to - 1 : -1;
}

static void strip(Chars text, Py_ssize_t *from, Py_ssize_t *to) {
    while (*from < *to && Py_UNICODE_ISSPACE(char_at(text, *from))) ++*from;
    while (*from < *to && Py_UNICODE_ISSPACE(char_at(text, *to - 1))) --*to;
}

/* Whether a letter may be one of a word in lower case, under any folding of case: beyond ASCII some fold to others. */
static int may_be(Py_UCS4 c, Py_UCS4 letter) {
    if (c < 128) return (c >= 'A' && c <= 'Z' ? c + 32 : c) == letter;
    if (c == 0x130 || c == 0x131 || c == 0x17F || c == 0x212A) return 1; /* they fold to ASCII */
    return c < CASELESS ? letter >= 128 : c == letter;
}

/* Words in lower case that stand before a colon, and which of them end with each letter of ASCII. */
typedef struct {
    Chars word[MAX_LABELS];
    Py_ssize_t length[MAX_LABELS];
    uint64_t ends[128], all;
} Labels;

/* Read a tuple of words, which it borrows; 0 and an error where it is none. */
static int read_labels(PyObject *words, Labels *labels) {
    Py_ssize_t count = PyTuple_Check(words) ? PyTuple_GET_SIZE(words) : MAX_LABELS + 1;
    *labels = (Labels){.all = 0};
    for (Py_ssize_t k = 0; k < count; k++) {
        PyObject *word = count <= MAX_LABELS ? PyTuple_GET_ITEM(words, k) : NULL;
        if (!word || !PyUnicode_Check(word) || !PyUnicode_GET_LENGTH(word)) {
            PyErr_SetString(PyExc_TypeError, "labels are a tuple of at most 64 words in lower case");
            return 0;
        }
        labels->word[k] = chars_of(word), labels->length[k] = PyUnicode_GET_LENGTH(word), labels->all |= (uint64_t)1 << k;
        Py_UCS4 last = char_at(labels->word[k], labels->length[k] - 1);
        if (last < 128) labels->ends[last] |= (uint64_t)1 << k;
    }
    return 1;
}

/* Whether text[from:end] ends with a label that is no part of a longer word. */
static int ends_with(const Labels *labels, int label, Chars text, Py_ssize_t from, Py_ssize_t end) {
    Py_ssize_t length = labels->length[label];
    if (length > end - from) return 0;
    Py_UCS4 before = end - length > from ? char_at(text, end - length - 1) : 0;
    if (before == '_' || Py_UNICODE_ISALNUM(before)) return 0;
    for (Py_ssize_t k = 1; k <= length; k++)
        if (!may_be(char_at(text, end - k), char_at(labels->word[label], length - k))) return 0;
    return 1;
}

/* Whether one of the words may stand before a colon of text[from:to], with blanks and asterisks between. */
static int before_colon(const Labels *labels, Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (Py_ssize_t i = from, end; i < to; i++) {
        int is_narrow = text.kind == PyUnicode_1BYTE_KIND;
        i = is_narrow ? find_char(text, ':', i, to) : find_either(text, ':', WIDE_COLON, i, to);
        if (i < 0) break;
        Py_UCS4 c = 128;
        for (end = i; end > from; end--) {
            c = char_at(text, end - 1);
            if (c != '*' && !Py_UNICODE_ISSPACE(c)) break;
        }
        uint64_t may = c < 128 ? labels->ends[c >= 'A' && c <= 'Z' ? c + 32 : c] : labels->all;
        for (int k = 0; may; k++, may >>= 1)
            if ((may & 1) && ends_with(labels, k, text, from, end)) return 1;
    }
    return 0;
}

/* Whether text[from:to] may hold one of the tags. */
static int has_tag(const Words *tags, Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (Py_ssize_t i = from; (i = find_char(text, '<', i, to)) >= 0; i++)
        if (begins_at(tags, text.kind, text.data, i + 1, to)) return 1;
    return 0;
}

/* Whether a line of text[from:to] begins with a quotation mark. */
static int has_quotation(Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (Py_ssize_t i = from; (i = find_char(text, '>', i, to)) >= 0; i++)
        if (i == from || char_at(text, i - 1) == '\n') return 1;
    return 0;
}

/* Whether text[from:to] may hold a closed tag, examples, or documents before a question. */
static int has_documents(const Labels *questions, const Labels *examples, Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (Py_ssize_t i = from; (i = find_char(text, '<', i, to)) >= 0; i++)
        if (i + 1 < to && char_at(text, i + 1) == '/') return 1;
    Py_ssize_t line = find_last_char(text, '\n', from, to), i = line < 0 ? from : line + 1;
    Py_ssize_t end = to - i < LABEL ? to : i + LABEL;
    while (i < end && char_at(text, i) != ':' && char_at(text, i) != WIDE_COLON) i++;
    if (i < end && before_colon(examples, text, from, to)) return 1;
    return line >= 0 && before_colon(questions, text, from, to);
}

static Py_ssize_t find_fence(Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (; (from = find_char(text, '`', from, to)) >= 0 && from + FENCE <= to; from++)
        if (char_at(text, from + 1) == '`' && char_at(text, from + 2) == '`') return from;
    return -1;
}

/* A text without what fences hold, in memory of its own. */
typedef struct {
    char *data;
    int kind;
    Py_ssize_t length, outside; /* characters, and those that stand outside of fences */
    int words, in_word; /* outside, up to FEWEST_WORDS */
} Reduced;

static void add_outside(Reduced *reduced, Chars text, Py_ssize_t from, Py_ssize_t to) {
    size_t size = (size_t)reduced->kind;
    memcpy(reduced->data + (size_t)reduced->length * size, (const char *)text.data + (size_t)from * size, (size_t)(to - from) * size);
    reduced->length += to - from, reduced->outside += to - from;
    for (; from < to && reduced->words < FEWEST_WORDS; from++) {
        int is_space = Py_UNICODE_ISSPACE(char_at(text, from));
        reduced->words += !is_space && !reduced->in_word;
        reduced->in_word = !is_space;
    }
}

static void add_empty_fences(Reduced *reduced) {
    for (const char *c = "``` ```"; *c; c++) PyUnicode_WRITE(reduced->kind, reduced->data, reduced->length++, (Py_UCS4)*c);
}

/* Take away what fences hold, where that is long and words around say what to do with it: 1 where that is done, 0 where
   there is nothing to take away, -1 where memory is out. */
static int reduce(Chars text, Py_ssize_t from, Py_ssize_t to, Py_ssize_t shortest, Reduced *reduced) {
    Py_ssize_t fences = 0, at = from, fence;
    for (Py_ssize_t i = from; (i = find_fence(text, i, to)) >= 0; i += FENCE) fences++;
    if (!fences) return 0;
    *reduced = (Reduced){.kind = text.kind};
    /* an empty fence takes up to seven characters in place of three or more */
    reduced->data = PyMem_Malloc((size_t)(to - from + 4 * fences) * (size_t)text.kind);
    if (!reduced->data) return -1;
    for (Py_ssize_t k = 0; k <= fences; k++, at = fence + FENCE) {
        fence = k < fences ? find_fence(text, at, to) : to;
        if (k % 2) add_empty_fences(reduced);
        else add_outside(reduced, text, at, fence);
    }
    if (to - from - reduced->outside > shortest && reduced->words == FEWEST_WORDS) return 1;
    PyMem_Free(reduced->data);
    return 0;
}

#endif
