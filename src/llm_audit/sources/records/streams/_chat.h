/* Adds up the chunks of a chat completion that holds text alone, as most do; assemble.py does the same in Python, for any. */
#ifndef LLM_AUDIT_CHAT_H
#define LLM_AUDIT_CHAT_H
#include <Python.h>

static PyObject *name_choices, *name_delta, *name_content, *name_text, *name_calls, *name_usage, *name_object, *no_text;
static PyObject *completion;

/* What is put together: the last value of every field, and the texts. */
typedef struct {
    PyObject *body, *texts, *others; /* names of fields of which none may be a chunk's; NULL for any */
    int has_choices;
} Chat;

static int is_missing(PyObject *value) { return !value || value == Py_None; }

/* Add the texts of a choice; how many they are, -1 where it holds anything else. */
static int add_choice(Chat *chat, PyObject *choice) {
    if (!PyDict_CheckExact(choice)) return -1;
    PyObject *delta = PyDict_GetItemWithError(choice, name_delta);
    if (!is_missing(delta) && !PyDict_CheckExact(delta)) return -1;
    if (is_missing(delta) || !PyDict_GET_SIZE(delta)) delta = choice;
    PyObject *calls = PyDict_GetItemWithError(delta, name_calls);
    if (calls && PyObject_IsTrue(calls)) return -1;
    PyObject *const names[] = {name_content, name_text};
    int added = 0;
    for (int k = 0; k < 2; k++) {
        PyObject *text = PyDict_GetItemWithError(delta, names[k]);
        if (!text || !PyUnicode_CheckExact(text)) continue;
        if (PyList_Append(chat->texts, text)) return -1;
        added++;
    }
    return added;
}

static int add_choices(Chat *chat, PyObject *choices) {
    int added = 0;
    chat->has_choices = 1;
    if (choices == Py_None) return 1;
    if (!PyList_CheckExact(choices)) return 0;
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(choices); k++) {
        int texts = add_choice(chat, PyList_GET_ITEM(choices, k));
        if (texts < 0) return 0;
        added += texts;
    }
    return !chat->others || added <= 1;
}

static int add_chunk(Chat *chat, PyObject *chunk) {
    PyObject *name, *value;
    Py_ssize_t at = 0;
    if (!PyDict_CheckExact(chunk)) return 0;
    while (PyDict_Next(chunk, &at, &name, &value)) {
        if (!PyUnicode_CheckExact(name)) return 0;
        int is_choices = name == name_choices || PyUnicode_Compare(name, name_choices) == 0;
        if (is_choices && !add_choices(chat, value)) return 0;
        if (chat->others && !is_choices) {
            if (PySet_Contains(chat->others, name)) return 0;
            if ((PyDict_CheckExact(value) || PyList_CheckExact(value)) && PyUnicode_Compare(name, name_usage)) return 0;
        }
        if (value != Py_None && !is_choices && PyDict_SetItem(chat->body, name, value)) return 0;
    }
    return 1;
}

static int finish(Chat *chat) {
    PyObject *text = PyUnicode_Join(no_text, chat->texts);
    PyObject *choices = text ? Py_BuildValue("[{s{sssNs[]}}]", "message", "role", "assistant", "content", text, "tool_calls") : NULL;
    int done = choices && !PyDict_SetItem(chat->body, name_object, completion) && !PyDict_SetItem(chat->body, name_choices, choices);
    Py_XDECREF(choices);
    return done;
}

static PyObject *chat_body(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyList_CheckExact(args[0]) || (args[1] != Py_None && !PyFrozenSet_CheckExact(args[1])))
        return PyErr_SetString(PyExc_TypeError, "chat_body takes a list of chunks, and a frozen set of names or None"), NULL;
    Chat chat = {PyDict_New(), PyList_New(0), args[1] == Py_None ? NULL : args[1], 0};
    int done = chat.body && chat.texts;
    for (Py_ssize_t k = 0; done && k < PyList_GET_SIZE(args[0]); k++) done = add_chunk(&chat, PyList_GET_ITEM(args[0], k));
    done = done && !PyErr_Occurred() && chat.has_choices && finish(&chat);
    Py_XDECREF(chat.texts);
    if (!done) Py_CLEAR(chat.body);
    if (done || PyErr_Occurred()) return chat.body;
    Py_RETURN_NONE;
}

static int intern_chat_names(void) {
    PyObject **const names[] = {&name_choices, &name_delta, &name_content, &name_text, &name_calls,
                                &name_usage, &name_object, &no_text, &completion};
    static const char *const written[] = {"choices", "delta", "content", "text", "tool_calls", "usage", "object", "", "chat.completion"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (!(*names[k] = PyUnicode_InternFromString(written[k]))) return 0;
    return 1;
}

#endif
