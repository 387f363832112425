/* Reads rows of Claude Code's sessions that are plain in every way. claude_code.py says in Python what that is, and reads
   any other. */
#ifndef LLM_AUDIT_SESSION_H
#define LLM_AUDIT_SESSION_H
#include <Python.h>

#include "_anthropic.h"
#include "_parts.h"
#include "_time.h"

enum { THE_MESSAGE, SESSION, SIDECHAIN, AGENT, TIMESTAMP, FOLDER, REQUEST, DATA, FIRST_OTHER, ROW_NAMES = FIRST_OTHER + 6 };
enum { THE_ROLE, CONTENT, THE_USAGE, THE_MODEL, REPLY, STOP_REASON, MESSAGE_NAMES };
enum { SPEED, TIER, GEOGRAPHY, USAGE_NAMES };
enum { A_MODEL, A_PROVIDER, A_TIME, A_TIER, A_REGION, AN_ID, A_KEY, A_CONVERSATION, A_TRACE, AN_APP, SOME_TAGS, THE_TOOLS,
       A_COMPLETION, SOME_CALLS, A_CALL_ID, A_USAGE, REQUEST_FIELDS };
enum { REQUEST_CLASS, PROVIDER_OF, FOLDER_OF, TIER_OF, REGION_OF, SESSION_TOOLS, STANDARD_TIER, SESSION_PARTS };
enum { IS_SIDECHAIN = 1, IS_PLACEHOLDER = 2, TAG_SETS = 4 };

/* Names after FIRST_OTHER are of rows that are not plain. */
static const char *const row_names[ROW_NAMES] = {
    "message", "sessionId", "isSidechain", "agentId", "timestamp", "cwd", "requestId", "data", "subtype", "costUSD", "inputTokens",
    "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"};
static const char *const message_names[MESSAGE_NAMES] = {"role", "content", "usage", "model", "id", "stop_reason"};
static const char *const usage_names[USAGE_NAMES] = {"speed", "service_tier", "inference_geo"};
static const char *const reply_names[] = {"text", "calls", "call_id"};
static const char *const request_fields[REQUEST_FIELDS] = {
    "model", "provider", "time_us", "service_tier", "region", "request_id", "merge_key", "conversation", "trace", "app", "tags",
    "tools", "completion", "completion_calls", "completion_call_id", "usage"};
static PyObject *row_by, *message_by, *row_usage_by, *reply_by, *request_by, *name_iterations; /* names, interned */
static PyObject *session_parts, *tag_sets[TAG_SETS];

static int intern_session(void) {
    static const char *const tags[] = {"sidechain", "placeholder-output"};
    for (int k = 0; k < TAG_SETS; k++) {
        tag_sets[k] = k == 3 ? Py_BuildValue("(ss)", tags[0], tags[1]) : k ? Py_BuildValue("(s)", tags[k - 1]) : PyTuple_New(0);
        if (!tag_sets[k]) return 0;
    }
    return (row_by = interned(row_names, ROW_NAMES)) && (message_by = interned(message_names, MESSAGE_NAMES)) &&
           (row_usage_by = interned(usage_names, USAGE_NAMES)) && (reply_by = interned(reply_names, 3)) &&
           (request_by = interned(request_fields, REQUEST_FIELDS)) && (name_iterations = PyUnicode_InternFromString("iterations"));
}

static void get_all(PyObject *object, PyObject *names, PyObject **values) {
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(names); k++) values[k] = get(object, PyTuple_GET_ITEM(names, k));
}

static int says(PyObject *value) { return is_text(value) && says_something(value); }

static int is_word_of(PyObject *value, const char *word) {
    return is_text(value) && !PyUnicode_CompareWithASCIIString(value, word);
}

/* The conversation of a row: its session, or a subagent's in it. */
static PyObject *conversation_of(PyObject **row) {
    if (row[SIDECHAIN] != Py_True) return Py_NewRef(row[SESSION]);
    if (!take_id(&row[AGENT])) return NULL;
    return row[AGENT] ? PyUnicode_FromFormat("%U:%U", row[SESSION], row[AGENT]) : PyUnicode_FromFormat("%U:sidechain", row[SESSION]);
}

