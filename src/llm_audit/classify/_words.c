/* Says whether the two ends of a text hold a word of every group, what a text may begin with, and which ask ends a plain
   prompt. words.py gives the same answers in Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "_ask.h"
#include "_search.h"

#define CASELESS 0x3000 /* letters from here on have one case */
#define WIDE_COLON 0xFF1A
#define LABEL 24 /* characters in which a line has its label */
#define MAX_LABELS 64

static PyObject *name_role, *name_text;

/* Whether a letter may be one of a word in lower case, under any folding of case: beyond ASCII some fold to others. */
static int may_be(Py_UCS4 c, Py_UCS4 letter) {
    if (c < 128) return (c >= 'A' && c <= 'Z' ? c + 32 : c) == letter;
    if (c == 0x130 || c == 0x131 || c == 0x17F || c == 0x212A) return 1; /* they fold to ASCII */
    return c < CASELESS ? letter >= 128 : c == letter;
}

typedef struct {
    int kind;
    const void *data;
    Py_ssize_t length;
} Label;

static int ends_with(const Label *word, int kind, const void *data, Py_ssize_t end) {
    if (word->length > end) return 0;
    for (Py_ssize_t k = 1; k <= word->length; k++)
        if (!may_be(PyUnicode_READ(kind, data, end - k), PyUnicode_READ(word->kind, word->data, word->length - k))) return 0;
    return 1;
}

/* Whether one of the words may stand before a colon of the text, with blanks and asterisks between. */
static int before_colon(PyObject *words, PyObject *text) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), count = PyTuple_GET_SIZE(words);
    Label labels[MAX_LABELS];
    uint8_t ends[128] = {0}; /* whether a word ends with a letter */
    for (Py_ssize_t k = 0; k < count; k++) {
        PyObject *word = PyTuple_GET_ITEM(words, k);
        labels[k] = (Label){PyUnicode_KIND(word), PyUnicode_DATA(word), PyUnicode_GET_LENGTH(word)};
        Py_UCS4 c = labels[k].length ? PyUnicode_READ(labels[k].kind, labels[k].data, labels[k].length - 1) : 128;
        if (c < 128) ends[c] = 1;
    }
    for (Py_ssize_t i = 0, end; i < length; i++) {
        if (kind == PyUnicode_1BYTE_KIND) {
            const char *colon = memchr((const char *)data + i, ':', (size_t)(length - i));
            if (!colon) break;
            i = colon - (const char *)data;
        }
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c != ':' && c != WIDE_COLON) continue;
        for (end = i, c = 128; end; end--) {
            c = PyUnicode_READ(kind, data, end - 1);
            if (c != '*' && !Py_UNICODE_ISSPACE(c)) break;
        }
        if (c < 128 && !ends[c >= 'A' && c <= 'Z' ? c + 32 : c]) continue;
        for (Py_ssize_t k = 0; k < count; k++)
            if (ends_with(&labels[k], kind, data, end)) return 1;
    }
    return 0;
}

static int are_texts(PyObject *words) {
    int fits = PyTuple_Check(words) && PyTuple_GET_SIZE(words) <= MAX_LABELS;
    for (Py_ssize_t k = 0; fits && k < PyTuple_GET_SIZE(words); k++) fits = PyUnicode_Check(PyTuple_GET_ITEM(words, k));
    return fits;
}

static PyObject *labelled(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !are_texts(args[0]) || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "labelled takes a tuple of words in lower case and a text");
        return NULL;
    }
    return PyBool_FromLong(before_colon(args[0], args[1]));
}

/* Whether text[from:to] may hold one of the tags. */
static int has_tag(const Words *tags, PyObject *text, Py_ssize_t from, Py_ssize_t to) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = from; (i = PyUnicode_FindChar(text, '<', i, to, 1)) >= 0; i++)
        if (begins_at(tags, kind, data, i + 1, to)) return 1;
    return 0;
}

/* Whether text[from:to] may hold a quotation, a fence, a closed tag, examples, or documents before a question. */
static int has_context(PyObject *labels, PyObject *text, Py_ssize_t from, Py_ssize_t to) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t i;
    for (i = from; (i = PyUnicode_FindChar(text, '>', i, to, 1)) >= 0; i++)
        if (i == from || PyUnicode_READ(kind, data, i - 1) == '\n') return 1;
    for (i = from; (i = PyUnicode_FindChar(text, '`', i, to, 1)) >= 0; i++)
        if (i + 2 < to && PyUnicode_READ(kind, data, i + 1) == '`' && PyUnicode_READ(kind, data, i + 2) == '`') return 1;
    for (i = from; (i = PyUnicode_FindChar(text, '<', i, to, 1)) >= 0; i++)
        if (i + 1 < to && PyUnicode_READ(kind, data, i + 1) == '/') return 1;
    i = PyUnicode_FindChar(text, '\n', from, to, -1);
    i = i < 0 ? from : i + 1;
    for (Py_ssize_t end = to - i < LABEL ? to : i + LABEL; i < end; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == ':' || c == WIDE_COLON) return 1;
    }
    return before_colon(labels, text);
}

