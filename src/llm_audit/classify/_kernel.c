/* Scans packed UTF-8 texts: counts characters by class, hashes words and word pairs, and adds up the integer weights of
   the distinct ones. Words and pairs of a lexicon are found by their full hash, and their evidence is added up at each
   occurrence. hashing.py defines the hash and gives the same integers in NumPy. */
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
#define CONTINUED 255 /* the class of bytes that do not begin a character */
#define POWERS 32 /* of the base, so that most words need no chain of products */
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
    uint64_t *hits; /* a bit for each row of the table */
    uint32_t *rows; /* those hit so far, in order of first hit */
    uint64_t previous;
    int has_previous;
} Text;

/* What is known of bytes: their classes, themselves in lower case with digits as 0, and powers of the base. */
typedef struct {
    const uint8_t *classes, *folded;
    uint64_t powers[POWERS];
} Letters;

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
    uint64_t bit = (uint64_t)1 << (row & 63), *word = text->hits + (row >> 6);
    text->rows[text->counts[FEATURES]] = row;
    text->counts[FEATURES] += !(*word & bit);
    *word |= bit;
}

/* Add up the rows that were hit, and forget them. The table is larger than the nearer caches: a row is fetched, with
   both of the lines that it may be in, some steps ahead of its use. */
static void add_rows(Text *text) {
    int32_t hits = text->counts[FEATURES];
    Py_ssize_t columns = text->columns;
    for (int32_t i = 0; i < hits; i++) {
#if defined(__GNUC__)
        if (i + AHEAD < hits) {
            const int16_t *ahead = text->table + (Py_ssize_t)text->rows[i + AHEAD] * columns;
            __builtin_prefetch(ahead), __builtin_prefetch(ahead + columns - 1);
        }
#endif
        const int16_t *weights = text->table + (Py_ssize_t)text->rows[i] * columns;
        for (Py_ssize_t k = 0; k < columns; k++) text->sums[k] += weights[k];
        text->hits[text->rows[i] >> 6] = 0;
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

/* Hash the first characters of a word with letters beyond ASCII, whose inflected forms have them in common. */
static uint64_t stem_of(const Letters *letters, const uint8_t *at, const uint8_t *end) {
    uint64_t hash = 0, power = 1;
    for (int characters = 0; at < end; at++, power *= BASE) {
        if (letters->classes[*at] != CONTINUED && characters++ == STEM_CHARACTERS) break;
        hash += letters->folded[*at] * power;
    }
    return hash;
}

/* Read a word from its first byte on, and return its end. */
static const uint8_t *read_word(Text *text, const Letters *letters, const uint8_t *start, const uint8_t *end) {
    const uint8_t *at = start, *classes = letters->classes;
    uint64_t hash = 0, power = 1;
    int32_t upper = 0, digits = 0, ascii = 0;
    for (;;) {
        const uint8_t *from = at;
        for (uint8_t kind; at < end && (kind = classes[*at]) <= DIGITS; at++) {
            power = at - start < POWERS ? letters->powers[at - start] : power * BASE;
            hash += letters->folded[*at] * power;
            upper += kind == UPPER, digits += kind == DIGITS;
        }
        ascii += (int32_t)(at - from);
        if (at == end || !in_word(classes[*at])) break;
        text->counts[classes[*at]]++;
        do at++; while (at < end && classes[*at] == CONTINUED);
    }
    text->counts[LOWER] += ascii - upper - digits, text->counts[UPPER] += upper, text->counts[DIGITS] += digits;
    end_word(text, ascii < at - start ? stem_of(letters, start, at) : hash, at - start, digits);
    return at;
}

/* Read an ideograph, which is a word by itself. */
static const uint8_t *read_alone(Text *text, const Letters *letters, const uint8_t *start, const uint8_t *end) {
    const uint8_t *at = start + 1;
    while (at < end && letters->classes[*at] == CONTINUED) at++;
    end_word(text, stem_of(letters, start, at), at - start, 0);
    return at;
}

/* Whether an answer option stands after a line's end. */
static int is_option(const uint8_t *at, const uint8_t *end) {
    return end - at > 2 && (at[1] | 32) >= 'a' && (at[1] | 32) <= 'j' && (at[2] == '.' || at[2] == ')');
}

static void scan_text(Text *text, const uint8_t *at, const uint8_t *end, const Letters *letters) {
    while (at < end) {
        uint8_t kind = letters->classes[*at];
        if (in_word(kind)) at = read_word(text, letters, at, end);
        else if (kind == CONTINUED) at++;
        else {
            text->counts[kind]++;
            if (kind == NEWLINES) text->counts[OPTIONS] += is_option(at, end);
            at = stands_alone(kind) ? read_alone(text, letters, at, end) : at + 1;
        }
    }
    add_rows(text);
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
    uint64_t *hits = NULL;
    uint32_t *rows = NULL;
    Letters letters = {classes.buf, folded.buf, {1}};
    for (int k = 1; k < POWERS; k++) letters.powers[k] = letters.powers[k - 1] * BASE;
    Lexicon lexicon = {keys.buf, evidence.buf, labels, NULL, 0, {0}};
    int fits = texts >= 0 && at[0] == 0 && at[texts] == data.len && classes.len == 256 && folded.len == 256 &&
               sums.len == texts * columns * 4 && counts.len == texts * COUNTS * 4 && texts < UINT32_MAX &&
               known < (Py_ssize_t)1 << 24 && found.len == texts * labels * 4 &&
               (texts == 0 || evidence.len == known * labels * 2);
    for (Py_ssize_t i = 0; fits && i < texts; i++) fits = at[i] <= at[i + 1];
    if (!fits) PyErr_SetString(PyExc_ValueError, "buffers do not fit each other");
    else if (!(hits = calloc(BUCKETS / 64, sizeof *hits)) || !prepare(&lexicon, known) ||
             !(rows = malloc(sizeof *rows * (BUCKETS + 1)))) PyErr_NoMemory();
    else {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < texts; i++) {
            Text text = {table.buf, columns, &lexicon, (int32_t *)sums.buf + i * columns,
                         (int32_t *)counts.buf + i * COUNTS, (int32_t *)found.buf + i * labels,
                         hits, rows, 0, 0};
            const uint8_t *of_texts = data.buf;
            scan_text(&text, of_texts + at[i], of_texts + at[i + 1], &letters);
            text.counts[NEWLINES]--; /* the newline that pack() appended */
        }
        Py_END_ALLOW_THREADS
    }
    free(hits);
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
