/* Makes messages of a turn: of texts alone, and of the parts of a tool loop. parts.py and messages.py do the same in Python,
   and for any other part. */
#ifndef LLM_AUDIT_PARTS_H
#define LLM_AUDIT_PARTS_H
#include <Python.h>

#include "_usage.h"
#include "_values.h"

#define CODEX_RESULT "{\"output\":" /* which may hold an exit code */

enum { CALL_TYPE, CALL_ID, CALL_NAME, CALL_INPUT, CALLER, CALL_CACHE, CALL_NAMES };
enum { RESULT_TYPE, RESULT_ID, RESULT_CONTENT, IS_ERROR, RESULT_CACHE, RESULT_NAMES };
static const char *const call_names[CALL_NAMES] = {"type", "id", "name", "input", "caller", "cache_control"};
static const char *const result_names[RESULT_NAMES] = {"type", "tool_use_id", "content", "is_error", "cache_control"};
static PyObject *calls_by, *results_by; /* these names, interned */
static PyObject *name_role, *name_content, *name_type, *name_text;
static PyObject *message, *roles, *text_fields, *canonical; /* what turns are made by */

/* What the parts of a turn add up to. */
typedef struct {
    PyObject *texts, *calls, *results, *call_id;
} Collected;

static int intern_parts(void) {
    return (name_role = PyUnicode_InternFromString("role")) && (name_content = PyUnicode_InternFromString("content")) &&
           (name_type = PyUnicode_InternFromString("type")) && (name_text = PyUnicode_InternFromString("text")) &&
           (calls_by = interned(call_names, CALL_NAMES)) && (results_by = interned(result_names, RESULT_NAMES));
}

/* The text of a part that holds one and nothing else; NULL for any other. Borrowed. */
static PyObject *plain_text(PyObject *part) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (PyUnicode_CheckExact(part)) return part;
    if (!PyDict_CheckExact(part)) return NULL;
    PyObject *kind = get(part, name_type);
    if (!is_text(kind) || PyUnicode_CompareWithASCIIString(kind, "text")) return NULL;
    while (PyDict_GET_SIZE(part) != 2 && PyDict_Next(part, &at, &key, &value))
        if (PySet_Contains(text_fields, key) != 1) return NULL;
    PyObject *written = get(part, name_text);
    if (!written || written == Py_None || (is_text(written) && !PyUnicode_GET_LENGTH(written))) written = get(part, name_content);
    return is_text(written) && PyUnicode_GET_LENGTH(written) ? written : NULL;
}

/* The text of content that is nothing but texts, a line each; NULL for any other, or with an error. */
static PyObject *text_of(PyObject *content) {
    if (PyUnicode_CheckExact(content)) return Py_NewRef(content);
    if (!PyList_CheckExact(content)) return NULL;
    Py_ssize_t count = PyList_GET_SIZE(content);
    PyObject *only = count == 1 ? plain_text(PyList_GET_ITEM(content, 0)) : NULL;
    if (only || count == 1) return Py_XNewRef(only);
    PyObject *texts = PyList_New(count), *line = texts ? PyUnicode_FromOrdinal('\n') : NULL, *found = NULL;
    for (Py_ssize_t k = 0; line && k < count; k++) {
        PyObject *written = plain_text(PyList_GET_ITEM(content, k));
        if (!written) Py_CLEAR(line);
        else PyList_SET_ITEM(texts, k, Py_NewRef(written));
    }
    if (line) found = PyUnicode_Join(line, texts);
    Py_XDECREF(texts), Py_XDECREF(line);
    return found;
}

/* Make a message of a role's content that is texts alone; NULL for any other, or with an error. */
static PyObject *turn_of(PyObject *role, PyObject *content) {
    PyObject *parts[2] = {get(roles, role), NULL};
    if (!parts[0] || (!is_text(content) && !PyUnicode_CompareWithASCIIString(parts[0], "tool"))) return NULL;
    if (!(parts[1] = text_of(content))) return NULL;
    PyObject *turn = PyObject_Vectorcall(message, parts, 2, NULL);
    Py_DECREF(parts[1]);
    return turn;
}

static int append(PyObject *list, PyObject *item) {
    int done = item && !PyList_Append(list, item);
    Py_XDECREF(item);
    return done;
}

/* Make a message of a text, calls and an id, each NULL for an empty text; what is given of them is not given away. */
static PyObject *message_of(PyObject *role, PyObject *text, PyObject *calls, PyObject *id, int has_failed) {
    PyObject *empty = PyUnicode_New(0, 0), *zero = PyLong_FromLong(0), *found = NULL;
    PyObject *fields[] = {role, text ? text : empty, calls ? calls : empty, id ? id : empty, zero, zero, has_failed ? Py_True : Py_False};
    if (empty && zero) found = PyObject_Vectorcall(message, fields, sizeof fields / sizeof *fields, NULL);
    Py_XDECREF(empty), Py_XDECREF(zero);
    return found;
}

