/* Reads a prompt: hashes its messages in a chain, counts them, and finds the ask that ends it. features/text.py does the
   same in Python, also for prompts that are not plain. */
#ifndef LLM_AUDIT_PROMPT_H
#define LLM_AUDIT_PROMPT_H
#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "_longest.h"
#include "_row.h"

#define KNOWN_SYSTEMS 1024

enum { A_USER, AN_ASSISTANT, A_SYSTEM, A_TOOL, ROLES };
static const char *const role_names[ROLES] = {"user\"", "assistant\"", "system\"", "tool\""};

/* A system prompt that was seen. */
typedef struct {
    uint64_t chain, template;
    int is_known, is_chore;
} System;

/* What prompts are read by. */
typedef struct {
    AskPlan ask;
    PyObject *template, *is_placeholder, *own_ask; /* functions */
    Py_ssize_t longest_placeholder;
    uint64_t seeds[ROLES];
    System systems[KNOWN_SYSTEMS];
} Prompts;

/* The characters of a text; one beyond ASCII has them in a Python text of its own. */
typedef struct {
    Chars chars;
    Py_ssize_t length;
    PyObject *owned;
} View;

static int open_view(const Text *text, View *view) {
    *view = (View){{PyUnicode_1BYTE_KIND, text->data}, text->length, NULL};
    if (!text->beyond) return 1;
    if (!(view->owned = PyUnicode_DecodeUTF8((const char *)text->data, text->length, NULL))) return 0;
    view->chars = chars_of(view->owned), view->length = PyUnicode_GET_LENGTH(view->owned);
    return 1;
}

/* Find what is known of a system prompt by the hash of it, or find it out; NULL with an error. */
static const System *system_of(Prompts *prompts, const Text *text, uint64_t chain) {
    System *known = &prompts->systems[chain % KNOWN_SYSTEMS];
    if (known->is_known && known->chain == chain) return known;
    View view;
    if (!open_view(text, &view)) return NULL;
    *known = (System){.chain = chain, .is_chore = may_be_chore(prompts->ask.chores, prompts->ask.edge, view.chars, view.length)};
    Py_XDECREF(view.owned);
    PyObject *found = PyObject_CallFunction(prompts->template, "Ks#", (unsigned long long)chain, text->data, text->length);
    if (!found) return NULL;
    known->template = PyLong_AsUnsignedLongLong(found);
    known->is_known = !PyErr_Occurred();
    Py_DECREF(found);
    return known->is_known ? known : NULL;
}

/* Whether a short text stands in place of one that was removed; -1 and an error where that fails. */
static int is_removed(const Prompts *prompts, const Text *text, Py_ssize_t chars) {
    if (chars > prompts->longest_placeholder) return 0;
    PyObject *answer = PyObject_CallFunction(prompts->is_placeholder, "s#", text->data, text->length);
    int is = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return is;
}

typedef struct {
    uint64_t chain, parent, opening;
    Py_ssize_t messages, turns, chars;
    int role, before, has_parent; /* the roles of the last message, and of the one before it */
    const System *system;
    Text last;
} Prompt;

static int add_message(Prompts *prompts, Prompt *prompt, Row *row, int role, const Text *text, Py_ssize_t chars) {
    if (role == A_SYSTEM && prompt->messages) return 0;
    if (is_removed(prompts, text, chars)) return 0;
    if (role == AN_ASSISTANT && prompt->role != AN_ASSISTANT) {
        prompt->parent = prompt->chain, prompt->has_parent = 1;
        if (!prompt->opening) prompt->opening = prompt->chain;
    }
    prompt->chain = xxh3(text->data, (size_t)text->length, prompt->chain ^ prompts->seeds[role]);
    if (!prompt->chain) return 0; /* which would look like none */
    prompt->messages++, prompt->turns += role == A_USER || role == A_TOOL, prompt->chars += chars;
    prompt->before = prompt->role, prompt->role = role, prompt->last = *text;
    if (role != A_SYSTEM) return 1;
    if (!(prompt->system = system_of(prompts, text, prompt->chain))) return 0;
    set(row, TEMPLATE_HASH, prompt->system->template);
    if (chars) set(row, PREFIX_HASH, prompt->chain), set(row, PREFIX_CHARS, (uint64_t)chars);
    return 1;
}

/* Read a message of a role and a text alone, each once. */
static int read_message(Prompts *prompts, Prompt *prompt, Line *line, Row *row) {
    int role = -1, has_text = 0;
    Text text;
    Py_ssize_t chars;
    if (!is_next(line, '{')) return 0;
    for (int k = 0; k < 2; k++) {
        if ((k && !is_next(line, ',')) || !is_next(line, '"')) return 0;
        if (role < 0 && is_word(line, "role\"")) {
            if (!is_next(line, ':') || !is_next(line, '"')) return 0;
            for (role = 0; role < ROLES && !is_word(line, role_names[role]);) role++;
            if (role == ROLES) return 0;
        } else if (!has_text && is_word(line, "content\"")) {
            if (!is_next(line, ':') || !keep_text(line, &text, &chars)) return 0;
            has_text = 1;
        } else return 0;
    }
    return is_next(line, '}') && add_message(prompts, prompt, row, role, &text, chars);
}

static int read_messages(Prompts *prompts, Prompt *prompt, Line *line, Row *row) {
    if (is_null(line)) return 1;
    if (!is_next(line, '[')) return 0;
    do
        if (!read_message(prompts, prompt, line, row)) return 0;
    while (is_next(line, ','));
    return is_next(line, ']');
}