/* What repeats of a reply share; see ``merge_key``. */
static PyObject *key_of(PyObject *const *row, PyObject *reply, PyObject *model) {
    PyObject *request = row[REQUEST];
    if (request && request != Py_None && !is_text(request)) return NULL;
    if (!says(request)) return PyUnicode_FromFormat("%U|session:%U|%U|ok", reply, row[SESSION], model);
    Py_ssize_t length = PyUnicode_GET_LENGTH(reply);
    int is_official = length > 3 && PyUnicode_READ_CHAR(reply, 0) == 'm' && PyUnicode_READ_CHAR(reply, 1) == 's' &&
                      PyUnicode_READ_CHAR(reply, 2) == 'g' && PyUnicode_READ_CHAR(reply, 3) == '_';
    return is_official ? PyUnicode_FromFormat("%U|%U|ok", reply, model) : PyUnicode_FromFormat("%U|%U|%U|ok", reply, request, model);
}

static int tags_of(PyObject *const *row, PyObject *stop_reason) {
    int is_sidechain = row[SIDECHAIN] == Py_True;
    return is_sidechain * IS_SIDECHAIN + (stop_reason ? stop_reason == Py_None : is_sidechain) * IS_PLACEHOLDER;
}

static PyObject *of_part(int part, PyObject *value) { return PyObject_CallOneArg(PyTuple_GET_ITEM(session_parts, part), value); }

static int is_unsaid(PyObject *value, const char *word) { return !value || value == Py_None || is_word_of(value, word); }

/* Set the tier and the region that a usage says. */
static void set_service(PyObject *usage, PyObject **fields) {
    PyObject *said[USAGE_NAMES];
    get_all(usage, row_usage_by, said);
    int is_standard = is_unsaid(said[SPEED], "standard") && is_unsaid(said[TIER], "standard");
    fields[A_TIER] = is_standard ? Py_NewRef(PyTuple_GET_ITEM(session_parts, STANDARD_TIER)) : of_part(TIER_OF, usage);
    fields[A_REGION] = is_unsaid(said[GEOGRAPHY], "not_available") ? Py_NewRef(Py_None) : of_part(REGION_OF, usage);
}

/* Set what a reply of one message consists of. */
static int set_said(PyObject *said, PyObject **fields) {
    if (PyList_GET_SIZE(said) != 1) return 0;
    for (int k = 0; k < 3; k++)
        if (!(fields[A_COMPLETION + k] = PyObject_GetAttr(PyList_GET_ITEM(said, 0), PyTuple_GET_ITEM(reply_by, k)))) return 0;
    int has_calls = PyUnicode_GET_LENGTH(fields[SOME_CALLS]) > 0;
    if (!PyUnicode_GET_LENGTH(fields[A_COMPLETION])) Py_SETREF(fields[A_COMPLETION], Py_NewRef(Py_None));
    if (!has_calls || !PyUnicode_GET_LENGTH(fields[A_CALL_ID])) Py_SETREF(fields[A_CALL_ID], Py_NewRef(Py_None));
    return 1;
}

