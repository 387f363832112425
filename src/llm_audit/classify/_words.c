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
#define SLOT(a, b, c) (((a) & 31) << 10 | ((b) & 31) << 5 | ((c) & 31)) /* upper and lower case fall together */

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

static PyObject *in_ends(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3 || !PyUnicode_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "in_ends takes prepared words, a number of characters and a text");
        return NULL;
    }
    const Words *words = PyCapsule_GetPointer(args[0], "words");
    Py_ssize_t edge = PyLong_AsSsize_t(args[1]), length = PyUnicode_GET_LENGTH(args[2]);
    if (!words || PyErr_Occurred()) return NULL;
    int kind = PyUnicode_KIND(args[2]);
    const void *data = PyUnicode_DATA(args[2]);
    int whole = length <= edge || length - edge <= edge;
    unsigned found = search(words, kind, data, 0, whole ? length : edge, 0);
    if (!whole) found = search(words, kind, data, length - edge, length, found);
    return PyBool_FromLong(found == words->all);
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

static PyObject *labelled(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    int fits = count == 2 && PyTuple_Check(args[0]) && PyUnicode_Check(args[1]);
    for (Py_ssize_t k = 0; fits && k < PyTuple_GET_SIZE(args[0]); k++) fits = PyUnicode_Check(PyTuple_GET_ITEM(args[0], k));
    if (!fits) {
        PyErr_SetString(PyExc_TypeError, "labelled takes a tuple of words in lower case and a text");
        return NULL;
    }
    int kind = PyUnicode_KIND(args[1]);
    const void *data = PyUnicode_DATA(args[1]);
    Py_ssize_t length = PyUnicode_GET_LENGTH(args[1]);
    for (Py_ssize_t i = 0, end; i < length; i++) {
        if (kind == PyUnicode_1BYTE_KIND) {
            const char *colon = memchr((const char *)data + i, ':', length - i);
            if (!colon) break;
            i = colon - (const char *)data;
        }
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c != ':' && c != WIDE_COLON) continue;
        for (end = i; end; end--) {
            c = PyUnicode_READ(kind, data, end - 1);
            if (c != '*' && !Py_UNICODE_ISSPACE(c)) break;
        }
        for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(args[0]); k++)
            if (ends_with(PyTuple_GET_ITEM(args[0], k), kind, data, end)) Py_RETURN_TRUE;
    }
    Py_RETURN_FALSE;
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
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_words", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__words(void) { return PyModule_Create(&module); }
