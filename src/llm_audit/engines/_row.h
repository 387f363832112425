/* A row of the ledger as it is read from a line, and the values of a line that need no more than themselves. */
#ifndef LLM_AUDIT_ROW_H
#define LLM_AUDIT_ROW_H
#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "../classify/_ask.h"
#include "../sources/formats/plain/flat/_line.h"
#include "../sources/formats/plain/flat/_times.h"
#include "_xxh3.h"

#define MAX_COUNT 1000000000
#define MAX_LATENCY_MS 1000000000000
#define LONGEST_NOTHING 9 /* "undefined" */
#define MAX_DEPTH 32
#define MAX_KEYS 64

/* What a key of a record holds. */
enum { MODEL, TIME, REQUEST_ID, CONVERSATION, TRACE, STREAM, STATUS, LATENCY, MESSAGES, PROMPT, SYSTEM, USAGE, INPUT, OUTPUT,
       CACHED, TOTAL, COMPLETION, METADATA, TEAM, APP, USER, OTHER, KINDS };
static const char *const kind_names[KINDS] = {
    "model", "time", "request_id", "conversation", "trace", "stream", "status", "latency_ms", "messages", "prompt", "system",
    "usage", "input", "output", "cached", "total", "completion", "metadata", "team", "app", "user", "other"};

/* The columns that differ from row to row. Codes are places in lists that belong to a batch. */
enum { LINE, ENTRY, INPUT_FILE, TIME_US, REQUEST_HASH, MERGE_KEY, CONVERSATION_HASH, TRACE_HASH, LATENCY_MS, STREAMED,
       STATUS_CODE, INPUT_TOKENS, CACHE_READ_TOKENS, OUTPUT_TOKENS, PROMPT_HASH, PARENT_HASH, OPENING_HASH, TEMPLATE_HASH,
       PREFIX_HASH, PREFIX_CHARS, TURNS, PROMPT_CHARS, COMPLETION_CHARS, CALLS_TOOLS, REPLY_HASH, QUOTED_HASH, MODEL_PLACE,
       STATUS_PLACE, METADATA_PLACE, TEAM_PLACE, APP_PLACE, USER_PLACE, ASK_PLACE, COLUMNS };
static const char *const column_names[COLUMNS] = {
    "line", "entry", "input", "time", "request_id", "merge_key", "conversation", "trace", "latency_ms", "streamed",
    "status_code", "input_tokens", "cache_read_tokens", "output_tokens", "prompt_hash", "parent_prompt_hash", "opening_hash",
    "template_hash", "prefix_hash", "prefix_chars", "turns", "prompt_chars", "completion_chars", "calls_tools", "reply_hash",
    "quoted_hash", "model", "status", "metadata", "team", "app", "user", "ask"};

typedef struct {
    uint64_t value[COLUMNS];
    uint8_t known[COLUMNS];
} Row;

static void set(Row *row, int column, uint64_t value) { row->value[column] = value, row->known[column] = 1; }

/* Drop what a call of Python raised, unless that is about more than the line. */
static void forgive(void) {
    if (PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)) PyErr_Clear();
}

/* Count the characters of UTF-8; -1 where it is none. */
static Py_ssize_t count_characters(const uint8_t *at, Py_ssize_t length) {
    const uint8_t *end = at + length;
    Py_ssize_t count = 0;
    for (; at < end; count++) {
        for (uint64_t eight; end - at >= 8 && (memcpy(&eight, at, 8), !(eight & 0x8080808080808080U)); at += 8) count += 8;
        if (at == end) break;
        uint8_t c = *at++;
        if (c < 0x80) continue;
        int more = c >= 0xC2 && c < 0xE0 ? 1 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xF0 && c < 0xF5 ? 3 : 0;
        if (!more || end - at < more) return -1;
        if ((c == 0xE0 && *at < 0xA0) || (c == 0xED && *at > 0x9F) || (c == 0xF0 && *at < 0x90) || (c == 0xF4 && *at > 0x8F)) return -1;
        for (; more--; at++)
            if (*at < 0x80 || *at > 0xBF) return -1;
    }
    return count;
}

static Py_ssize_t characters(const Text *text) {
    return text->beyond ? count_characters(text->data, text->length) : text->length;
}

/* Read a text that stays where it is, and its characters; 0 where it is odd. */
static int keep_text(Line *line, Text *text, Py_ssize_t *chars) {
    if (!is_next(line, '"') || !read_text(line, text) || (*chars = characters(text)) < 0) return 0;
    line->scratch += text->length;
    return 1;
}

static int is_null(Line *line) { return next_byte(line) == 'n' && is_word(line, "null"); }

