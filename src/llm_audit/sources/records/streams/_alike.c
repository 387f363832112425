/* Takes the events of a stream together that differ in a piece of text alone, before they are decoded: most streams repeat all but a
   few words in each. What is not as plain is left to assemble.py, which comes to the same result. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#include "_chat.h"

#define FIRST "data: "
#define KIND "event: "
#define DONE "[DONE]"

typedef struct {
    const char *at, *end;
} Span;

/* Lines written so far, and the event that the last of them was made of: what is before its text and what is after it. */
typedef struct {
    char *lines, *to;
    Py_ssize_t count;
    Span before, after;
    int is_messages; /* of Anthropic, whose first event says so */
} Output;

static size_t size(Span span) { return (size_t)(span.end - span.at); }

static const char *find(Span text, const char *what) {
    size_t length = strlen(what);
    for (const char *at = text.at; (size_t)(text.end - at) >= length && (at = memchr(at, *what, (size_t)(text.end - at) - length + 1)); at++)
        if (!memcmp(at, what, length)) return at;
    return NULL;
}

/* The end of characters of a JSON text, none of which is written by its number or unfinished. */
static const char *plain_end(Span text) {
    const char *at = text.at;
    for (; at < text.end && *at != '"'; at++) {
        if ((unsigned char)*at < ' ') break;
        if (*at == '\\' && (++at == text.end || !strchr("\"\\/bfnrt", *at) || !*at)) return NULL;
    }
    return at;
}

static void put(Output *output, Span text) {
    memcpy(output->to, text.at, size(text));
    output->to += size(text);
}

/* Add the text of an event that is like the last one in all else. */
static int is_added(Output *output, Span event) {
    size_t before = size(output->before), after = size(output->after);
    if (!output->after.at || size(event) < before + after) return 0;
    Span text = {event.at + before, event.end - after};
    if (memcmp(event.at, output->before.at, before) || memcmp(text.end, output->after.at, after)) return 0;
    if (plain_end(text) != text.end) return 0;
    output->to -= after + 1; /* and the line's end */
    put(output, (Span){text.at, event.end});
    *output->to++ = '\n';
    return 1;
}

/* Whether the data of an event begin with their type, and it is this one, in quotation marks. */
static int is_of(Span event, const char *type) {
    static const char key[] = "{\"type\":";
    if (size(event) < strlen(key) + 1 + strlen(type) || memcmp(event.at, key, strlen(key))) return 0;
    const char *at = event.at + strlen(key);
    return !strncmp(*at == ' ' ? at + 1 : at, type, strlen(type));
}

/* The name of the text that may differ; NULL where none may. */
static const char *name_in(const Output *output, Span event) {
    if (!output->is_messages) return "\"content\":";
    if (!is_of(event, "\"content_block_delta\"")) return NULL;
    int has_text = find(event, "\"text\":") != NULL, has_input = find(event, "\"partial_json\":") != NULL;
    return has_text == has_input ? NULL : has_text ? "\"text\":" : "\"partial_json\":";
}

static void add(Output *output, Span event) {
    if (is_added(output, event)) return;
    output->before = output->after = (Span){NULL, NULL};
    put(output, event);
    *output->to++ = '\n', output->count++;
    const char *written = name_in(output, event), *name = written ? find(event, written) : NULL;
    const char *from = name ? name + strlen(written) : NULL;
    if (from && from < event.end && *from == ' ') from++;
    if (!from || from >= event.end || *from++ != '"' || find((Span){event.at, name}, "\"usage\"")) return;
    const char *to = plain_end((Span){from, event.end});
    if (!to || to == event.end || find((Span){to, event.end}, written)) return;
    if (output->is_messages && find((Span){to, event.end}, "\"type\"")) return; /* which would count, not the first */
    if (*to == '"') output->before = (Span){event.at, from}, output->after = (Span){to, event.end};
}

/* The start of the line after one that names an event; the same place where none does, NULL where it does so oddly. */
static const char *pass_kind(Span text) {
    if (size(text) < strlen(KIND) || memcmp(text.at, KIND, strlen(KIND))) return text.at;
    const char *at = text.at + strlen(KIND);
    while (at < text.end && (unsigned char)*at > ' ' && (unsigned char)*at < 127) at++;
    return at < text.end && *at == '\n' ? at + 1 : NULL;
}

/* Read the events, each of which is one line of data with an empty line after it, and may have its kind before it. */
static int read_events(Span text, Output *output) {
    while (text.at < text.end) {
        if (!(text.at = pass_kind(text))) return 0;
        const char *end = memchr(text.at, '\n', size(text));
        Span event = {text.at + strlen(FIRST), end ? end : text.end};
        if (size((Span){text.at, event.end}) <= strlen(FIRST) || memcmp(text.at, FIRST, strlen(FIRST))) return 0;
        text.at = event.end;
        while (text.at < text.end && *text.at == '\n') text.at++;
        if (text.at - event.end == 1 && text.at < text.end) return 0; /* data of two lines */
        if (size(event) == strlen(DONE) && text.at == text.end && !memcmp(event.at, DONE, size(event))) return 1;
        if (*event.at != '{' || event.end[-1] != '}' || memchr(event.at, '\r', size(event))) return 0;
        if (!output->count) output->is_messages = is_of(event, "\"message_start\"");
        add(output, event);
    }
    return 1;
}

/* Whether a character beyond ASCII may end a line. */
static int has_other_ends(Span text) { return find(text, "\xC2\x85") || find(text, "\xE2\x80\xA8") || find(text, "\xE2\x80\xA9"); }

static PyObject *taken_together(PyObject *Py_UNUSED(module), PyObject *body) {
    Py_ssize_t length;
    if (!PyUnicode_Check(body)) return PyErr_SetString(PyExc_TypeError, "taken_together takes a text"), NULL;
    const char *data = PyUnicode_AsUTF8AndSize(body, &length);
    if (!data) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    Span text = {data, data + length};
    if (!PyUnicode_IS_ASCII(body) && has_other_ends(text)) Py_RETURN_NONE;
    Output output = {.lines = PyMem_Malloc((size_t)length + 1)};
    if (!(output.to = output.lines)) return PyErr_NoMemory();
    int done = read_events(text, &output) && output.count;
    PyObject *found = done ? Py_BuildValue("(y#nN)", output.lines, output.to - output.lines, output.count, PyBool_FromLong(output.is_messages)) : Py_NewRef(Py_None);
    PyMem_Free(output.lines);
    return found;
}

static PyMethodDef methods[] = {
    {"taken_together", taken_together, METH_O, "The data of a stream's events as lines, how many, and whether they are Anthropic's; None where it is not plain."},
    {"chat_body", (PyCFunction)(void (*)(void))chat_body, METH_FASTCALL, "The body that chunks of texts add up to; None for any others."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_alike", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__alike(void) { return intern_chat_names() ? PyModule_Create(&module) : NULL; }