/* Take an identifier, which may be missing; 0 where it is odd. */
static int take_id(PyObject **id) {
    if (!*id || *id == Py_None) return *id = NULL, 1;
    return is_text(*id) && says_something(*id);
}

/* Add the call of a tool under Anthropic's names and no others; 0 where it is odd, or with an error. */
static int add_call(Collected *turn, PyObject *part) {
    PyObject *given[CALL_NAMES] = {NULL};
    if (!has_only(part, calls_by, given) || !is_text(given[CALL_NAME]) || !says_something(given[CALL_NAME])) return 0;
    if (!given[CALL_INPUT] || !PyDict_CheckExact(given[CALL_INPUT]) || !take_id(&given[CALL_ID])) return 0;
    PyObject *arguments = PyObject_CallOneArg(canonical, given[CALL_INPUT]);
    int done = arguments && append(turn->calls, PyUnicode_FromFormat("%U(%S)", given[CALL_NAME], arguments));
    if (!turn->call_id) turn->call_id = given[CALL_ID];
    Py_XDECREF(arguments);
    return done;
}

/* Add the result of a tool likewise. */
static int add_result(Collected *turn, PyObject *part) {
    static const char codex[] = CODEX_RESULT;
    PyObject *given[RESULT_NAMES] = {NULL}, *tool = PyDict_GetItemString(roles, "tool"), *text = NULL;
    if (!tool || !has_only(part, results_by, given) || !take_id(&given[RESULT_ID])) return 0;
    PyObject *content = given[RESULT_CONTENT];
    int is_empty = !content || content == Py_None || (PyList_CheckExact(content) && !PyList_GET_SIZE(content));
    if (!is_empty && !(text = text_of(content))) return 0;
    int is_codex = is_text(content) && PyUnicode_GET_LENGTH(content) >= (Py_ssize_t)sizeof codex - 1;
    for (size_t k = 0; is_codex && k < sizeof codex - 1; k++)
        is_codex = PyUnicode_READ_CHAR(content, (Py_ssize_t)k) == (Py_UCS4)codex[k];
    int done = !is_codex && append(turn->results, message_of(tool, text, NULL, given[RESULT_ID], given[IS_ERROR] == Py_True));
    Py_XDECREF(text);
    return done;
}

/* Add a part of a tool loop: a text, a call, a result, or reasoning, which is left out; 0 for any other, or with an error. */
static int add_part(Collected *turn, PyObject *part) {
    PyObject *text = plain_text(part);
    if (text) return !PyList_Append(turn->texts, text);
    PyObject *kind = PyDict_CheckExact(part) ? get(part, name_type) : NULL;
    if (!is_text(kind)) return 0;
    if (!PyUnicode_CompareWithASCIIString(kind, "tool_use")) return add_call(turn, part);
    if (!PyUnicode_CompareWithASCIIString(kind, "tool_result")) return add_result(turn, part);
    return !PyUnicode_CompareWithASCIIString(kind, "thinking") || !PyUnicode_CompareWithASCIIString(kind, "redacted_thinking");
}

/* Add what is no result as one message, after results that are messages of their own unless a model's turn holds them. */
static PyObject *messages_of(const Collected *turn, PyObject *role) {
    int is_reply = !PyUnicode_CompareWithASCIIString(role, "assistant");
    PyObject *found = is_reply ? PyList_New(0) : Py_NewRef(turn->results);
    if (!found || (PyList_GET_SIZE(found) && !PyList_GET_SIZE(turn->texts) && !PyList_GET_SIZE(turn->calls))) return found;
    PyObject *line = PyUnicode_FromOrdinal('\n'), *text = line ? PyUnicode_Join(line, turn->texts) : NULL;
    PyObject *calls = text ? PyUnicode_Join(line, turn->calls) : NULL;
    if (!calls || !append(found, message_of(role, text, calls, turn->call_id, 0))) Py_CLEAR(found);
    Py_XDECREF(line), Py_XDECREF(text), Py_XDECREF(calls);
    return found;
}

/* The messages of a turn of texts and of a tool's calls and results; NULL for any other, or with an error. */
static PyObject *turns_of(PyObject *role, PyObject *content) {
    PyObject *known = content ? get(roles, role) : NULL, *plain = known ? turn_of(role, content) : NULL, *found = NULL;
    if (plain) {
        if ((found = PyList_New(1))) PyList_SET_ITEM(found, 0, plain);
        else Py_DECREF(plain);
        return found;
    }
    if (!known || PyErr_Occurred() || !PyList_CheckExact(content)) return NULL;
    if (!PyUnicode_CompareWithASCIIString(known, "tool")) return NULL; /* whose content is a result */
    Collected turn = {PyList_New(0), PyList_New(0), PyList_New(0), NULL};
    int fits = turn.texts && turn.calls && turn.results;
    for (Py_ssize_t k = 0; fits && k < PyList_GET_SIZE(content); k++) fits = add_part(&turn, PyList_GET_ITEM(content, k));
    if (fits) found = messages_of(&turn, known);
    Py_XDECREF(turn.texts), Py_XDECREF(turn.calls), Py_XDECREF(turn.results);
    return found;
}

#endif