/* Pass over a value of any kind. */
static int skip_value(Line *line, int depth) {
    Text text;
    Number number;
    uint8_t c = next_byte(line);
    switch (c) {
    case 0: return 0;
    case '"': return line->at++, read_text(line, &text) && characters(&text) >= 0;
    case 'n': return is_word(line, "null");
    case 't': return is_word(line, "true");
    case 'f': return is_word(line, "false");
    case '{': case '[':
        line->at++;
        if (!depth) return 0;
        if (is_next(line, c + 2)) return 1; /* its end */
        do
            if ((c == '{' && (next_byte(line) != '"' || !skip_value(line, 1) || !is_next(line, ':'))) ||
                !skip_value(line, depth - 1)) return 0;
        while (is_next(line, ','));
        return is_next(line, c + 2);
    default: return read_numeric(line, &number);
    }
}

/* A whole number of tokens; unknown where it is null. */
static int read_count(Line *line, long long *count) {
    Number number;
    if (is_null(line)) return *count = -1, 1;
    uint8_t c = next_byte(line);
    if (c < '0' || c > '9' || !read_numeric(line, &number) || !number.is_whole || number.whole > MAX_COUNT) return 0;
    *count = number.whole;
    return 1;
}

typedef struct {
    long long input, output, cached, total;
    int is_nested;
} Counts;

static int read_cached(Line *line, Counts *counts) {
    if (is_null(line)) return 1;
    if (!is_next(line, '{')) return 0;
    if (is_next(line, '}')) return 1;
    return is_next(line, '"') && is_word(line, "cached_tokens\"") && is_next(line, ':') && read_count(line, &counts->cached) &&
           is_next(line, '}');
}

/* Read the usage of a chat completion, in place of counts in columns of their own. */
static int read_usage(Line *line, Counts *counts) {
    static const char *const keys[] = {"prompt_tokens\"", "completion_tokens\"", "total_tokens\"", "prompt_tokens_details\""};
    long long *const places[] = {&counts->input, &counts->output, &counts->total};
    int seen = 0;
    if (is_null(line)) return 1;
    if (!is_next(line, '{')) return 0;
    *counts = (Counts){-1, -1, -1, -1, 1};
    do {
        int k = 0;
        if (!is_next(line, '"')) return 0;
        while (k < 4 && !is_word(line, keys[k])) k++;
        if (k == 4 || seen >> k & 1 || !is_next(line, ':')) return 0;
        seen |= 1 << k;
        if (!(k < 3 ? read_count(line, places[k]) : read_cached(line, counts))) return 0;
    } while (is_next(line, ','));
    return (seen & 1) && counts->input >= 0 && is_next(line, '}');
}

/* Fill in counts that add up, with cached tokens part of the input. */
static int set_counts(Row *row, const Counts *counts) {
    long long output = counts->output < 0 && counts->is_nested ? 0 : counts->output, cached = counts->cached;
    if (counts->input < 0 || output < 0 || cached > counts->input) return 0;
    if (counts->total >= 0 && counts->total != counts->input + output) return 0;
    set(row, INPUT_TOKENS, (uint64_t)(counts->input - (cached > 0 ? cached : 0)));
    set(row, OUTPUT_TOKENS, (uint64_t)output);
    if (cached >= 0) set(row, CACHE_READ_TOKENS, (uint64_t)cached);
    return 1;
}

static int read_time(Line *line, Row *row) {
    Text text;
    int64_t time;
    if (is_null(line)) return 1;
    if (!is_next(line, '"') || !read_text(line, &text) || text.beyond) return 0;
    if (!read_iso((const char *)text.data, text.length, &time) || time < EARLIEST_US || time >= LATEST_US) return 0;
    set(row, TIME_US, (uint64_t)time);
    return 1;
}

static int read_latency(Line *line, Row *row) {
    Number number;
    uint64_t bits;
    if (is_null(line)) return 1;
    uint8_t c = next_byte(line);
    if (c != '-' && (c < '0' || c > '9')) return 0;
    if (!read_numeric(line, &number) || (number.is_whole && (number.whole < 0 || number.whole >= MAX_LATENCY_MS))) return 0;
    double latency = number.is_whole ? (double)number.whole : number.real;
    memcpy(&bits, &latency, sizeof bits);
    set(row, LATENCY_MS, bits);
    return 1;
}

static int read_flag(Line *line, Row *row, int column) {
    uint8_t c = next_byte(line);
    if (c == 'n') return is_word(line, "null");
    if (c != 't' && c != 'f') return 0;
    set(row, column, c == 't');
    return is_word(line, c == 't' ? "true" : "false");
}

#endif
