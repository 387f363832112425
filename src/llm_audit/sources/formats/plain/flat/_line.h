/* Walks the text of a JSON line, sixteen bytes at a time where the machine can. What is odd in any way is not read. */
#ifndef LLM_AUDIT_LINE_H
#define LLM_AUDIT_LINE_H
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define MAX_DIGITS 18
#define VECTOR_BYTES 16

typedef struct {
    const uint8_t *at, *end; /* a NUL or a line break follows the end */
    uint8_t *scratch; /* as long as what is left of the line, and a vector */
} Line;

typedef struct {
    const uint8_t *data;
    Py_ssize_t length;
    int beyond; /* ASCII */
} Text;

/* Copy to the first quotation mark, backslash or control character, and note bytes beyond ASCII. */
static const uint8_t *copy_run(const uint8_t *at, const uint8_t *end, uint8_t **to, int *beyond) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
    while (end - at >= VECTOR_BYTES) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        _mm_storeu_si128((__m128i *)*to, bytes);
        __m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                   _mm_cmpeq_epi8(_mm_max_epu8(bytes, control), control));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd), high = (unsigned)_mm_movemask_epi8(bytes);
        if (mask) {
            int length = __builtin_ctz(mask);
            *beyond |= (high & ((1u << length) - 1)) != 0;
            *to += length;
            return at + length;
        }
        *beyond |= high != 0, at += VECTOR_BYTES, *to += VECTOR_BYTES;
    }
#endif
    for (; at < end && *at != '"' && *at != '\\' && *at > 0x1F; at++) *beyond |= *at >> 7, *(*to)++ = *at;
    return at;
}

static int hex4(const uint8_t *at, const uint8_t *end, unsigned *code) {
    if (end - at < 4) return 0;
    *code = 0;
    for (int k = 0; k < 4; k++) {
        unsigned c = at[k], letter = c | 32;
        if (c >= '0' && c <= '9') c -= '0';
        else if (letter >= 'a' && letter <= 'f') c = letter - 'a' + 10;
        else return 0;
        *code = *code << 4 | c;
    }
    return 1;
}

static uint8_t *put(uint8_t *to, unsigned code) {
    if (code < 0x80) return *to = (uint8_t)code, to + 1;
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (uint8_t)(0xFFu << (7 - more) | code >> 6 * more);
    while (more--) *to++ = (uint8_t)(0x80 | (code >> 6 * more & 0x3F));
    return to;
}

/* Read what follows a backslash; 0 where it is no escape, or half of a surrogate pair. */
static int unescape(Line *line, uint8_t **to, int *beyond) {
    static const uint8_t meant[256] = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b',
                                       ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    if (line->at == line->end) return 0;
    uint8_t c = *line->at++;
    if (c != 'u') {
        if (meant[c]) *(*to)++ = meant[c];
        return meant[c] != 0;
    }
    unsigned code, low;
    if (!hex4(line->at, line->end, &code)) return 0;
    line->at += 4;
    if (code >= 0xDC00 && code < 0xE000) return 0;
    if (code >= 0xD800 && code < 0xDC00) {
        if (line->end - line->at < 6 || line->at[0] != '\\' || line->at[1] != 'u') return 0;
        if (!hex4(line->at + 2, line->end, &low) || low < 0xDC00 || low >= 0xE000) return 0;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        line->at += 6;
    }
    *beyond |= code >= 0x80;
    *to = put(*to, code);
    return 1;
}

/* Read a text whose quotation mark has been read, into the scratch. */
static inline int read_text(Line *line, Text *text) {
    uint8_t *to = line->scratch;
    text->beyond = 0;
    for (;;) {
        line->at = copy_run(line->at, line->end, &to, &text->beyond);
        if (line->at == line->end || *line->at < ' ') return 0;
        if (*line->at++ == '"') break;
        if (!unescape(line, &to, &text->beyond)) return 0;
    }
    text->data = line->scratch, text->length = to - line->scratch;
    return 1;
}

/* NULL, with no error, where it is not UTF-8. */
static inline PyObject *as_unicode(const Text *text) {
    if (text->beyond) {
        PyObject *found = PyUnicode_DecodeUTF8((const char *)text->data, text->length, NULL);
        if (!found && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) PyErr_Clear();
        return found;
    }
    PyObject *found = PyUnicode_New(text->length, 127);
    if (found && text->length) memcpy(PyUnicode_1BYTE_DATA(found), text->data, (size_t)text->length);
    return found;
}

static uint8_t next_byte(Line *line) { /* that is no blank; 0 at the end */
    while (line->at < line->end && (*line->at == ' ' || *line->at == '\t' || *line->at == '\r' || *line->at == '\n')) line->at++;
    return line->at < line->end ? *line->at : 0;
}

static int is_next(Line *line, char c) { return next_byte(line) == (uint8_t)c && line->at++; }

static inline int is_word(Line *line, const char *word) {
    Py_ssize_t length = (Py_ssize_t)strlen(word);
    if (line->end - line->at < length || memcmp(line->at, word, (size_t)length)) return 0;
    line->at += length;
    return 1;
}

static const uint8_t *digits(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

typedef struct {
    int is_whole;
    long long whole;
    double real;
} Number;

static inline int read_numeric(Line *line, Number *number) {
    const uint8_t *start = line->at, *whole = start + (*start == '-'), *at = digits(whole, line->end), *point = at;
    if (at == whole || (*whole == '0' && at - whole > 1)) return 0;
    if (at < line->end && *at == '.' && (at = digits(point + 1, line->end)) == point + 1) return 0;
    if (at < line->end && (*at | 32) == 'e') {
        const uint8_t *power = at + 1;
        if (power < line->end && (*power == '+' || *power == '-')) power++;
        if ((at = digits(power, line->end)) == power) return 0;
    }
    line->at = at;
    number->is_whole = at == point;
    if (number->is_whole) {
        long long value = 0;
        if (point - whole > MAX_DIGITS || (whole > start && *whole == '0')) return 0;
        for (; whole < point; whole++) value = 10 * value + (*whole - '0');
        number->whole = *start == '-' ? -value : value;
        return 1;
    }
    char *stop;
    number->real = PyOS_string_to_double((const char *)start, &stop, NULL);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return (const uint8_t *)stop == at && isfinite(number->real);
}

/* The place among so many keys of the one that is next, expected first; -1 where it is not known. Each key ends with its
   quotation mark. */
static inline Py_ssize_t read_key(Line *line, Py_ssize_t count, const char *const *key, const Py_ssize_t *length, Py_ssize_t expected) {
    if (!is_next(line, '"')) return -1;
    for (Py_ssize_t n = 0; n < count; n++) {
        Py_ssize_t k = (expected + n) % count;
        if (line->end - line->at < length[k] || memcmp(line->at, key[k], (size_t)length[k])) continue;
        line->at += length[k];
        return is_next(line, ':') ? k : -1;
    }
    return -1;
}

#endif
