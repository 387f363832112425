/* Scans packed UTF-8 texts: counts characters by class, hashes words and word pairs, and adds up the integer weights of
   the distinct ones. Words and pairs of a lexicon are found by their full hash, and their evidence is added up at each
   occurrence. features.py defines the hash and gives the same integers in NumPy. */
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
#define STEM_CHARACTERS 5 /* of words with letters beyond ASCII */
#define AHEAD 12
#define FILTER_BITS 65536
#define FILTER_BIT(hash) ((hash) >> 48)

enum { LOWER, UPPER, DIGITS, SPACES, NEWLINES, LATIN = 16, CYRILLIC, ARABIC, INDIC, ALPHABETIC, KANA, HAN, HANGUL, SYMBOLS,
       WORDS, LONG_WORDS, NUMBERS, OPTIONS, FEATURES, COUNTS };

typedef struct {
    const uint64_t *keys; /* never zero */
    const int16_t *evidence;
    Py_ssize_t labels;
    uint32_t *slots, mask; /* one more than a key's place, zero where empty */
    uint8_t some[FILTER_BITS / 8]; /* bits of the hashes that may be known, in the nearest cache */
} Lexicon;

typedef struct {
    const int16_t *table;
    Py_ssize_t columns;
    const Lexicon *lexicon;
    int32_t *sums, *counts, *found;
    uint32_t *stamps, stamp, *rows; /* rows: those hit so far, in order of first hit */
    uint64_t previous;
    int has_previous;
} Text;

static uint64_t mix(uint64_t h) { return (h ^ (h >> 32)) * MIX; }

static int in_word(int kind) { return kind <= DIGITS || (kind >= LATIN && kind <= ALPHABETIC); }

static int stands_alone(int kind) { return kind >= KANA && kind <= HANGUL; }

static void look_up(Text *text, uint64_t hash) {
    const Lexicon *lexicon = text->lexicon;
    if (!(lexicon->some[FILTER_BIT(hash) >> 3] >> (FILTER_BIT(hash) & 7) & 1)) return;
    for (uint32_t slot = (uint32_t)hash & lexicon->mask; lexicon->slots[slot]; slot = (slot + 1) & lexicon->mask) {
        uint32_t place = lexicon->slots[slot] - 1;
        if (lexicon->keys[place] != hash) continue;
        const int16_t *evidence = lexicon->evidence + (Py_ssize_t)place * lexicon->labels;
        for (Py_ssize_t k = 0; k < lexicon->labels; k++) text->found[k] += evidence[k];
        return;
    }
}

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
    look_up(text, hash);
    if (text->has_previous) {
        uint64_t pair = mix(text->previous * PAIR + hash);
        hit(text, pair, WORD_BUCKETS);
        look_up(text, pair);
    }
    text->previous = hash;
    text->has_previous = 1;
}

static void scan_text(Text *text, const uint8_t *data, Py_ssize_t length, const uint8_t *classes, const uint8_t *folded) {
    uint64_t hash = 0, stem = 0, power = 1;
    Py_ssize_t bytes = 0, digits = 0, characters = 0;
    int kind = NEWLINES, previous = NEWLINES, beyond = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (classes[data[i]] != 255) { /* a character begins */
            previous = kind;
            kind = classes[data[i]];
            text->counts[kind]++;
            if (bytes && (!in_word(kind) || !in_word(previous))) {
                end_word(text, beyond && characters > STEM_CHARACTERS ? stem : hash, bytes, digits);
                hash = 0, power = 1, bytes = 0, digits = 0, characters = 0, beyond = 0;
            }
            if (characters++ == STEM_CHARACTERS) stem = hash;
        }
        if (in_word(kind) || stands_alone(kind)) {
            hash += folded[data[i]] * power;
            power *= BASE;
            bytes++;
            digits += kind == DIGITS;
            beyond |= data[i] >> 7;
        } else characters = 0;
    }
    if (bytes) end_word(text, beyond && characters > STEM_CHARACTERS ? stem : hash, bytes, digits);
    add_rows(text);
    for (Py_ssize_t i = 0; i + 2 < length; i++)
        text->counts[OPTIONS] += data[i] == '\n' && (data[i + 1] | 32) >= 'a' && (data[i + 1] | 32) <= 'j' &&
                                 (data[i + 2] == '.' || data[i + 2] == ')');
}

/* Fill the slots of a lexicon, at most half of them; 0 where memory is out. */
static int prepare(Lexicon *lexicon, Py_ssize_t count) {
    lexicon->mask = 1;
    while (lexicon->mask < 2 * (size_t)count) lexicon->mask = lexicon->mask << 1 | 1;
    lexicon->slots = calloc((size_t)lexicon->mask + 1, sizeof *lexicon->slots);
    if (!lexicon->slots) return 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)lexicon->keys[i] & lexicon->mask;
        while (lexicon->slots[slot]) slot = (slot + 1) & lexicon->mask;
        lexicon->slots[slot] = (uint32_t)i + 1;
        lexicon->some[FILTER_BIT(lexicon->keys[i]) >> 3] |= (uint8_t)(1 << (FILTER_BIT(lexicon->keys[i]) & 7));
    }
    return 1;
}

static PyObject *scan(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer data, starts, classes, folded, table, keys, evidence, sums, counts, found;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*w*w*w*", &data, &starts, &classes, &folded, &table, &keys, &evidence, &sums,
                          &counts, &found)) return NULL;
    Py_ssize_t texts = starts.len / 8 - 1, columns = table.len / 2 / BUCKETS, known = keys.len / 8;
    Py_ssize_t labels = texts > 0 ? found.len / 4 / texts : 0;
    const int64_t *at = starts.buf;
    uint32_t *stamps = NULL, *rows = NULL;
    Lexicon lexicon = {keys.buf, evidence.buf, labels, NULL, 0, {0}};
    int fits = texts >= 0 && at[0] == 0 && at[texts] == data.len && classes.len == 256 && folded.len == 256 &&
               sums.len == texts * columns * 4 && counts.len == texts * COUNTS * 4 && texts < UINT32_MAX &&
               known < (Py_ssize_t)1 << 24 && found.len == texts * labels * 4 &&
               (texts == 0 || evidence.len == known * labels * 2);
    for (Py_ssize_t i = 0; fits && i < texts; i++) fits = at[i] <= at[i + 1];
    if (!fits) PyErr_SetString(PyExc_ValueError, "buffers do not fit each other");
    else if (!(stamps = calloc(BUCKETS, sizeof *stamps)) || !prepare(&lexicon, known) ||
             !(rows = malloc(sizeof *rows * BUCKETS))) PyErr_NoMemory();
    else {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < texts; i++) {
            Text text = {table.buf, columns, &lexicon, (int32_t *)sums.buf + i * columns,
                         (int32_t *)counts.buf + i * COUNTS, (int32_t *)found.buf + i * labels,
                         stamps, (uint32_t)i + 1, rows, 0, 0};
            scan_text(&text, (const uint8_t *)data.buf + at[i], at[i + 1] - at[i], classes.buf, folded.buf);
            text.counts[NEWLINES]--; /* the newline that pack() appended */
        }
        Py_END_ALLOW_THREADS
    }
    free(stamps);
    free(rows);
    free(lexicon.slots);
    Py_buffer *buffers[] = {&data, &starts, &classes, &folded, &table, &keys, &evidence, &sums, &counts, &found};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) PyBuffer_Release(buffers[i]);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"scan", scan, METH_VARARGS, "Fill sums, counts and found evidence for packed texts."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModule_Create(&module); }
