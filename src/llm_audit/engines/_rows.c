/* Reads lines of a log straight into columns of the ledger, where they are plain in every way: flat records of usual keys.
   What is odd is left to Python, line by line, which gives the same rows. row_reader.py explains the use. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "_batch.h"
#include "_prompt.h"
#include "_row.h"

#define PLAN "llm_audit.rows"

static const char *const provider_ids[] = {"chatcmpl-", "cmpl-", "resp_", "msg_", "gen-"};

typedef struct {
    Py_ssize_t count, length[MAX_KEYS];
    int kind[MAX_KEYS];
    const char *key[MAX_KEYS];
    PyObject *given, *as_text; /* given: what keeps keys, words and functions alive */
    Prompts prompts;
} Plan;

typedef struct {
    const uint8_t *data;
    Py_ssize_t length;
    PyObject *owner;
} Id;

typedef struct {
    Row row;
    Prompt prompt;
    Counts columns, nested;
    Id id[3]; /* of the request, its conversation and its trace */
    Text model;
    PyObject *status, *metadata; /* borrowed from the batch */
    Py_ssize_t ask_chars;
} Record;

static int is_mark(uint8_t c) { return c > ' ' && c < 127; }

/* Read an id: a text of some length as it is, and what else may be one by a function. */
static int read_id(const Plan *plan, Line *line, Id *id) {
    Text text;
    Number number;
    Py_ssize_t chars;
    PyObject *value = NULL;
    if (is_null(line)) return 1;
    uint8_t c = next_byte(line);
    if (c == '"') {
        if (!keep_text(line, &text, &chars)) return 0;
        if (chars > LONGEST_NOTHING && is_mark(text.data[0]) && is_mark(text.data[text.length - 1])) {
            *id = (Id){text.data, text.length, NULL};
            return 1;
        }
        value = PyUnicode_DecodeUTF8((const char *)text.data, text.length, NULL);
    } else if (c >= '0' && c <= '9' && read_numeric(line, &number) && number.is_whole) value = PyLong_FromLongLong(number.whole);
    if (!value) return 0;
    id->owner = PyObject_CallOneArg(plan->as_text, value);
    Py_DECREF(value);
    if (!id->owner || id->owner == Py_None) return id->owner != NULL;
    id->data = (const uint8_t *)PyUnicode_AsUTF8AndSize(id->owner, &id->length);
    return id->data != NULL;
}

static int read_model(Line *line, Record *record, PyObject *models) {
    Py_ssize_t chars;
    if (!keep_text(line, &record->model, &chars) || !chars || !is_mark(record->model.data[0])) return 0;
    return set_place(&record->row, MODEL_PLACE, place_of(models, record->model.data, record->model.length));
}

static int read_status(Line *line, Record *record, PyObject *statuses) {
    return (record->status = read_place(line, statuses, 1)) != NULL;
}

/* Fill in how the call ended; the batch has its place, its code and its word. */
static int set_status(Row *row, PyObject *status) {
    if (!PyTuple_Check(status) || PyTuple_GET_SIZE(status) != 3 || !PyBytes_Check(PyTuple_GET_ITEM(status, 2))) return 0;
    PyObject *code = PyTuple_GET_ITEM(status, 1);
    if (code != Py_None && !set_place(row, STATUS_CODE, code)) return 0;
    return set_place(row, STATUS_PLACE, PyTuple_GET_ITEM(status, 0));
}

/* Fill in an id's hash, that in the metadata where the record has none. */
static int set_id(Row *row, int column, const Id *id, PyObject *metadata, Py_ssize_t at) {
    if (id->data) return set(row, column, xxh3(id->data, (size_t)id->length, 0)), 1;
    PyObject *hash = metadata ? PyTuple_GET_ITEM(metadata, at) : Py_None;
    if (hash == Py_None) return 1;
    set(row, column, PyLong_AsUnsignedLongLong(hash));
    return !PyErr_Occurred();
}

/* Fill in the hash of the key that repeats of a call share. */
static int set_merge_key(Row *row, const Record *record) {
    const Id *id = &record->id[0];
    PyObject *word = PyTuple_GET_ITEM(record->status, 2);
    if (!id->data) return 1;
    size_t size = (size_t)(id->length + record->model.length + PyBytes_GET_SIZE(word)), length = (size_t)id->length;
    char *key = PyMem_Malloc(size + 32); /* a time has 20 characters at most */
    int is_providers = 0;
    if (!key) return PyErr_NoMemory(), 0;
    memcpy(key, id->data, length);
    for (size_t k = 0; k < sizeof provider_ids / sizeof *provider_ids; k++)
        is_providers |= length >= strlen(provider_ids[k]) && !memcmp(key, provider_ids[k], strlen(provider_ids[k]));
    if (!is_providers && row->known[TIME_US]) length += (size_t)sprintf(key + length, "@%lld", (long long)row->value[TIME_US]);
    else if (!is_providers) memcpy(key + length, "@None", 5), length += 5;
    key[length++] = '|';
    memcpy(key + length, record->model.data, (size_t)record->model.length), length += (size_t)record->model.length;
    key[length++] = '|';
    memcpy(key + length, PyBytes_AS_STRING(word), (size_t)PyBytes_GET_SIZE(word)), length += (size_t)PyBytes_GET_SIZE(word);
    set(row, MERGE_KEY, xxh3(key, length, 0));
    PyMem_Free(key);
    return 1;
}

