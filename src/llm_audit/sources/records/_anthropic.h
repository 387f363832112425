/* The usage of Anthropic's own API, of plain counts under its own names; tokens/anthropic.py says what that is in Python. */
#ifndef LLM_AUDIT_ANTHROPIC_H
#define LLM_AUDIT_ANTHROPIC_H
#include <Python.h>

#include "_usage.h"

enum { FRESH, OUT, READ, CREATED, LIFETIMES, SERVER_TOOLS, ITERATIONS, FIRST_WORD, ANTHROPIC_NAMES = FIRST_WORD + 3 };
enum { SHORT, LONG, LIFETIME_NAMES };
enum { SEARCHES, FETCHES, TOOL_NAMES };
enum { A_SOURCE, AN_INPUT, AN_OUTPUT, A_READ, SHORT_WRITE, LONG_WRITE, TOOL_CALLS, ANTHROPIC_FIELDS };
static const char *const anthropic_names[ANTHROPIC_NAMES] = {
    "input_tokens",    "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
    "server_tool_use", "iterations",    "service_tier",            "inference_geo",               "speed"};
static const char *const lifetime_names[LIFETIME_NAMES] = {"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"};
static const char *const tool_names[TOOL_NAMES] = {"web_search_requests", "web_fetch_requests"};
static const char *const anthropic_fields[ANTHROPIC_FIELDS] = {
    "usage_source",          "input_tokens",          "output_tokens",    "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "tool_calls_billed"};
static PyObject *anthropic_by, *lifetimes_by, *tools_by, *anthropic_fields_by; /* these names, interned */
static PyObject *known_words;

static int intern_anthropic(void) {
    return (anthropic_by = interned(anthropic_names, ANTHROPIC_NAMES)) && (lifetimes_by = interned(lifetime_names, LIFETIME_NAMES)) &&
           (tools_by = interned(tool_names, TOOL_NAMES)) && (anthropic_fields_by = interned(anthropic_fields, ANTHROPIC_FIELDS));
}

/* Read the counts of an object that may be missing; 0 where it has others, or odd ones. */
static int read_counts(PyObject *object, PyObject *names, long *counts) {
    PyObject *values[LIFETIME_NAMES] = {NULL};
    if (!read_details(object, names, values)) return 0;
    for (Py_ssize_t k = 0; k < LIFETIME_NAMES; k++)
        if ((counts[k] = count_of(values[k])) == ODD) return 0;
    return 1;
}

/* Whether what is no count says nothing that a reader would have to take into account. */
static int says_nothing(PyObject *const *given) {
    for (int k = FIRST_WORD; k < ANTHROPIC_NAMES; k++) {
        PyObject *word = given[k];
        if (word && word != Py_None && !(PyUnicode_CheckExact(word) && PySet_Contains(known_words, word) == 1)) return 0;
    }
    return !given[ITERATIONS] || PyList_CheckExact(given[ITERATIONS]);
}

/* Work out the fields of a usage; 0 where it is not plain, or has neither input nor output. */
static int read_anthropic(PyObject *usage, long *fields) {
    PyObject *given[ANTHROPIC_NAMES] = {NULL};
    long counts[LIFETIMES], lifetimes[LIFETIME_NAMES], tools[TOOL_NAMES];
    if (!has_only(usage, anthropic_by, given) || !says_nothing(given)) return 0;
    for (int k = 0; k < LIFETIMES; k++)
        if ((counts[k] = count_of(given[k])) == ODD) return 0;
    if (!read_counts(given[LIFETIMES], lifetimes_by, lifetimes) || !read_counts(given[SERVER_TOOLS], tools_by, tools)) return 0;
    long written = lifetimes[SHORT], rest = counts[CREATED] - (lifetimes[LONG] > 0 ? lifetimes[LONG] : 0);
    if (counts[CREATED] != ABSENT) written = rest > written ? rest : written > 0 ? written : 0;
    fields[AN_INPUT] = counts[FRESH], fields[AN_OUTPUT] = counts[OUT], fields[A_READ] = counts[READ];
    fields[SHORT_WRITE] = written, fields[LONG_WRITE] = lifetimes[LONG], fields[TOOL_CALLS] = tools[SEARCHES];
    return counts[FRESH] != ABSENT || counts[OUT] != ABSENT;
}

static PyObject *plain_anthropic_usage(PyObject *Py_UNUSED(module), PyObject *usage) {
    long counts[ANTHROPIC_FIELDS];
    int is_plain = PyDict_CheckExact(usage) && known_words && usage_class && read_anthropic(usage, counts);
    if (is_plain) return usage_of(counts, ANTHROPIC_FIELDS, anthropic_fields_by);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyObject *prepare_anthropic(PyObject *Py_UNUSED(module), PyObject *words) {
    if (!PyFrozenSet_CheckExact(words)) return PyErr_SetString(PyExc_TypeError, "words are a frozen set"), NULL;
    Py_XSETREF(known_words, Py_NewRef(words));
    Py_RETURN_NONE;
}

#endif