/* Set the fields of a request but its prompt; 0 where any is odd, or with an error. */
static int set_call(PyObject *const *row, PyObject *const *given, PyObject *conversation, PyObject *said, PyObject **fields) {
    long counts[ANTHROPIC_FIELDS];
    PyObject *model = given[THE_MODEL], *iterations = get(given[THE_USAGE], name_iterations), *folder = row[FOLDER];
    if (iterations && (!PyList_CheckExact(iterations) || PyList_GET_SIZE(iterations))) return 0;
    if (!is_word_of(given[THE_ROLE], "assistant") || !says(model) || is_word_of(model, "<synthetic>") || !says(given[REPLY])) return 0;
    if (!row[TIMESTAMP] || !take_id(&folder) || !read_anthropic(given[THE_USAGE], counts) || !set_said(said, fields)) return 0;
    if (!(fields[A_TIME] = plain_time(NULL, row[TIMESTAMP])) || fields[A_TIME] == Py_None) return 0;
    set_service(given[THE_USAGE], fields);
    fields[A_MODEL] = Py_NewRef(model), fields[A_PROVIDER] = of_part(PROVIDER_OF, model), fields[AN_ID] = Py_NewRef(given[REPLY]);
    fields[A_KEY] = key_of(row, given[REPLY], model), fields[A_CONVERSATION] = Py_NewRef(conversation);
    fields[A_TRACE] = Py_NewRef(row[SESSION]), fields[AN_APP] = folder ? of_part(FOLDER_OF, folder) : Py_NewRef(Py_None);
    fields[SOME_TAGS] = Py_NewRef(tag_sets[tags_of(row, given[STOP_REASON])]);
    fields[THE_TOOLS] = Py_NewRef(PyTuple_GET_ITEM(session_parts, SESSION_TOOLS));
    fields[A_USAGE] = usage_of(counts, ANTHROPIC_FIELDS, anthropic_fields_by);
    for (int k = 0; k < REQUEST_FIELDS; k++)
        if (!fields[k]) return 0;
    return 1;
}

/* Make the request of a row, without its prompt; NULL where it is odd, or with an error. */
static PyObject *call_of(PyObject *const *row, PyObject *const *given, PyObject *conversation, PyObject *said) {
    PyObject *fields[REQUEST_FIELDS] = {NULL}, *found = NULL;
    if (set_call(row, given, conversation, said, fields))
        found = PyObject_Vectorcall(PyTuple_GET_ITEM(session_parts, REQUEST_CLASS), fields, 0, request_by);
    for (int k = 0; k < REQUEST_FIELDS; k++) Py_XDECREF(fields[k]);
    return found;
}

/* The conversation of a row, its messages, and its request or None; nothing of a row without a message. NULL where it is
   odd, or with an error. */
static PyObject *read_row(PyObject *record) {
    PyObject *row[ROW_NAMES], *given[MESSAGE_NAMES];
    get_all(record, row_by, row);
    for (int k = FIRST_OTHER; k < ROW_NAMES; k++)
        if (row[k]) return NULL;
    if (row[DATA] && !(PyDict_CheckExact(row[DATA]) && !get(row[DATA], PyTuple_GET_ITEM(row_by, THE_MESSAGE)))) return NULL;
    if (!row[THE_MESSAGE]) return PyTuple_New(0);
    if (!PyDict_CheckExact(row[THE_MESSAGE]) || !says(row[SESSION])) return NULL;
    get_all(row[THE_MESSAGE], message_by, given);
    int has_usage = given[THE_USAGE] && given[THE_USAGE] != Py_None;
    if (!is_text(given[THE_ROLE]) || (has_usage ? !PyDict_CheckExact(given[THE_USAGE]) : given[THE_MODEL] != NULL)) return NULL;
    PyObject *conversation = conversation_of(row), *said = conversation ? turns_of(given[THE_ROLE], given[CONTENT]) : NULL;
    PyObject *call = !said ? NULL : has_usage ? call_of(row, given, conversation, said) : Py_NewRef(Py_None);
    PyObject *found = call ? PyTuple_Pack(3, conversation, said, call) : NULL;
    Py_XDECREF(conversation), Py_XDECREF(said), Py_XDECREF(call);
    return found;
}

static PyObject *session_row(PyObject *Py_UNUSED(module), PyObject *record) {
    PyObject *found = PyDict_CheckExact(record) && session_parts && message && known_words && usage_class ? read_row(record) : NULL;
    if (found || PyErr_ExceptionMatches(PyExc_MemoryError)) return found;
    PyErr_Clear(); /* which Python meets too */
    Py_RETURN_NONE;
}

static PyObject *prepare_sessions(PyObject *Py_UNUSED(module), PyObject *parts) {
    if (!PyTuple_CheckExact(parts) || PyTuple_GET_SIZE(parts) != SESSION_PARTS)
        return PyErr_SetString(PyExc_TypeError, "rows of sessions are made by a tuple of seven"), NULL;
    Py_XSETREF(session_parts, Py_NewRef(parts));
    Py_RETURN_NONE;
}

#endif
