/* Says whether the two ends of a text hold a word of every group, whatever their case. words.py gives the same answer in
   Python. Three characters of any word begin at a multiple of STEP, so only such places are looked at. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define STEP 2
#define HEAD (STEP + 2) /* the shortest word */
#define MAX_LETTERS 32
#define MAX_WORDS 64
#define MAX_GROUPS 8
#define CASELESS 0x3000 /* letters from here on have one case */
#define WIDE_COLON 0xFF1A
#define LABEL 24 /* characters in which a line has its label */
#define SLOT(a, b, c) (((a) & 31) << 10 | ((b) & 31) << 5 | ((c) & 31)) /* upper and lower case fall together */

static PyObject *name_role, *name_text;

typedef struct {
    uint8_t places[32 * 32 * 32]; /* where in some word's head three characters stand, as bits */
    uint32_t heads[MAX_WORDS]; /* apart from the rest, since they are all that is mostly looked at */
    uint8_t letters[MAX_WORDS][MAX_LETTERS];
    Py_ssize_t length[MAX_WORDS];
    unsigned group[MAX_WORDS], all;
    int count;
} Words;

static uint8_t folded(int kind, const void *data, Py_ssize_t at) {
    Py_UCS4 c = PyUnicode_READ(kind, data, at);
    return c >= 'A' && c <= 'Z' ? c + 32 : c < 128 ? c : 0;
}

static int matches(const Words *words, int word, int kind, const void *data, Py_ssize_t at) {
    Py_ssize_t k = HEAD;
    while (k < words->length[word] && folded(kind, data, at + k) == words->letters[word][k]) k++;
    return k == words->length[word];
}

static unsigned at_place(const Words *words, int kind, const void *data, Py_ssize_t at, Py_ssize_t to) {
    unsigned found = 0;
    uint32_t head = 0;
    for (int k = 0; k < HEAD; k++) head = head << 8 | folded(kind, data, at + k);
    for (int k = 0; k < words->count; k++)
        if (words->heads[k] == head && words->length[k] <= to - at && matches(words, k, kind, data, at))
            found |= words->group[k];
    return found;
}

/* The groups found before, and those with a word in data[from:to]. */
static unsigned search(const Words *words, int kind, const void *data, Py_ssize_t from, Py_ssize_t to, unsigned found) {
    for (Py_ssize_t i = from; i + 2 < to && found != words->all; i += STEP) {
        int places = words->places[SLOT(PyUnicode_READ(kind, data, i), PyUnicode_READ(kind, data, i + 1),
                                        PyUnicode_READ(kind, data, i + 2))];
        for (int k = 0; places >> k; k++)
            if (places >> k & 1 && i - k >= from && i - k + HEAD <= to) found |= at_place(words, kind, data, i - k, to);
    }
    return found;
}

/* Whether a letter may be one of a word in lower case, under any folding of case: beyond ASCII some fold to others. */
static int may_be(Py_UCS4 c, Py_UCS4 letter) {
    if (c < 128) return (c >= 'A' && c <= 'Z' ? c + 32 : c) == letter;
    if (c == 0x130 || c == 0x131 || c == 0x17F || c == 0x212A) return 1; /* they fold to ASCII */
    return c < CASELESS ? letter >= 128 : c == letter;
}

static int ends_with(PyObject *word, int kind, const void *data, Py_ssize_t end) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(word), k = 1;
    if (length > end) return 0;
    while (k <= length && may_be(PyUnicode_READ(kind, data, end - k), PyUnicode_READ_CHAR(word, length - k))) k++;
    return k > length;
}

/* Whether one of the words may stand before a colon of the text, with blanks and asterisks between. */
static int before_colon(PyObject *words, PyObject *text) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    uint8_t ends[128] = {0}; /* whether a word ends with a letter */
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(words); k++) {
        PyObject *word = PyTuple_GET_ITEM(words, k);
        Py_UCS4 c = PyUnicode_GET_LENGTH(word) ? PyUnicode_READ_CHAR(word, PyUnicode_GET_LENGTH(word) - 1) : 128;
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
        for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(words); k++)
            if (ends_with(PyTuple_GET_ITEM(words, k), kind, data, end)) return 1;
    }
    return 0;
}

static int are_texts(PyObject *words) {
    int fits = PyTuple_Check(words);
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

/* Whether text[from:to] may hold a tag. */
static int has_tag(PyObject *text, Py_ssize_t from, Py_ssize_t to) {
    for (Py_ssize_t i = from; (i = PyUnicode_FindChar(text, '<', i, to, 1)) >= 0; i++) {
        Py_UCS4 c = i + 1 < to ? PyUnicode_READ_CHAR(text, i + 1) : 0;
        if (c > 127 || Py_ISALPHA(c)) return 1;
    }
    return 0;
}

/* Whether text[from:to] may hold a quotation, a fence, examples, or documents before a question. */
static int has_context(PyObject *labels, PyObject *text, Py_ssize_t from, Py_ssize_t to) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t i;
    for (i = from; (i = PyUnicode_FindChar(text, '>', i, to, 1)) >= 0; i++)
        if (i == from || PyUnicode_READ(kind, data, i - 1) == '\n') return 1;
    for (i = from; (i = PyUnicode_FindChar(text, '`', i, to, 1)) >= 0; i++)
        if (i + 2 < to && PyUnicode_READ(kind, data, i + 1) == '`' && PyUnicode_READ(kind, data, i + 2) == '`') return 1;
    i = PyUnicode_FindChar(text, '\n', from, to, -1);
    i = i < 0 ? from : i + 1;
    for (Py_ssize_t end = to - i < LABEL ? to : i + LABEL; i < end; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == ':' || c == WIDE_COLON) return 1;
    }
    return before_colon(labels, text);
}

