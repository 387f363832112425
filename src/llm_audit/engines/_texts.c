/* Hashes the texts of a request: all messages in a chain, and the longest line of one. features/text.py and features/line_hash.py
   give the same answers in Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_longest.h"
#include "_xxh3.h"

static PyObject *name_role, *name_text, *name_calls, *name_images, *name_audio;

typedef struct {
    uint64_t chain, parent, opening, system;
    long long turns, chars, images, sounds;
    int has_parent, after_reply, after_tool;
} Prompt;

/* Add the calls and the media of a message that has any. */
static int add_beside_text(Prompt *prompt, PyObject *calls, PyObject *images, PyObject *sounds) {
    long long pictures = PyLong_AsLongLong(images), recordings = PyLong_AsLongLong(sounds);
    if (PyErr_Occurred()) return 0;
    if (!pictures && !recordings && PyUnicode_Check(calls) && !PyUnicode_GET_LENGTH(calls)) return 1;
    PyObject *joined = PyUnicode_FromFormat("%S%c%S%c%S", calls, 0, images, 0, sounds);
    int done = joined && hash_text(joined, prompt->chain, &prompt->chain);
    Py_XDECREF(joined);
    if (!done) return 0;
    prompt->chars += PyUnicode_GET_LENGTH(calls), prompt->images += pictures, prompt->sounds += recordings;
    return 1;
}

static int add_message(Prompt *prompt, PyObject *const *part) {
    PyObject *role = part[0], *text = part[1];
    uint64_t seed;
    if (!PyUnicode_Check(role) || !PyUnicode_Check(text) || !PyUnicode_Check(part[2])) {
        PyErr_SetString(PyExc_TypeError, "a message has a role, a text and calls that are texts");
        return 0;
    }
    int is_reply = PyUnicode_CompareWithASCIIString(role, "assistant") == 0;
    int is_system = PyUnicode_CompareWithASCIIString(role, "system") == 0;
    if (is_reply && !prompt->after_reply) {
        prompt->parent = prompt->chain, prompt->has_parent = 1;
        if (!prompt->opening) prompt->opening = prompt->chain;
    }
    prompt->turns += !is_reply && !is_system;
    prompt->chars += PyUnicode_GET_LENGTH(text);
    if (!hash_text(role, 0, &seed) || !hash_text(text, prompt->chain ^ seed, &prompt->chain)) return 0;
    if (!add_beside_text(prompt, part[2], part[3], part[4])) return 0;
    if (is_system && !prompt->turns) prompt->system = prompt->chain;
    prompt->after_reply = is_reply, prompt->after_tool = PyUnicode_CompareWithASCIIString(role, "tool") == 0;
    return 1;
}

static PyObject *fold(PyObject *Py_UNUSED(module), PyObject *messages) {
    PyObject *const names[] = {name_role, name_text, name_calls, name_images, name_audio};
    Prompt prompt = {0};
    if (!PyList_CheckExact(messages)) {
        PyErr_SetString(PyExc_TypeError, "fold takes a list of messages");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(messages); i++) {
        PyObject *message = Py_NewRef(PyList_GET_ITEM(messages, i)), *part[5] = {0};
        int read = 0, done;
        while (read < 5 && (part[read] = PyObject_GetAttr(message, names[read]))) read++;
        done = read == 5 && add_message(&prompt, part);
        for (int k = 0; k < 5; k++) Py_XDECREF(part[k]);
        Py_DECREF(message);
        if (!done) return NULL;
    }
    PyObject *parent = prompt.has_parent ? PyLong_FromUnsignedLongLong(prompt.parent) : Py_NewRef(Py_None);
    uint64_t opening = prompt.opening ? prompt.opening : prompt.chain;
    return Py_BuildValue("(KNKKLLLLO)", prompt.chain, parent, opening, prompt.system, prompt.turns, prompt.chars,
                         prompt.images, prompt.sounds, prompt.after_tool ? Py_True : Py_False);
}

static PyObject *line_hash(PyObject *Py_UNUSED(module), PyObject *text) {
    uint64_t hash;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "line_hash takes a text");
        return NULL;
    }
    int found = hash_longest(chars_of(text), PyUnicode_GET_LENGTH(text), PyUnicode_IS_ASCII(text), &hash);
    if (found < 0) return NULL;
    if (!found) Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(hash);
}

static PyMethodDef methods[] = {
    {"fold", fold, METH_O, "The chain of hashes of a list of messages, and what is counted of them."},
    {"line_hash", line_hash, METH_O, "The hash of a text's longest line."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_texts", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__texts(void) {
    if (!(name_role = PyUnicode_InternFromString("role")) || !(name_text = PyUnicode_InternFromString("text")) ||
        !(name_calls = PyUnicode_InternFromString("calls")) || !(name_images = PyUnicode_InternFromString("images")) ||
        !(name_audio = PyUnicode_InternFromString("audio"))) return NULL;
    return PyModule_Create(&module);
}
