/* Finds the ask of a prompt, and hashes its messages in a chain and the longest line of a text. features/digest.py and
   features/line_hash.py give the same answers in Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../classify/_plain_ask.h"
#include "_longest.h"
#include "_xxh3.h"

#define PLAN "llm_audit.ask"

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

/* What a prompt ends with, and the system prompt that it begins with. */
typedef struct {
    PyObject *last, *system;
    Py_ssize_t users; /* messages of the user at the end */
} Ends;

static int read_messages(PyObject *messages, Prompt *prompt, Ends *ends) {
    PyObject *const names[] = {name_role, name_text, name_calls, name_images, name_audio};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(messages); i++) {
        PyObject *message = Py_NewRef(PyList_GET_ITEM(messages, i)), *part[5] = {0};
        int read = 0, done;
        while (read < 5 && (part[read] = PyObject_GetAttr(message, names[read]))) read++;
        if ((done = read == 5 && add_message(prompt, part))) {
            if (!i && !PyUnicode_CompareWithASCIIString(part[0], "system")) ends->system = Py_NewRef(part[1]);
            ends->users = PyUnicode_CompareWithASCIIString(part[0], "user") ? 0 : ends->users + 1;
            Py_XSETREF(ends->last, Py_NewRef(part[1]));
        }
        for (int k = 0; k < 5; k++) Py_XDECREF(part[k]);
        Py_DECREF(message);
        if (!done) return 0;
    }
    return 1;
}

/* The texts of the messages that end a prompt, as lines. */
static PyObject *last_texts(PyObject *messages, Py_ssize_t count) {
    PyObject *texts = PyList_New(0), *line = texts ? PyUnicode_FromOrdinal('\n') : NULL, *found = NULL;
    Py_ssize_t first = PyList_GET_SIZE(messages) - count;
    for (Py_ssize_t i = first < 0 ? 0 : first; line && i < PyList_GET_SIZE(messages); i++) {
        PyObject *text = PyObject_GetAttr(PyList_GET_ITEM(messages, i), name_text);
        if (!text || PyList_Append(texts, text) < 0) Py_CLEAR(line);
        Py_XDECREF(text);
    }
    if (line) found = PyUnicode_Join(line, texts);
    Py_XDECREF(texts), Py_XDECREF(line);
    return found;
}

/* The hash of a text's longest line; None where it is short. */
static PyObject *hash_of_line(PyObject *text) {
    uint64_t hash;
    int found = hash_longest(chars_of(text), PyUnicode_GET_LENGTH(text), PyUnicode_IS_ASCII(text), &hash);
    if (found < 0) return NULL;
    return found ? PyLong_FromUnsignedLongLong(hash) : Py_NewRef(Py_None);
}

static PyObject *hash_of_last(PyObject *messages, const Ends *ends) {
    if (ends->users == 1) return hash_of_line(ends->last);
    PyObject *texts = last_texts(messages, ends->users), *found = texts ? hash_of_line(texts) : NULL;
    Py_XDECREF(texts);
    return found;
}

static PyObject *digest_of(const AskPlan *plan, PyObject *messages, const Prompt *prompt, const Ends *ends) {
    PyObject *quoted = ends->users ? hash_of_last(messages, ends) : Py_NewRef(Py_None), *ask = NULL;
    PyObject *system = PyList_GET_SIZE(messages) > 1 ? ends->system : NULL;
    if (quoted) ask = ends->users ? plain_ask_of(plan, ends->last, system) : Py_NewRef(Py_None);
    if (!ask) return Py_XDECREF(quoted), NULL;
    PyObject *parent = prompt->has_parent ? PyLong_FromUnsignedLongLong(prompt->parent) : Py_NewRef(Py_None);
    uint64_t opening = prompt->opening ? prompt->opening : prompt->chain;
    return Py_BuildValue("(NNKNKKLLLLO)", ask, quoted, prompt->chain, parent, opening, prompt->system, prompt->turns,
                         prompt->chars, prompt->images, prompt->sounds, prompt->after_tool ? Py_True : Py_False);
}

static PyObject *digest(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    const AskPlan *plan = count == 2 ? PyCapsule_GetPointer(args[0], PLAN) : NULL;
    if (!plan || !PyList_CheckExact(args[1]) || !PyList_GET_SIZE(args[1])) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "digest takes a plan and messages");
        return NULL;
    }
    Prompt prompt = {0};
    Ends ends = {0};
    PyObject *found = read_messages(args[1], &prompt, &ends) ? digest_of(plan, args[1], &prompt, &ends) : NULL;
    Py_XDECREF(ends.last), Py_XDECREF(ends.system);
    return found;
}

static void release(PyObject *capsule) {
    Py_XDECREF(PyCapsule_GetContext(capsule));
    PyMem_Free(PyCapsule_GetPointer(capsule, PLAN));
}

/* Prepare what asks are chosen by; the capsule keeps the words alive. */
static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *given) {
    AskPlan *plan = PyMem_Calloc(1, sizeof *plan);
    if (!plan) return PyErr_NoMemory();
    PyObject *capsule = read_ask_plan(given, plan) ? PyCapsule_New(plan, PLAN, release) : NULL;
    if (!capsule) PyMem_Free(plan);
    else PyCapsule_SetContext(capsule, Py_NewRef(given));
    return capsule;
}

static PyObject *line_hash(PyObject *Py_UNUSED(module), PyObject *text) {
    if (PyUnicode_Check(text)) return hash_of_line(text);
    PyErr_SetString(PyExc_TypeError, "line_hash takes a text");
    return NULL;
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_O, "Prepare what asks are chosen by."},
    {"digest", (PyCFunction)(void (*)(void))digest, METH_FASTCALL, "The ask that ends a prompt, its hashes, and what is counted."},
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