/* The text without blanks around it, and whether it may hold context; None where a harness may have written in it. */
static PyObject *stripped(PyObject *labels, PyObject *text) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t from = 0, to = PyUnicode_GET_LENGTH(text);
    if (to && PyUnicode_READ(kind, data, 0) == '#') Py_RETURN_NONE; /* perhaps AGENTS.md */
    while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, from))) from++;
    while (from < to && Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, to - 1))) to--;
    if (from == to || has_tag(text, from, to)) Py_RETURN_NONE;
    PyObject *context = has_context(labels, text, from, to) ? Py_True : Py_False;
    return Py_BuildValue("(NO)", PyUnicode_Substring(text, from, to), context);
}

static int has_words(const Words *words, Py_ssize_t edge, PyObject *text) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text), whole = length <= edge || length - edge <= edge;
    const void *data = PyUnicode_DATA(text);
    unsigned found = search(words, kind, data, 0, whole ? length : edge, 0);
    if (!whole) found = search(words, kind, data, length - edge, length, found);
    return found == words->all;
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

static PyObject *plain_ask(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !are_texts(args[2]) || !PyList_CheckExact(args[3]) || !PyList_GET_SIZE(args[3])) {
        PyErr_SetString(PyExc_TypeError, "plain_ask takes prepared words, a number of characters, labels and messages");
        return NULL;
    }
    const Words *words = PyCapsule_GetPointer(args[0], "words");
    Py_ssize_t edge = PyLong_AsSsize_t(args[1]), last = PyList_GET_SIZE(args[3]) - 1;
    PyObject *role, *text, *found = NULL;
    if (!words || PyErr_Occurred() || !read_message(PyList_GET_ITEM(args[3], last), &role, &text)) return NULL;
    int plain = PyUnicode_CompareWithASCIIString(role, "user") == 0 && !has_words(words, edge, text);
    if (plain) found = stripped(args[2], text);
    Py_DECREF(role), Py_DECREF(text);
    if (!plain) Py_RETURN_NONE;
    if (!found || found == Py_None || !last) return found;
    if (!read_message(PyList_GET_ITEM(args[3], 0), &role, &text)) plain = -1;
    else {
        plain = PyUnicode_CompareWithASCIIString(role, "system") != 0 || !has_words(words, edge, text);
        Py_DECREF(role), Py_DECREF(text);
    }
    if (plain == 1) return found;
    Py_DECREF(found);
    if (plain < 0) return NULL;
    Py_RETURN_NONE;
}

static int add(Words *words, PyObject *word, unsigned group) {
    Py_ssize_t length;
    const char *letters = PyUnicode_AsUTF8AndSize(word, &length);
    if (!letters) return -1;
    if (words->count == MAX_WORDS || length < HEAD || length > MAX_LETTERS || length != PyUnicode_GET_LENGTH(word)) {
        PyErr_SetString(PyExc_ValueError, "a word has 4 to 32 ASCII characters, and there are 64 at most");
        return -1;
    }
    int added = words->count++;
    memcpy(words->letters[added], letters, length);
    words->length[added] = length, words->group[added] = group;
    for (int k = 0; k < HEAD; k++) words->heads[added] = words->heads[added] << 8 | (uint8_t)letters[k];
    for (int k = 0; k < STEP; k++) words->places[SLOT(letters[k], letters[k + 1], letters[k + 2])] |= 1 << k;
    return 0;
}

static void release(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, "words")); }

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *groups) {
    if (!PyTuple_Check(groups) || PyTuple_GET_SIZE(groups) > MAX_GROUPS) {
        PyErr_SetString(PyExc_TypeError, "prepare takes a tuple of at most 8 tuples of words in lower case");
        return NULL;
    }
    Words *words = PyMem_Calloc(1, sizeof *words);
    if (!words) return PyErr_NoMemory();
    words->all = (1u << PyTuple_GET_SIZE(groups)) - 1;
    for (Py_ssize_t g = 0; g < PyTuple_GET_SIZE(groups); g++) {
        PyObject *group = PyTuple_GET_ITEM(groups, g);
        for (Py_ssize_t k = 0; k < (PyTuple_Check(group) ? PyTuple_GET_SIZE(group) : 0); k++)
            if (add(words, PyTuple_GET_ITEM(group, k), 1u << g) < 0) {
                PyMem_Free(words);
                return NULL;
            }
    }
    return PyCapsule_New(words, "words", release);
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_O, "Prepare groups of words for in_ends."},
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
