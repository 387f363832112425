/* The usage of a chat completion whose counts add up, as OpenAI writes it; usage.py says what that is in Python, and reads
   any other. */
#ifndef LLM_AUDIT_USAGE_H
#define LLM_AUDIT_USAGE_H
#include <Python.h>

#include "_names.h"

#define MAX_TOKENS 1000000000
enum { ABSENT = -1, ODD = -2 };
enum { PROMPT, COMPLETION, TOTAL, INTO, OUT_OF, COUNTS };
enum { CACHED, WRITTEN, AUDIO_IN, IMAGE_IN, TEXT_IN, INTO_NAMES };
enum { REASONING, AUDIO_OUT, ACCEPTED, REJECTED, TEXT_OUT, OUT_OF_NAMES };
enum { SOURCE, INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, AUDIO_INPUT, AUDIO_OUTPUT, REASONED, IMAGE_INPUT, USAGE_FIELDS };

static const char *const count_names[COUNTS] = {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details",
                                                "completion_tokens_details"};
static const char *const into_names[INTO_NAMES] = {"cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens"};
static const char *const out_of_names[OUT_OF_NAMES] = {"reasoning_tokens", "audio_tokens", "accepted_prediction_tokens",
                                                       "rejected_prediction_tokens", "text_tokens"};
static const char *const usage_fields[USAGE_FIELDS] = {
    "usage_source",       "input_tokens",        "output_tokens",    "cache_read_tokens", "cache_write_5m_tokens",
    "audio_input_tokens", "audio_output_tokens", "reasoning_tokens", "image_input_tokens"};
static PyObject *counts_by, *into_by, *out_of_by, *usage_by; /* these names, interned */
static PyObject *usage_class, *reported;

static int intern_usage(void) {
    return (counts_by = interned(count_names, COUNTS)) && (into_by = interned(into_names, INTO_NAMES)) &&
           (out_of_by = interned(out_of_names, OUT_OF_NAMES)) && (usage_by = interned(usage_fields, USAGE_FIELDS));
}

/* The values of an object that has no other names; NULL where it has none of a name. */
static int has_only(PyObject *object, PyObject *names, PyObject **values) {
    Py_ssize_t found = 0;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(names); k++)
        found += (values[k] = PyDict_GetItemWithError(object, PyTuple_GET_ITEM(names, k))) != NULL;
    return found == PyDict_GET_SIZE(object) && !PyErr_Occurred();
}

static long count_of(PyObject *value) {
    if (!value || value == Py_None) return ABSENT;
    int beyond = 1;
    long count = PyLong_CheckExact(value) ? PyLong_AsLongAndOverflow(value, &beyond) : ODD;
    return beyond || count < 0 || count > MAX_TOKENS ? ODD : count;
}

/* The values of details, which may be missing. */
static int read_details(PyObject *details, PyObject *names, PyObject **values) {
    return !details || details == Py_None || (PyDict_CheckExact(details) && has_only(details, names, values));
}

/* Work out the fields of a usage; 0 where its counts do not add up, or say what few do. */
static int add_up(PyObject *usage, long *fields) {
    PyObject *given[COUNTS] = {NULL}, *into[INTO_NAMES] = {NULL}, *out_of[OUT_OF_NAMES] = {NULL};
    if (!has_only(usage, counts_by, given)) return 0;
    if (!read_details(given[INTO], into_by, into) || !read_details(given[OUT_OF], out_of_by, out_of)) return 0;
    long prompt = count_of(given[PROMPT]), completion = count_of(given[COMPLETION]), total = count_of(given[TOTAL]);
    if (completion == ABSENT) completion = 0;
    if (prompt < 0 || completion < 0 || total == ODD || (total >= 0 && total != prompt + completion)) return 0;
    long cached = fields[CACHE_READ] = count_of(into[CACHED]), reasoned = fields[REASONED] = count_of(out_of[REASONING]);
    fields[CACHE_WRITE] = count_of(into[WRITTEN]), fields[AUDIO_INPUT] = count_of(into[AUDIO_IN]);
    fields[IMAGE_INPUT] = count_of(into[IMAGE_IN]), fields[AUDIO_OUTPUT] = count_of(out_of[AUDIO_OUT]);
    fields[INPUT] = prompt - (cached > 0 ? cached : 0), fields[OUTPUT] = completion;
    const int of_few[] = {CACHE_WRITE, AUDIO_INPUT, IMAGE_INPUT, AUDIO_OUTPUT};
    for (size_t k = 0; k < sizeof of_few / sizeof *of_few; k++)
        if (fields[of_few[k]] > 0 || fields[of_few[k]] == ODD) return 0;
    return cached != ODD && reasoned != ODD && cached <= prompt && reasoned <= completion;
}

/* Make a usage of counts, of which the first stands for its source. */
static PyObject *usage_of(const long *counts, int count, PyObject *names) {
    PyObject *fields[USAGE_FIELDS] = {Py_NewRef(reported)}, *found = NULL;
    int made = 1;
    for (; made < count; made++)
        if (!(fields[made] = counts[made] == ABSENT ? Py_NewRef(Py_None) : PyLong_FromLong(counts[made]))) break;
    if (made == count) found = PyObject_Vectorcall(usage_class, fields, 0, names);
    for (int k = 0; k < made; k++) Py_DECREF(fields[k]);
    return found;
}

static PyObject *plain_usage(PyObject *Py_UNUSED(module), PyObject *usage) {
    long counts[USAGE_FIELDS];
    if (PyDict_CheckExact(usage) && usage_class && add_up(usage, counts)) return usage_of(counts, USAGE_FIELDS, usage_by);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyObject *prepare_usage(PyObject *Py_UNUSED(module), PyObject *args) {
    if (!PyArg_ParseTuple(args, "OO", &usage_class, &reported)) return NULL;
    Py_INCREF(usage_class), Py_INCREF(reported);
    Py_RETURN_NONE;
}

#endif
