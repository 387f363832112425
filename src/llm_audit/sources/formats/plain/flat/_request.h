/* Builds the request of a record whose values are plain in every way; fields.py and typed.py say what that is in Python,
   and read whatever is left to them here. */
#ifndef LLM_AUDIT_REQUEST_H
#define LLM_AUDIT_REQUEST_H
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../../../records/_names.h"
#include "_times.h"

#define MAX_TOKENS 1000000000
#define MAX_LATENCY_MS 1000000000000
#define LONGEST_NOTHING 9 /* "undefined" */

enum { MODEL, TIME, REQUEST_ID, CONVERSATION, TRACE, STREAM, STATUS, LATENCY, MESSAGE_LIST, PROMPT, SYSTEM, USAGE, INPUT, OUTPUT,
       CACHED, TOTAL, COMPLETION, VALUES };
enum { REQUEST, USAGE_TYPE, NO_USAGE, AS_TEXT, IS_PLACEHOLDER, LONGEST_PLACEHOLDER, OK, ERROR, REPORTED, TOOLS };
enum { FIELDS = 14, COUNTS = 4 };
static const char *const value_names[VALUES] = {
    "model", "time", "request_id", "conversation", "trace", "stream", "status", "latency_ms", "messages", "prompt", "system",
    "usage", "input", "output", "cached", "total", "completion"};
static const char *const provider_ids[] = {"chatcmpl-", "cmpl-", "resp_", "msg_", "gen-"};
static PyObject *names[VALUES], *field_names, *count_names, *name_text, *name_prompt_tokens, *name_completion_tokens,
    *name_total_tokens, *name_details, *name_cached_tokens, *mark_at, *mark_bar;

static PyObject *time_of(PyObject *value) {
    int64_t found;
    if (value == Py_None) return Py_NewRef(value);
    if (!PyUnicode_CheckExact(value) || !PyUnicode_IS_ASCII(value)) return NULL;
    if (!read_iso((const char *)PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value), &found)) return NULL;
    return found >= EARLIEST_US && found < LATEST_US ? PyLong_FromLongLong(found) : NULL;
}

static int is_mark(Py_UCS4 c) { return c > ' ' && c < 127; }

static PyObject *text_of(PyObject *const *tools, PyObject *value) {
    if (value == Py_None) return Py_NewRef(value);
    Py_ssize_t length = PyUnicode_CheckExact(value) ? PyUnicode_GET_LENGTH(value) : 0;
    if (length > LONGEST_NOTHING && is_mark(PyUnicode_READ_CHAR(value, 0)) && is_mark(PyUnicode_READ_CHAR(value, length - 1)))
        return Py_NewRef(value);
    return PyObject_CallOneArg(tools[AS_TEXT], value);
}

static PyObject *latency_of(PyObject *value) {
    if (value == Py_None || (PyFloat_CheckExact(value) && isfinite(PyFloat_AS_DOUBLE(value)))) return Py_NewRef(value);
    if (!PyLong_CheckExact(value)) return NULL;
    int beyond;
    long long latency = PyLong_AsLongLongAndOverflow(value, &beyond);
    return !beyond && latency >= 0 && latency < MAX_LATENCY_MS ? PyFloat_FromDouble((double)latency) : NULL;
}

/* How a call ended, and its HTTP status. */
static PyObject *status_of(PyObject *const *tools, PyObject *value, PyObject **code) {
    *code = NULL;
    if (value == Py_None || PyBool_Check(value)) {
        *code = Py_NewRef(Py_None);
        return Py_NewRef(tools[value == Py_False ? ERROR : OK]);
    }
    if (!PyLong_CheckExact(value)) return NULL;
    int beyond;
    long long status = PyLong_AsLongLongAndOverflow(value, &beyond);
    if (beyond || status < 100 || status >= 600) return NULL;
    *code = Py_NewRef(value);
    return Py_NewRef(tools[status < 400 ? OK : ERROR]);
}

/* Join texts, each of ASCII. */
static PyObject *joined(PyObject *const *texts, int count) {
    Py_ssize_t length = 0;
    for (int k = 0; k < count; k++) length += PyUnicode_GET_LENGTH(texts[k]);
    PyObject *found = PyUnicode_New(length, 127);
    char *to = found ? (char *)PyUnicode_1BYTE_DATA(found) : NULL;
    for (int k = 0; found && k < count; to += PyUnicode_GET_LENGTH(texts[k++]))
        memcpy(to, PyUnicode_1BYTE_DATA(texts[k]), (size_t)PyUnicode_GET_LENGTH(texts[k]));
    return found;
}