/* The text without blanks around it, or alone the part that asks where that is plain, else all with whether it may hold
   context; None where a harness may have written in it. */
static PyObject *stripped(const Plan *plan, PyObject *text) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t from = 0, to = PyUnicode_GET_LENGTH(text);
    if (to && PyUnicode_READ(kind, data, 0) == '#') Py_RETURN_NONE; /* perhaps AGENTS.md */
    while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, from))) from++;
    while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, to - 1))) to--;
    if (from == to || has_tag(plan->tags, text, from, to)) Py_RETURN_NONE;
    PyObject *context = has_context(plan->labels, text, from, to) ? Py_True : Py_False;
    if (context == Py_False) {
        PyObject *ask = ask_of(plan, text, from, to);
        if (ask || PyErr_Occurred()) return ask;
    }
    return Py_BuildValue("(NO)", PyUnicode_Substring(text, from, to), context);
}

static PyObject *in_ends(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3 || !PyUnicode_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "in_ends takes prepared words, a number of characters and a text");
        return NULL;
    }
    const Words *words = PyCapsule_GetPointer(args[0], "words");
    Py_ssize_t edge = PyLong_AsSsize_t(args[1]);
    if (!words || PyErr_Occurred()) return NULL;
    return PyBool_FromLong(has_words(words, edge, args[2]));
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
    Chars chars = {PyUnicode_KIND(text), PyUnicode_DATA(text)};
    return PyBool_FromLong(begins_text(words, chars, 0, PyUnicode_GET_LENGTH(text)));
}

static Words *prepared_at(PyObject *capsules, Py_ssize_t place) {
    return PyCapsule_GetPointer(PyTuple_GET_ITEM(capsules, place), "words");
}

static int read_plan(PyObject *const *args, Plan *plan) {
    if (!PyTuple_Check(args[0]) || PyTuple_GET_SIZE(args[0]) != 8 || !PyTuple_Check(args[1]) || !are_texts(args[2])) {
        PyErr_SetString(PyExc_TypeError, "plain_ask takes eight prepared words, five sizes, labels and messages");
        return 0;
    }
    plan->labels = args[2];
    return (plan->chores = prepared_at(args[0], 0)) && (plan->tags = prepared_at(args[0], 1)) &&
           (plan->rework = prepared_at(args[0], 2)) && (plan->surely_rework = prepared_at(args[0], 3)) &&
           (plan->polite = prepared_at(args[0], 4)) && (plan->requests = prepared_at(args[0], 5)) &&
           (plan->assent = prepared_at(args[0], 6)) &&
           (plan->reference = prepared_at(args[0], 7)) &&
           PyArg_ParseTuple(args[1], "nnnnn", &plan->edge, &plan->follow_up_chars, &plan->long_chars,
                            &plan->paragraph_chars, &plan->pasted_chars);
}

static PyObject *plain_ask(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyList_CheckExact(args[3]) || !PyList_GET_SIZE(args[3])) {
        PyErr_SetString(PyExc_TypeError, "plain_ask takes eight prepared words, five sizes, labels and messages");
        return NULL;
    }
    Plan plan;
    Py_ssize_t last = PyList_GET_SIZE(args[3]) - 1;
    PyObject *role, *text, *found = NULL;
    if (!read_plan(args, &plan) || !read_message(PyList_GET_ITEM(args[3], last), &role, &text)) return NULL;
    int plain = PyUnicode_CompareWithASCIIString(role, "user") == 0 && !has_words(plan.chores, plan.edge, text);
    if (plain) found = stripped(&plan, text);
    Py_DECREF(role), Py_DECREF(text);
    if (!plain) Py_RETURN_NONE;
    if (!found || found == Py_None || !last) return found;
    if (!read_message(PyList_GET_ITEM(args[3], 0), &role, &text)) plain = -1;
    else {
        plain = PyUnicode_CompareWithASCIIString(role, "system") != 0 || !repeated_has_words(plan.chores, plan.edge, text);
        Py_DECREF(role), Py_DECREF(text);
    }
    if (plain == 1) return found;
    Py_DECREF(found);
    if (plain < 0) return NULL;
    Py_RETURN_NONE;
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