static int read_value(Plan *plan, Batch *batch, Line *line, Record *record, int kind) {
    long long *const counts[] = {&record->columns.input, &record->columns.output, &record->columns.cached,
                                 &record->columns.total};
    Row *row = &record->row;
    switch (kind) {
    case MODEL: return read_model(line, record, batch->places[MODELS]);
    case TIME: return read_time(line, row);
    case REQUEST_ID: case CONVERSATION: case TRACE: return read_id(plan, line, &record->id[kind - REQUEST_ID]);
    case STREAM: return read_flag(line, row, STREAMED);
    case STATUS: return read_status(line, record, batch->places[STATUSES]);
    case LATENCY: return read_latency(line, row);
    case MESSAGES: return !record->prompt.messages && read_messages(&plan->prompts, &record->prompt, line, row);
    case PROMPT: return (!record->prompt.messages || next_byte(line) == 'n') && read_prompt(&plan->prompts, &record->prompt, line, row);
    case SYSTEM: return is_null(line);
    case USAGE: return read_usage(line, &record->nested);
    case INPUT: case OUTPUT: case CACHED: case TOTAL: return read_count(line, counts[kind - INPUT]);
    case COMPLETION: return read_completion(line, row);
    case METADATA: return (record->metadata = read_place(line, batch->places[ALL_METADATA], 0)) != NULL;
    case TEAM: case APP: case USER:
        return set_place(row, TEAM_PLACE + kind - TEAM, read_place(line, batch->places[TEAMS + kind - TEAM], 1));
    default: return skip_value(line, MAX_DEPTH);
    }
}

/* Read the values of a line, which has each key of the plan once. */
static int read_values(Plan *plan, Batch *batch, Line *line, Record *record) {
    uint64_t seen = 0;
    if (!is_next(line, '{')) return 0;
    for (Py_ssize_t n = 0; n < plan->count; n++) {
        if (n && !is_next(line, ',')) return 0;
        Py_ssize_t k = read_key(line, plan->count, plan->key, plan->length, n);
        if (k < 0 || seen >> k & 1 || !read_value(plan, batch, line, record, plan->kind[k])) return 0;
        seen |= (uint64_t)1 << k;
    }
    return is_next(line, '}') && !next_byte(line) && line->at == line->end;
}

/* Fill in what the values of a record give together. */
static int complete(Plan *plan, Batch *batch, Record *record) {
    Row *row = &record->row;
    const Counts *counts = record->nested.is_nested ? &record->nested : &record->columns;
    PyObject *metadata = record->metadata;
    if (!record->model.data || !record->prompt.messages || !set_counts(row, counts)) return 0;
    if (counts->is_nested && (record->columns.input >= 0 || record->columns.output >= 0)) return 0; /* which may contradict it */
    if (!record->status && !(record->status = place_of(batch->places[STATUSES], (const uint8_t *)"null", 4))) return 0;
    if (metadata && (!PyTuple_Check(metadata) || PyTuple_GET_SIZE(metadata) != 3)) return 0;
    if (metadata && !set_place(row, METADATA_PLACE, PyTuple_GET_ITEM(metadata, 0))) return 0;
    if (!set_status(row, record->status) || !set_merge_key(row, record)) return 0;
    if (!counts->input && counts->output <= 0 && strcmp(PyBytes_AS_STRING(PyTuple_GET_ITEM(record->status, 2)), "error"))
        return 0; /* zeros of a call that took tokens: they are estimated */
    for (int k = 0; k < 3; k++)
        if (!set_id(row, REQUEST_HASH + (k ? k + 1 : 0), &record->id[k], k ? metadata : NULL, k)) return 0;
    set_prompt(row, &record->prompt);
    PyObject *ask = ask_of(&plan->prompts, &record->prompt, row, &record->ask_chars);
    int done = ask && set_ask(batch, row, ask);
    Py_XDECREF(ask);
    return done;
}

/* Read a line into the batch's columns: 1 where that is done, 0 where it is odd, -1 with an error. */
static int read_row(Plan *plan, Batch *batch, Line *line, Py_ssize_t place, Record *record) {
    *record = (Record){.prompt = {.role = -1, .before = -1}, .columns = {-1, -1, -1, -1, 0}};
    int done = read_values(plan, batch, line, record) && complete(plan, batch, record);
    for (int k = 0; k < 3; k++) Py_XDECREF(record->id[k].owner);
    if (!done) forgive();
    if (PyErr_Occurred()) return -1;
    for (int column = 0; done && column < COLUMNS; column++) {
        batch->values[column * batch->capacity + place] = record->row.value[column];
        batch->known[column * batch->capacity + place] = record->row.known[column];
    }
    return done;
}

