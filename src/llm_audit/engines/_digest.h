/* Hashes the messages of a prompt in a chain, counts them, and finds what it ends with. features/digest.py does the same
   in Python. */
#ifndef LLM_AUDIT_DIGEST_H
#define LLM_AUDIT_DIGEST_H
#include <Python.h>

#include "../classify/_plain_ask.h"
#include "_longest.h"
#include "_slots.h"
#include "_xxh3.h"

enum { ROLE, TEXT, CALLS, IMAGES, SOUNDS, PARTS };
static const char *const part_names[PARTS] = {"role", "text", "calls", "images", "audio"};

/* The usual type of messages, where their fields lie, and what these are called in any other. */
typedef struct {
    PyObject *type, *name[PARTS];
    Py_ssize_t at[PARTS];
} Messages;

static int find_parts(PyObject *type, Messages *messages) {
    messages->type = type;
    for (int k = 0; k < PARTS; k++)
        if (!find_slot(type, part_names[k], &messages->at[k])) return 0;
        else if (!(messages->name[k] = PyUnicode_InternFromString(part_names[k]))) return 0;
    return 1;
}

/* A part of a message; NULL and an error where it is of another type than it should be. */
static PyObject *part_of_message(const Messages *plan, PyObject *message, int k) {
    PyObject *part = Py_IS_TYPE(message, (PyTypeObject *)plan->type) ? Py_XNewRef(slot(message, plan->at[k]))
                                                                     : PyObject_GetAttr(message, plan->name[k]);
    if (part && (k < IMAGES ? PyUnicode_Check(part) : PyLong_Check(part))) return part;
    if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "the %s of a message is of another type", part_names[k]);
    return Py_XDECREF(part), NULL;
}

typedef struct {
    uint64_t chain, parent, opening, system;
    long long turns, chars, images, sounds, leading; /* leading: characters of the system messages that begin it */
    int has_parent, after_reply, after_tool, is_leading;
    /* The text that ends a prompt, and the system prompt that begins it, if any. */
    PyObject *last, *first_system;
    Py_ssize_t users; /* messages of the user at the end */
} Prompt;

/* Add the calls and the media of a message that has any. */
static int add_beside_text(Prompt *prompt, PyObject *calls, PyObject *images, PyObject *sounds) {
    long long pictures = PyLong_AsLongLong(images), recordings = PyLong_AsLongLong(sounds);
    if (PyErr_Occurred()) return 0;
    if (!pictures && !recordings && !PyUnicode_GET_LENGTH(calls)) return 1;
    PyObject *joined = PyUnicode_FromFormat("%U%c%S%c%S", calls, 0, images, 0, sounds);
    int done = joined && hash_text(joined, prompt->chain, &prompt->chain);
    Py_XDECREF(joined);
    if (!done) return 0;
    prompt->chars += PyUnicode_GET_LENGTH(calls), prompt->images += pictures, prompt->sounds += recordings;
    return 1;
}

static int is_role(PyObject *role, const char *name) { return !PyUnicode_CompareWithASCIIString(role, name); }

static int add_message(Prompt *prompt, PyObject *const *part) {
    PyObject *role = part[ROLE], *text = part[TEXT];
    uint64_t seed;
    int is_user = is_role(role, "user"), is_reply = is_role(role, "assistant"), is_system = is_role(role, "system");
    if (is_reply && !prompt->after_reply) {
        prompt->parent = prompt->chain, prompt->has_parent = 1;
        if (!prompt->opening) prompt->opening = prompt->chain;
    }
    prompt->turns += !is_reply && !is_system;
    prompt->chars += PyUnicode_GET_LENGTH(text);
    if (!hash_text(role, 0, &seed) || !hash_text(text, prompt->chain ^ seed, &prompt->chain)) return 0;
    if (!add_beside_text(prompt, part[CALLS], part[IMAGES], part[SOUNDS])) return 0;
    if (is_system && !prompt->turns) prompt->system = prompt->chain;
    prompt->is_leading &= is_system;
    if (prompt->is_leading) prompt->leading += PyUnicode_GET_LENGTH(text);
    prompt->after_reply = is_reply, prompt->after_tool = is_role(role, "tool");
    prompt->users = is_user ? prompt->users + 1 : 0;
    Py_XSETREF(prompt->last, Py_NewRef(text));
    return 1;
}

static void drop_prompt(Prompt *prompt) {
    Py_CLEAR(prompt->last);
    Py_CLEAR(prompt->first_system);
}

/* Read the messages of a list that is not empty into a prompt, which is to be dropped; 0 and an error where one is odd. */
static int read_messages(const Messages *plan, PyObject *messages, Prompt *prompt) {
    *prompt = (Prompt){.is_leading = 1};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(messages); i++) {
        PyObject *message = Py_NewRef(PyList_GET_ITEM(messages, i)), *part[PARTS];
        int read = 0, done;
        while (read < PARTS && (part[read] = part_of_message(plan, message, read))) read++;
        done = read == PARTS && add_message(prompt, part);
        if (done && !i && is_role(part[ROLE], "system")) prompt->first_system = Py_NewRef(part[TEXT]);
        while (read--) Py_DECREF(part[read]);
        Py_DECREF(message);
        if (!done) return 0;
    }
    return 1;
}

/* The texts of the messages that end a prompt, as lines. */
static PyObject *last_texts(const Messages *plan, PyObject *messages, Py_ssize_t count) {
    PyObject *texts = PyList_New(0), *line = texts ? PyUnicode_FromOrdinal('\n') : NULL, *found = NULL;
    Py_ssize_t first = PyList_GET_SIZE(messages) - count;
    for (Py_ssize_t i = first < 0 ? 0 : first; line && i < PyList_GET_SIZE(messages); i++) {
        PyObject *text = part_of_message(plan, PyList_GET_ITEM(messages, i), TEXT);
        if (!text || PyList_Append(texts, text) < 0) Py_CLEAR(line);
        Py_XDECREF(text);
    }
    if (line) found = PyUnicode_Join(line, texts);
    Py_XDECREF(texts), Py_XDECREF(line);
    return found;
}

/* Hash the longest line of a text: 1 where that is done, 0 where it is short, -1 with an error. */
static int hash_line_of(PyObject *text, uint64_t *hash) {
    return hash_longest(chars_of(text), PyUnicode_GET_LENGTH(text), PyUnicode_IS_ASCII(text), hash);
}

/* The same of the user's messages that end a prompt. */
static int hash_quoted(const Messages *plan, PyObject *messages, const Prompt *prompt, uint64_t *hash) {
    if (prompt->users < 2) return prompt->users ? hash_line_of(prompt->last, hash) : 0;
    PyObject *texts = last_texts(plan, messages, prompt->users);
    int found = texts ? hash_line_of(texts, hash) : -1;
    Py_XDECREF(texts);
    return found;
}

/* The ask of a prompt as ``plain_ask_of`` finds it. */
static PyObject *ask_of(const AskPlan *plan, PyObject *messages, const Prompt *prompt) {
    if (!prompt->users) return Py_NewRef(Py_None);
    return plain_ask_of(plan, prompt->last, PyList_GET_SIZE(messages) > 1 ? prompt->first_system : NULL);
}

#endif