/* The key that repeats of a call share. */
static PyObject *key_of(PyObject *id, PyObject *time, PyObject *model, PyObject *status) {
    if (id == Py_None) return Py_NewRef(id);
    int is_ascii = PyUnicode_IS_ASCII(id) && PyUnicode_IS_ASCII(model), is_providers = 0;
    if (PyUnicode_IS_ASCII(id))
        for (size_t k = 0; k < sizeof provider_ids / sizeof *provider_ids; k++)
            is_providers |= !strncmp((const char *)PyUnicode_1BYTE_DATA(id), provider_ids[k], strlen(provider_ids[k]));
    if (is_providers) return PyUnicode_FromFormat("%U|%U|%U", id, model, status);
    if (!is_ascii) return PyUnicode_FromFormat("%U@%S|%U|%U", id, time, model, status);
    PyObject *when = PyObject_Str(time);
    PyObject *const texts[] = {id, mark_at, when, mark_bar, model, mark_bar, status};
    PyObject *found = when ? joined(texts, 7) : NULL;
    Py_XDECREF(when);
    return found;
}

/* Whether a placeholder stands in place of any message; -1 and an error where that fails. */
static int is_redacted(PyObject *const *tools, PyObject *messages) {
    Py_ssize_t longest = PyLong_AsSsize_t(tools[LONGEST_PLACEHOLDER]);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(messages); i++) {
        PyObject *text = PyObject_GetAttr(PyList_GET_ITEM(messages, i), name_text), *answer = NULL;
        int is = 0;
        if (!text || !PyUnicode_Check(text)) is = -1;
        else if (PyUnicode_GET_LENGTH(text) <= longest) {
            answer = PyObject_CallOneArg(tools[IS_PLACEHOLDER], text);
            is = answer ? PyObject_IsTrue(answer) : -1;
        }
        Py_XDECREF(text), Py_XDECREF(answer);
        if (is) return is;
    }
    return 0;
}

/* A count; -1 where none is stated, -2 where it is not plain. */
static long long count_of(PyObject *value) {
    if (value == Py_None) return -1;
    int beyond = 1;
    long long count = PyLong_CheckExact(value) ? PyLong_AsLongLongAndOverflow(value, &beyond) : -2;
    return beyond || count < 0 || count > MAX_TOKENS ? -2 : count;
}

/* Counts by name of a usage object, in place of those of columns. */
static int read_counts(PyObject *usage, PyObject **counts) {
    PyObject *details = PyObject_GetAttr(usage, name_details);
    counts[0] = PyObject_GetAttr(usage, name_prompt_tokens), counts[1] = PyObject_GetAttr(usage, name_completion_tokens);
    counts[2] = !details || details == Py_None ? Py_XNewRef(details) : PyObject_GetAttr(details, name_cached_tokens);
    counts[3] = PyObject_GetAttr(usage, name_total_tokens);
    Py_XDECREF(details);
    return counts[0] && counts[1] && counts[2] && counts[3];
}

/* The usage of counts that add up, with cached tokens part of the input. */
static PyObject *usage_of(PyObject *const *tools, PyObject *const *counts, int is_nested) {
    long long input = count_of(counts[0]), output = count_of(counts[1]), cached = count_of(counts[2]), total = count_of(counts[3]);
    if (input == -1 && output == -1 && total == -1 && !is_nested) return Py_NewRef(tools[NO_USAGE]);
    if (output == -1 && is_nested) output = 0;
    if (input < 0 || output < 0 || cached < -1 || total < -1) return NULL;
    if ((total >= 0 && total != input + output) || cached > input) return NULL;
    PyObject *fields[COUNTS] = {Py_NewRef(tools[REPORTED]), PyLong_FromLongLong(input - (cached > 0 ? cached : 0)),
                                Py_NewRef(counts[2]), PyLong_FromLongLong(output)};
    PyObject *usage = fields[1] && fields[3] ? PyObject_Vectorcall(tools[USAGE_TYPE], fields, 0, count_names) : NULL;
    for (int k = 0; k < COUNTS; k++) Py_XDECREF(fields[k]);
    return usage;
}

