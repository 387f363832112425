/* Finds the ask of a prompt, and hashes its messages in a chain and the longest line of a text. features/digest.py and
   features/line_hash.py give the same answers in Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_digest.h"

#define PLAN "llm_audit.ask"

typedef struct {
    AskPlan ask;
    Messages messages;
    PyObject *given; /* which keeps words and the type alive */
} Plan;

/* A hash that was found, None where it was not; NULL with an error. */
static PyObject *hash_or_none(int found, uint64_t hash) {
    if (found < 0) return NULL;
    return found ? PyLong_FromUnsignedLongLong(hash) : Py_NewRef(Py_None);
}

static PyObject *digest_of(const Plan *plan, PyObject *messages, const Prompt *prompt) {
    uint64_t hash = 0, opening = prompt->opening ? prompt->opening : prompt->chain;
    int found = hash_quoted(&plan->messages, messages, prompt, &hash);
    PyObject *quoted = hash_or_none(found, hash), *ask = quoted ? ask_of(&plan->ask, messages, prompt) : NULL;
    if (!ask) return Py_XDECREF(quoted), NULL;
    return Py_BuildValue("(NNKNKKLLLLO)", ask, quoted, prompt->chain, hash_or_none(prompt->has_parent, prompt->parent), opening,
                         prompt->system, prompt->turns, prompt->chars, prompt->images, prompt->sounds,
                         prompt->after_tool ? Py_True : Py_False);
}

static PyObject *digest(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    const Plan *plan = count == 2 ? PyCapsule_GetPointer(args[0], PLAN) : NULL;
    if (!plan || !PyList_CheckExact(args[1]) || !PyList_GET_SIZE(args[1])) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "digest takes a plan and messages");
        return NULL;
    }
    Prompt prompt;
    PyObject *found = read_messages(&plan->messages, args[1], &prompt) ? digest_of(plan, args[1], &prompt) : NULL;
    drop_prompt(&prompt);
    return found;
}

static void release(PyObject *capsule) {
    Plan *plan = PyCapsule_GetPointer(capsule, PLAN);
    Py_DECREF(plan->given);
    PyMem_Free(plan);
}

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *ask, *message;
    if (!PyArg_ParseTuple(args, "OO", &ask, &message)) return NULL;
    Plan *plan = PyMem_Calloc(1, sizeof *plan);
    if (!plan) return PyErr_NoMemory();
    int is_read = read_ask_plan(ask, &plan->ask) && find_parts(message, &plan->messages);
    PyObject *capsule = is_read ? PyCapsule_New(plan, PLAN, release) : NULL;
    if (capsule) plan->given = Py_NewRef(args);
    else PyMem_Free(plan);
    return capsule;
}

static PyObject *line_hash(PyObject *Py_UNUSED(module), PyObject *text) {
    uint64_t hash = 0;
    if (!PyUnicode_Check(text)) return PyErr_SetString(PyExc_TypeError, "line_hash takes a text"), NULL;
    int found = hash_line_of(text, &hash);
    return hash_or_none(found, hash);
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_VARARGS, "Prepare what asks are chosen by, and how messages are read."},
    {"digest", (PyCFunction)(void (*)(void))digest, METH_FASTCALL, "The ask that ends a prompt, its hashes, and what is counted."},
    {"line_hash", line_hash, METH_O, "The hash of a text's longest line."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_texts", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__texts(void) { return PyModule_Create(&module); }