/* Read lines of a block until one is odd or has no end, or the batch has enough rows or characters to judge. */
static PyObject *read_lines(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *capsule, *given, *block;
    Py_ssize_t at, place, last, input, line_number, entry, room, lines = 0;
    Py_buffer values, known;
    Batch batch;
    Record record;
    if (!PyArg_ParseTuple(args, "OO!O!nnnnnnn", &capsule, &PyTuple_Type, &given, &PyBytes_Type, &block, &at, &place, &last,
                          &input, &line_number, &entry, &room)) return NULL;
    Plan *plan = PyCapsule_GetPointer(capsule, PLAN);
    if (!plan || !read_batch(given, &batch, &values, &known)) return NULL;
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(block), *end = data + PyBytes_GET_SIZE(block), *stop;
    uint8_t *scratch = NULL;
    Py_ssize_t size = 0;
    int done = at >= 0 && place >= 0 && last <= batch.capacity;
    while (done > 0 && at < end - data && place < last && room > 0 && (stop = memchr(data + at, '\n', (size_t)(end - data - at)))) {
        if (size < stop - data - at + VECTOR_BYTES) {
            PyMem_Free(scratch);
            size = 2 * (stop - data - at) + VECTOR_BYTES;
            if (!(scratch = PyMem_Malloc((size_t)size))) done = (PyErr_NoMemory(), -1);
            if (!scratch) break;
        }
        Line line = {data + at, stop, scratch};
        if ((done = read_row(plan, &batch, &line, place, &record)) <= 0) break;
        const Py_ssize_t position[] = {line_number + lines, entry + lines, input};
        for (int k = 0; k < 3; k++)
            batch.values[k * batch.capacity + place] = (uint64_t)position[k], batch.known[k * batch.capacity + place] = 1;
        room -= record.ask_chars, lines++, place++, at = stop + 1 - data;
    }
    PyMem_Free(scratch);
    PyBuffer_Release(&values), PyBuffer_Release(&known);
    return done < 0 ? NULL : Py_BuildValue("(nnn)", at, lines, room);
}

static void release(PyObject *capsule) {
    Plan *plan = PyCapsule_GetPointer(capsule, PLAN);
    Py_DECREF(plan->given);
    PyMem_Free(plan);
}

static int read_plan(PyObject *given, Plan *plan) {
    PyObject *keys, *kinds, *ask;
    Prompts *prompts = &plan->prompts;
    if (!PyArg_ParseTuple(given, "O!O!OOOOOn", &PyTuple_Type, &keys, &PyTuple_Type, &kinds, &ask, &prompts->own_ask,
                          &plan->as_text, &prompts->template, &prompts->is_placeholder, &prompts->longest_placeholder) || !read_ask_plan(ask, &prompts->ask)) return 0;
    plan->count = PyTuple_GET_SIZE(keys);
    int fits = plan->count == PyTuple_GET_SIZE(kinds) && plan->count > 0 && plan->count <= MAX_KEYS;
    for (Py_ssize_t k = 0; fits && k < plan->count; k++) {
        PyObject *key = PyTuple_GET_ITEM(keys, k);
        const char *kind = PyUnicode_Check(PyTuple_GET_ITEM(kinds, k)) ? PyUnicode_AsUTF8(PyTuple_GET_ITEM(kinds, k)) : NULL;
        while (kind && plan->kind[k] < KINDS && strcmp(kind, kind_names[plan->kind[k]])) plan->kind[k]++;
        if ((fits = kind && plan->kind[k] < KINDS && PyBytes_Check(key)))
            plan->key[k] = PyBytes_AS_STRING(key), plan->length[k] = PyBytes_GET_SIZE(key);
    }
    for (int k = 0; k < ROLES; k++) prompts->seeds[k] = xxh3(role_names[k], strlen(role_names[k]) - 1, 0);
    if (!fits && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a plan has 1 to 64 keys, each with its kind");
    return fits;
}

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *args) {
    Plan *plan = PyMem_Calloc(1, sizeof *plan);
    if (!plan) return PyErr_NoMemory();
    PyObject *capsule = read_plan(args, plan) ? PyCapsule_New(plan, PLAN, release) : NULL;
    if (capsule) plan->given = Py_NewRef(args);
    else PyMem_Free(plan);
    return capsule;
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_VARARGS, "Prepare keys, kinds of values, and what prompts are read by."},
    {"read", read_lines, METH_VARARGS, "Read lines of a block into a batch, as far as they are plain."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_rows", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__rows(void) {
    PyObject *made = PyModule_Create(&module), *names = PyTuple_New(COLUMNS);
    for (Py_ssize_t k = 0; names && k < COLUMNS; k++) {
        PyObject *name = PyUnicode_FromString(column_names[k]);
        if (name) PyTuple_SET_ITEM(names, k, name);
        else Py_CLEAR(names);
    }
    if (made && names && !PyModule_AddObjectRef(made, "COLUMNS", names)) return Py_DECREF(names), made;
    Py_XDECREF(made), Py_XDECREF(names);
    return NULL;
}