static PyObject *usage_in(PyObject *const *tools, PyObject *const *values) {
    if (values[USAGE] == Py_None) return usage_of(tools, values + INPUT, 0);
    if (values[INPUT] != Py_None || values[OUTPUT] != Py_None) return NULL; /* counts that may contradict it */
    PyObject *counts[4] = {NULL};
    PyObject *usage = read_counts(values[USAGE], counts) ? usage_of(tools, counts, 1) : NULL;
    for (int k = 0; k < 4; k++) Py_XDECREF(counts[k]);
    return usage;
}

/* Fill the fields of a request; 0 where a value is not plain, or with an error. */
static int fill(PyObject *const *tools, PyObject *const *values, PyObject **fields) {
    PyObject *model = values[MODEL], *messages = values[MESSAGE_LIST];
    if (!PyUnicode_CheckExact(model) || !PyUnicode_GET_LENGTH(model) || !is_mark(PyUnicode_READ_CHAR(model, 0))) return 0;
    if (values[SYSTEM] != Py_None || (messages == Py_None ? values[PROMPT] != Py_None : !PyList_CheckExact(messages))) return 0;
    if (values[STREAM] != Py_None && !PyBool_Check(values[STREAM])) return 0;
    if (values[COMPLETION] != Py_None && !PyUnicode_CheckExact(values[COMPLETION])) return 0;
    fields[0] = Py_NewRef(model);
    if (!(fields[1] = time_of(values[TIME])) || !(fields[2] = text_of(tools, values[REQUEST_ID]))) return 0;
    if (!(fields[3] = status_of(tools, values[STATUS], &fields[4]))) return 0;
    if (!(fields[5] = key_of(fields[2], fields[1], model, fields[3]))) return 0;
    if (!(fields[6] = text_of(tools, values[CONVERSATION])) || !(fields[7] = text_of(tools, values[TRACE]))) return 0;
    if (!(fields[8] = latency_of(values[LATENCY])) || !(fields[9] = usage_in(tools, values))) return 0;
    int redacted = messages == Py_None ? 0 : is_redacted(tools, messages);
    if (redacted < 0) return 0;
    fields[10] = PyBool_FromLong(redacted), fields[11] = Py_NewRef(values[STREAM]), fields[12] = Py_NewRef(values[COMPLETION]);
    fields[13] = Py_NewRef(messages == Py_None || !PyList_GET_SIZE(messages) ? Py_None : messages);
    return 1;
}

/* The request of a record's values, or None where one of them is not plain. */
static PyObject *request(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyTuple_Check(args[0]) || PyTuple_GET_SIZE(args[0]) != TOOLS) {
        PyErr_SetString(PyExc_TypeError, "request takes a tuple of what it is made with, and values");
        return NULL;
    }
    PyObject *const *tools = &PyTuple_GET_ITEM(args[0], 0);
    PyObject *values[VALUES] = {NULL}, *fields[FIELDS] = {NULL}, *found = NULL;
    int read = 0;
    while (read < VALUES && (values[read] = PyObject_GetAttr(args[1], names[read]))) read++;
    if (read == VALUES && fill(tools, values, fields)) found = PyObject_Vectorcall(tools[REQUEST], fields, 0, field_names);
    for (int k = 0; k < VALUES; k++) Py_XDECREF(values[k]);
    for (int k = 0; k < FIELDS; k++) Py_XDECREF(fields[k]);
    if (found || PyErr_Occurred()) return found;
    Py_RETURN_NONE;
}

static int intern_names(void) {
    static const char *const of_request[FIELDS] = {"model", "time_us", "request_id", "status", "status_code", "merge_key",
                                                   "conversation", "trace", "latency_ms", "usage", "redacted", "streamed",
                                                   "completion", "messages"};
    static const char *const of_usage[COUNTS] = {"usage_source", "input_tokens", "cache_read_tokens", "output_tokens"};
    for (int k = 0; k < VALUES; k++)
        if (!(names[k] = PyUnicode_InternFromString(value_names[k]))) return 0;
    return (field_names = interned(of_request, FIELDS)) && (count_names = interned(of_usage, COUNTS)) &&
           (mark_at = PyUnicode_InternFromString("@")) && (mark_bar = PyUnicode_InternFromString("|")) &&
           (name_text = PyUnicode_InternFromString("text")) &&
           (name_prompt_tokens = PyUnicode_InternFromString("prompt_tokens")) &&
           (name_completion_tokens = PyUnicode_InternFromString("completion_tokens")) &&
           (name_total_tokens = PyUnicode_InternFromString("total_tokens")) &&
           (name_details = PyUnicode_InternFromString("prompt_tokens_details")) &&
           (name_cached_tokens = PyUnicode_InternFromString("cached_tokens"));
}

#endif
