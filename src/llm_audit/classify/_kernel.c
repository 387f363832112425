/* Scans packed UTF-8 texts: counts characters by class, hashes words and word pairs, and adds up the integer weights of
   the distinct ones. features.py defines the hash and gives the same integers in NumPy. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKET_BITS 16
#define WORD_BUCKETS ((uint32_t)1 << BUCKET_BITS)
#define BUCKETS (2 * WORD_BUCKETS) /* words, then pairs */
#define BASE 0x9E3779B97F4A7C15ULL
#define MIX 0xD6E8FEB86659FD93ULL
#define PAIR 0xA0761D6478BD642FULL
#define LONG_WORD_BYTES 8
#define AHEAD 12

enum { LOWER, UPPER, DIGITS, SPACES, NEWLINES, LATIN = 16, ALPHABETIC, IDEOGRAPHIC, SYMBOLS,
       WORDS, LONG_WORDS, NUMBERS, OPTIONS, FEATURES, COUNTS };

typedef struct {
    const int16_t *table;
    Py_ssize_t columns;
    int32_t *sums, *counts;
    uint32_t *stamps, stamp, *rows; /* rows: those hit so far, in order of first hit */
    uint64_t previous;
    int has_previous;
} Text;

static uint64_t mix(uint64_t h) { return (h ^ (h >> 32)) * MIX; }

static int in_word(int kind) { return kind <= DIGITS || kind == LATIN || kind == ALPHABETIC; }

static void hit(Text *text, uint64_t hash, uint32_t first) {
    uint32_t row = first + (uint32_t)(hash >> (64 - BUCKET_BITS));
    if (text->stamps[row] == text->stamp) return;
    text->stamps[row] = text->stamp;
    text->rows[text->counts[FEATURES]++] = row;
}

/* The table is larger than the nearer caches: fetch rows some steps ahead of their use. */
static void add_rows(Text *text) {
    int32_t hits = text->counts[FEATURES];
    for (int32_t i = 0; i < hits; i++) {
#if defined(__GNUC__)
        if (i + AHEAD < hits) __builtin_prefetch(text->table + (Py_ssize_t)text->rows[i + AHEAD] * text->columns);
#endif
        const int16_t *weights = text->table + (Py_ssize_t)text->rows[i] * text->columns;
        for (Py_ssize_t k = 0; k < text->columns; k++) text->sums[k] += weights[k];
    }
}

static void end_word(Text *text, uint64_t hash, Py_ssize_t bytes, Py_ssize_t digits) {
    hash = mix(hash);
    text->counts[WORDS]++;
    text->counts[LONG_WORDS] += bytes >= LONG_WORD_BYTES;
    text->counts[NUMBERS] += digits == bytes;
    hit(text, hash, 0);
    if (text->has_previous) hit(text, mix(text->previous * PAIR + hash), WORD_BUCKETS);
    text->previous = hash;
    text->has_previous = 1;
}

static void scan_text(Text *text, const uint8_t *data, Py_ssize_t length, const uint8_t *classes, const uint8_t *folded) {
    uint64_t hash = 0, power = 1;
    Py_ssize_t bytes = 0, digits = 0;
    int kind = NEWLINES, previous = NEWLINES;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (classes[data[i]] != 255) { /* a character begins */
            previous = kind;
            kind = classes[data[i]];
            text->counts[kind]++;
            if (bytes && (!in_word(kind) || !in_word(previous))) {
                end_word(text, hash, bytes, digits);
                hash = 0, power = 1, bytes = 0, digits = 0;
            }
        }
        if (in_word(kind) || kind == IDEOGRAPHIC) {
            hash += folded[data[i]] * power;
            power *= BASE;
            bytes++;
            digits += kind == DIGITS;
        }
    }
    if (bytes) end_word(text, hash, bytes, digits);
    add_rows(text);
    for (Py_ssize_t i = 0; i + 2 < length; i++)
        text->counts[OPTIONS] += data[i] == '\n' && (data[i + 1] | 32) >= 'a' && (data[i + 1] | 32) <= 'j' &&
                                 (data[i + 2] == '.' || data[i + 2] == ')');
}

static PyObject *scan(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer data, starts, classes, folded, table, sums, counts;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*w*w*", &data, &starts, &classes, &folded, &table, &sums, &counts)) return NULL;
    Py_ssize_t texts = starts.len / 8 - 1, columns = table.len / 2 / BUCKETS;
    const int64_t *at = starts.buf;
    uint32_t *stamps = NULL, *rows = NULL;
    int fits = texts >= 0 && at[0] == 0 && at[texts] == data.len && classes.len == 256 && folded.len == 256 &&
               sums.len == texts * columns * 4 && counts.len == texts * COUNTS * 4 && texts < UINT32_MAX;
    for (Py_ssize_t i = 0; fits && i < texts; i++) fits = at[i] <= at[i + 1];
    if (!fits) PyErr_SetString(PyExc_ValueError, "buffers do not fit each other");
    else if (!(stamps = calloc(BUCKETS, sizeof *stamps)) ||
             !(rows = malloc(sizeof *rows * BUCKETS))) PyErr_NoMemory();
    else {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < texts; i++) {
            Text text = {table.buf, columns, (int32_t *)sums.buf + i * columns, (int32_t *)counts.buf + i * COUNTS,
                         stamps, (uint32_t)i + 1, rows, 0, 0};
            scan_text(&text, (const uint8_t *)data.buf + at[i], at[i + 1] - at[i], classes.buf, folded.buf);
            text.counts[NEWLINES]--; /* the newline that pack() appended */
        }
        Py_END_ALLOW_THREADS
    }
    free(stamps);
    free(rows);
    Py_buffer *buffers[] = {&data, &starts, &classes, &folded, &table, &sums, &counts};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) PyBuffer_Release(buffers[i]);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"scan", scan, METH_VARARGS, "Fill sums and counts for packed texts."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModule_Create(&module); }