/* A prompt that is one text of a user; JSON in it is left to Python. */
static int read_prompt(Prompts *prompts, Prompt *prompt, Line *line, Row *row) {
    Text text;
    Py_ssize_t chars;
    if (is_null(line)) return 1;
    if (!keep_text(line, &text, &chars) || !text.length || *text.data == '{' || *text.data == '[') return 0;
    return add_message(prompts, prompt, row, A_USER, &text, chars);
}

/* Whether a text may be a whole response body, which Python looks into: an object, with the word of its counts. */
static int may_be_body(const Text *text) {
    static const char word[] = "usage";
    const Py_ssize_t length = sizeof(word) - 1;
    int may_begin = text->length && memchr("{ \n\r\t", *text->data, 5);
    for (Py_ssize_t at = 0; may_begin && at + length <= text->length; at++)
        if (text->data[at] == 'u' && !memcmp(text->data + at, word, (size_t)length)) return 1;
    return 0;
}

static int read_completion(Line *line, Row *row) {
    Text text;
    View view;
    Py_ssize_t chars;
    uint64_t hash;
    if (is_null(line)) return 1;
    if (!keep_text(line, &text, &chars) || may_be_body(&text) || !open_view(&text, &view)) return 0;
    int found = hash_longest(view.chars, view.length, !text.beyond, &hash);
    Py_XDECREF(view.owned);
    if (found > 0) set(row, REPLY_HASH, hash);
    set(row, COMPLETION_CHARS, (uint64_t)chars), set(row, CALLS_TOOLS, 0);
    return found >= 0;
}

/* Write characters in UTF-8, and return the end. */
static uint8_t *write_utf8(uint8_t *to, Chars text, Py_ssize_t from, Py_ssize_t end) {
    for (; from < end; from++) to = put(to, char_at(text, from));
    return to;
}

/* The parts of an ask as bytes, one below the other. */
static PyObject *bytes_of(const Ask *ask, int is_ascii) {
    Py_ssize_t first = ask->head - ask->from, second = ask->to - ask->tail, lines = first && second;
    Py_ssize_t most = ask->text.kind == PyUnicode_2BYTE_KIND ? 3 : is_ascii ? 1 : 4; /* bytes of a character */
    PyObject *found = PyBytes_FromStringAndSize(NULL, (first + second) * most + lines);
    if (!found) return NULL;
    uint8_t *start = (uint8_t *)PyBytes_AS_STRING(found), *to = start;
    if (is_ascii) memcpy(to, (const char *)ask->text.data + ask->from, (size_t)first), to += first;
    else to = write_utf8(to, ask->text, ask->from, ask->head);
    if (lines) *to++ = '\n';
    if (is_ascii) memcpy(to, (const char *)ask->text.data + ask->tail, (size_t)second), to += second;
    else to = write_utf8(to, ask->text, ask->tail, ask->to);
    if (!is_ascii) _PyBytes_Resize(&found, to - start); /* which sets it to NULL where it fails */
    return found;
}

/* The ask that patterns find in a text, as bytes; NULL where they find none, or with an error. */
static PyObject *ask_by_patterns(const Prompts *prompts, const Ask *ask, int has_context, Py_ssize_t *chars) {
    PyObject *text = part_of(ask->text, ask->from, ask->to);
    PyObject *own = text ? PyObject_CallFunctionObjArgs(prompts->own_ask, text, has_context ? Py_True : Py_False, NULL) : NULL;
    PyObject *found = own && PyUnicode_Check(own) ? PyUnicode_AsUTF8String(own) : NULL;
    if (found) *chars = PyUnicode_GET_LENGTH(own);
    Py_XDECREF(text), Py_XDECREF(own);
    return found;
}

/* Find the ask that ends a prompt, as bytes, and its characters; NULL where it is not plain, or with an error. */
static PyObject *ask_of(const Prompts *prompts, const Prompt *prompt, Row *row, Py_ssize_t *chars) {
    View view;
    Ask ask;
    uint64_t hash;
    PyObject *found = NULL;
    if (prompt->role != A_USER || prompt->before == A_USER || (prompt->system && prompt->system->is_chore)) return NULL;
    if (!open_view(&prompt->last, &view)) return NULL;
    int quoted = hash_longest(view.chars, view.length, !prompt->last.beyond, &hash), chosen = MORE_TO_DO;
    if (quoted > 0) set(row, QUOTED_HASH, hash);
    if (quoted >= 0 && !may_be_chore(prompts->ask.chores, prompts->ask.edge, view.chars, view.length))
        chosen = choose_ask(&prompts->ask, view.chars, view.length, &ask);
    if (chosen == OUT_OF_MEMORY) PyErr_NoMemory();
    else if (chosen == FOUND) {
        Py_ssize_t first = ask.head - ask.from, second = ask.to - ask.tail;
        *chars = first + second + (first && second);
        found = bytes_of(&ask, !prompt->last.beyond);
        PyMem_Free(ask.owned);
    } else if (chosen != MORE_TO_DO) found = ask_by_patterns(prompts, &ask, chosen == WITH_CONTEXT, chars);
    Py_XDECREF(view.owned);
    return found;
}

/* Fill in what the messages of a prompt add up to. */
static void set_prompt(Row *row, const Prompt *prompt) {
    set(row, PROMPT_HASH, prompt->chain);
    set(row, OPENING_HASH, prompt->opening ? prompt->opening : prompt->chain);
    if (prompt->has_parent) set(row, PARENT_HASH, prompt->parent);
    set(row, TURNS, (uint64_t)prompt->turns), set(row, PROMPT_CHARS, (uint64_t)prompt->chars);
}

#endif
