/* Says whether the two ends of a text hold a word of every group, what a text may begin with, and which ask ends a plain
   prompt. words.py gives the same answers in Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "_ask.h"
#include "_context.h"
#include "_plain_ask.h"
#include "_search.h"

static PyObject *name_role, *name_text;

static PyObject *labelled(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    Labels labels;
    if (count != 2 || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "labelled takes a tuple of words in lower case and a text");
        return NULL;
    }
    if (!read_labels(args[0], &labels)) return NULL;
    return PyBool_FromLong(before_colon(&labels, chars_of(args[1]), 0, PyUnicode_GET_LENGTH(args[1])));
}

static PyObject *in_ends(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3 || !PyUnicode_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "in_ends takes prepared words, a number of characters and a text");
        return NULL;
    }
    const Words *words = PyCapsule_GetPointer(args[0], "words");
    Py_ssize_t edge = PyLong_AsSsize_t(args[1]);
    if (!words || PyErr_Occurred()) return NULL;
    return PyBool_FromLong(has_words(words, edge, chars_of(args[2]), PyUnicode_GET_LENGTH(args[2])));
}

/* A message's role and text; 0 and an error where it has none. */
static int read_message(PyObject *message, PyObject **role, PyObject **text) {
    *role = PyObject_GetAttr(message, name_role), *text = *role ? PyObject_GetAttr(message, name_text) : NULL;
    if (*text && PyUnicode_Check(*role) && PyUnicode_Check(*text)) return 1;
    if (*text) PyErr_SetString(PyExc_TypeError, "a message has a role and a text");
    Py_XDECREF(*role);
    Py_XDECREF(*text);
    return 0;
}

static PyObject *begins(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "begins takes prepared words and a text");
        return NULL;
    }
    const Words *words = PyCapsule_GetPointer(args[0], "words");
    if (!words) return NULL;
    PyObject *text = args[1];
    return PyBool_FromLong(begins_text(words, chars_of(text), 0, PyUnicode_GET_LENGTH(text)));
}

static PyObject *plain_ask(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyList_CheckExact(args[1]) || !PyList_GET_SIZE(args[1])) {
        PyErr_SetString(PyExc_TypeError, "plain_ask takes a plan and messages");
        return NULL;
    }
    AskPlan plan;
    Py_ssize_t last = PyList_GET_SIZE(args[1]) - 1;
    PyObject *role, *text, *first, *system = NULL, *found = NULL;
    if (!read_ask_plan(args[0], &plan) || !read_message(PyList_GET_ITEM(args[1], 0), &first, &system)) return NULL;
    if (read_message(PyList_GET_ITEM(args[1], last), &role, &text)) {
        int is_system = last && PyUnicode_CompareWithASCIIString(first, "system") == 0;
        if (PyUnicode_CompareWithASCIIString(role, "user") == 0) found = plain_ask_of(&plan, text, is_system ? system : NULL);
        else found = Py_NewRef(Py_None);
        Py_DECREF(role), Py_DECREF(text);
    }
    Py_DECREF(first), Py_DECREF(system);
    return found;
}

static void release(PyObject *capsule) {
    Words *words = PyCapsule_GetPointer(capsule, "words");
    for (int k = 0; k < KNOWN; k++) Py_XDECREF(words->known[k].text);
    PyMem_Free(words);
}

/* Prepare groups of words, or, of a single group, words that texts begin with. */
static PyObject *prepared(PyObject *groups, int are_heads) {
    if (!PyTuple_Check(groups) || (!are_heads && PyTuple_GET_SIZE(groups) > MAX_GROUPS)) {
        PyErr_SetString(PyExc_TypeError, "words come as a tuple, and groups as a tuple of at most 8 of these");
        return NULL;
    }
    Words *words = PyMem_Calloc(1, sizeof *words);
    if (!words) return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(words, "words", release);
    if (!capsule) PyMem_Free(words);
    else words->groups = are_heads ? 0 : (int)PyTuple_GET_SIZE(groups);
    for (Py_ssize_t g = 0; capsule && g < PyTuple_GET_SIZE(groups); g++) {
        PyObject *group = PyTuple_GET_ITEM(groups, g);
        if (are_heads && !add_word(words, group, -1)) Py_CLEAR(capsule);
        for (Py_ssize_t k = 0; !are_heads && capsule && k < (PyTuple_Check(group) ? PyTuple_GET_SIZE(group) : 0); k++)
            if (!add_word(words, PyTuple_GET_ITEM(group, k), (int)g)) Py_CLEAR(capsule);
    }
    return capsule;
}

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *groups) { return prepared(groups, 0); }

static PyObject *prepare_heads(PyObject *Py_UNUSED(module), PyObject *words) { return prepared(words, 1); }

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_O, "Prepare groups of words for in_ends."},
    {"prepare_heads", prepare_heads, METH_O, "Prepare words for begins, and tags for plain_ask."},
    {"begins", (PyCFunction)(void (*)(void))begins, METH_FASTCALL, "Whether a text may begin with a word."},
    {"in_ends", (PyCFunction)(void (*)(void))in_ends, METH_FASTCALL, "Whether the ends of a text hold a word of each group."},
    {"labelled", (PyCFunction)(void (*)(void))labelled, METH_FASTCALL, "Whether a word may stand before a colon."},
    {"plain_ask", (PyCFunction)(void (*)(void))plain_ask, METH_FASTCALL, "The ask that ends a prompt, where it is plain."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_words", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__words(void) {
    if (!(name_role = PyUnicode_InternFromString("role")) || !(name_text = PyUnicode_InternFromString("text"))) return NULL;
    return PyModule_Create(&module);
}
