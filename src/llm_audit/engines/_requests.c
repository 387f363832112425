/* Writes requests into the columns of a batch: their fields, and what is kept of their texts. What is not plain of a text
   is asked of Python; an odd request is left to it, which gives the same row. request_rows.py explains the use. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_columns.h"
#include "_digest.h"
#include "_kept.h"

#define PLAN "llm_audit.requests"
#define MAX_FIELDS 64

/* The columns that are no field of a request. */
enum { ENTRY, INPUT_FILE, LINE, FORMAT, PROMPT_HASH, PARENT_HASH, OPENING_HASH, TEMPLATE_HASH, PREFIX_HASH, PREFIX_CHARS, TURNS,
       PROMPT_CHARS, COMPLETION_CHARS, TOOLS_OFFERED, TOOLS_CALLED, TOOLS_CHARS, TOOL_FAILED, NEEDS_VISION, NEEDS_AUDIO,
       NEEDS_TOOLS, CALLS_TOOLS, ANSWERS_TOOLS, TOOL_CALL_HASH, TOOL_RESULT_HASH, REPLY_HASH, QUOTED_HASH, THE_ASK, JUDGED,
       ABSTENTION, STEP, OWN_COLUMNS };
static const char *const column_names[OWN_COLUMNS] = {
    "entry", "input", "line", "format", "prompt_hash", "parent_prompt_hash", "opening_hash", "template_hash", "prefix_hash",
    "prefix_chars", "turns", "prompt_chars", "completion_chars", "tools_offered", "tools_called", "tools_chars", "tool_failed",
    "needs_vision", "needs_audio", "needs_tools", "calls_tools", "answers_tools", "tool_call_hash", "tool_result_hash",
    "reply_hash", "quoted_hash", "ask", "judged", "abstention", "step"};

/* The fields of a request that texts are read from. */
enum { MESSAGES, TOOLS, TOOL_CHARS, REDACTED, OPERATION, COMPLETION, COMPLETION_CALLS, CALL_ID, USAGE, OWN_FIELDS };
static const char *const field_names[OWN_FIELDS] = {"messages", "tools", "tool_chars", "redacted", "operation", "completion",
                                                    "completion_calls", "completion_call_id", "usage"};

static PyObject *scored, *asking;

/* Fields that are columns: where they lie, and how they are written. */
typedef struct {
    PyObject *type;
    Py_ssize_t count, at[MAX_FIELDS];
    int kind[MAX_FIELDS];
} Fields;

typedef struct {
    Columns columns;
    Py_buffer values, known;
    Fields fields[2]; /* of requests, and of their usage */
    Py_ssize_t own[OWN_FIELDS];
    Messages messages;
    AskPlan ask;
    Kept kept;
    PyObject *given, *template, *answered, *tools, *select; /* given: what keeps all else alive */
} Plan;

static int set_fields(Columns *columns, const Fields *fields, PyObject *object, Py_ssize_t column) {
    if (!Py_IS_TYPE(object, (PyTypeObject *)fields->type)) return 0;
    for (Py_ssize_t k = 0; k < fields->count; k++) {
        PyObject *value = slot(object, fields->at[k]);
        if (!value || !set_value(columns, column + k, fields->kind[k], value)) return 0;
    }
    return 1;
}

/* Set columns to the values of a tuple that a function returned, which is given away; NULL is an error. */
static int set_all(Columns *columns, PyObject *values, const int *column, const int *kind, Py_ssize_t count) {
    int done = values && PyTuple_Check(values) && PyTuple_GET_SIZE(values) == count;
    for (Py_ssize_t k = 0; done && k < count; k++) done = set_value(columns, column[k], kind[k], PyTuple_GET_ITEM(values, k));
    Py_XDECREF(values);
    return done;
}

/* Write the hash of system prompt and tools that prompts of one template share. */
static int set_template(Plan *plan, PyObject *messages, PyObject *tools, const Prompt *prompt) {
    if (!prompt->system && !PyTuple_GET_SIZE(tools)) return 1;
    PyObject *hash = PyObject_CallFunction(plan->template, "KOO", (unsigned long long)prompt->system, messages, tools);
    int done = hash && set_value(&plan->columns, TEMPLATE_HASH, A_HASH, hash);
    Py_XDECREF(hash);
    return done;
}

static int set_answered(Plan *plan, PyObject *messages) {
    static const int column[] = {TOOL_RESULT_HASH, TOOL_FAILED}, kind[] = {AN_ID, A_FLAG};
    return set_all(&plan->columns, PyObject_CallOneArg(plan->answered, messages), column, kind, 2);
}

/* Write what the messages of a prompt add up to. */
static int set_prompt(Plan *plan, PyObject *messages, PyObject *tools, const Prompt *prompt, int is_redacted) {
    Columns *columns = &plan->columns;
    uint64_t quoted = 0;
    int found = hash_quoted(&plan->messages, messages, prompt, &quoted);
    if (found < 0) return 0;
    if (found && !is_redacted) set(columns, QUOTED_HASH, quoted);
    set(columns, PROMPT_HASH, prompt->chain);
    set(columns, OPENING_HASH, prompt->opening ? prompt->opening : prompt->chain);
    if (prompt->has_parent) set(columns, PARENT_HASH, prompt->parent);
    set(columns, TURNS, (uint64_t)prompt->turns), set(columns, PROMPT_CHARS, (uint64_t)prompt->chars);
    set(columns, NEEDS_VISION, prompt->images > 0), set(columns, NEEDS_AUDIO, prompt->sounds > 0);
    set(columns, ANSWERS_TOOLS, (uint64_t)prompt->after_tool);
    if (!is_redacted && prompt->system && prompt->leading)
        set(columns, PREFIX_HASH, prompt->system), set(columns, PREFIX_CHARS, (uint64_t)prompt->leading);
    return set_template(plan, messages, tools, prompt) && (!prompt->after_tool || set_answered(plan, messages));
}

/* Write the tools that a request defines, and the prefix that they begin. */
static int set_tools(Plan *plan, PyObject *request, const Prompt *prompt) {
    static const int column[] = {TOOLS_OFFERED, TOOLS_CALLED, TOOLS_CHARS, PREFIX_HASH, PREFIX_CHARS};
    static const int kind[] = {A_WORD, A_WORD, A_NUMBER, A_HASH, A_NUMBER};
    PyObject *found = PyObject_CallFunction(plan->tools, "OK", request, (unsigned long long)prompt->system);
    return set_all(&plan->columns, found, column, kind, 5);
}

static int set_reply(Plan *plan, PyObject *const *own, int is_redacted) {
    Columns *columns = &plan->columns;
    PyObject *text = own[COMPLETION], *calls = own[COMPLETION_CALLS], *id = own[CALL_ID];
    int has_text = text != Py_None, has_calls = PyUnicode_GET_LENGTH(calls) || id != Py_None;
    Py_ssize_t chars = (has_text ? PyUnicode_GET_LENGTH(text) : 0) + PyUnicode_GET_LENGTH(calls);
    uint64_t hash = 0;
    int found = has_text && !is_redacted ? hash_line_of(text, &hash) : 0;
    if (found > 0) set(columns, REPLY_HASH, hash);
    if (has_text || has_calls) set(columns, COMPLETION_CHARS, (uint64_t)chars), set(columns, CALLS_TOOLS, (uint64_t)has_calls);
    return found >= 0 && (id == Py_None || !PyUnicode_GET_LENGTH(id) || set_id(columns, TOOL_CALL_HASH, id));
}

/* Write a plain ask. */
static int set_ask(Columns *columns, PyObject *ask, Py_ssize_t *chars) {
    *chars = PyUnicode_GET_LENGTH(ask);
    return set_word(columns, THE_ASK, ask) && set_word(columns, JUDGED, scored) && set_word(columns, STEP, asking);
}

/* Write what Python selects of a request, given what was found of its ask. */
static int set_selected(Plan *plan, PyObject *request, PyObject *ask, Py_ssize_t *chars) {
    static const int column[] = {THE_ASK, JUDGED, ABSTENTION, STEP}, kind[] = {A_WORD, A_WORD, A_WORD, A_WORD};
    PyObject *found = PyObject_CallFunctionObjArgs(plan->select, request, ask, NULL);
    PyObject *text = found && PyTuple_Check(found) && PyTuple_GET_SIZE(found) ? PyTuple_GET_ITEM(found, 0) : Py_None;
    *chars = PyUnicode_Check(text) ? PyUnicode_GET_LENGTH(text) : 0;
    return set_all(&plan->columns, found, column, kind, 4);
}

/* Read the fields that texts are read from; 0 where one is of another type. */
static int read_own(const Plan *plan, PyObject *request, PyObject **own) {
    for (int k = 0; k < OWN_FIELDS; k++)
        if (!(own[k] = slot(request, plan->own[k]))) return 0;
    return (own[MESSAGES] == Py_None || PyList_CheckExact(own[MESSAGES])) && PyTuple_Check(own[TOOLS]) &&
           PyTuple_Check(own[TOOL_CHARS]) && PyBool_Check(own[REDACTED]) && PyUnicode_Check(own[OPERATION]) &&
           (own[COMPLETION] == Py_None || PyUnicode_Check(own[COMPLETION])) && PyUnicode_Check(own[COMPLETION_CALLS]) &&
           (own[CALL_ID] == Py_None || PyUnicode_Check(own[CALL_ID]));
}

/* Whether an ask of a request with tools may be one for a plan. */
static int may_plan(const AskPlan *plan, PyObject *ask) {
    return begins_text(plan->plans, chars_of(ask), 0, PyUnicode_GET_LENGTH(ask));
}

/* Write what is found of a request's texts, and count the characters of its ask. */
static int set_texts(Plan *plan, PyObject *request, PyObject *const *own, Py_ssize_t *chars) {
    PyObject *messages = own[MESSAGES], *tools = own[TOOLS], *ask = Py_NewRef(Py_None);
    int is_redacted = own[REDACTED] == Py_True, has_tools = PyTuple_GET_SIZE(tools) > 0, done = 1;
    Prompt prompt = {0};
    for (int column = PROMPT_HASH; column < OWN_COLUMNS; column++) set_none(&plan->columns, column);
    if (has_tools || messages != Py_None) set(&plan->columns, NEEDS_TOOLS, (uint64_t)has_tools);
    if (messages != Py_None && PyList_GET_SIZE(messages)) {
        done = read_messages(&plan->messages, messages, &prompt) && set_prompt(plan, messages, tools, &prompt, is_redacted);
        if (done) Py_SETREF(ask, ask_of(&plan->ask, messages, &prompt));
    }
    done = done && ask && (!PyTuple_GET_SIZE(own[TOOL_CHARS]) || set_tools(plan, request, &prompt)) &&
           set_reply(plan, own, is_redacted);
    int is_plain = done && PyUnicode_Check(ask) && !is_redacted && is_role(own[OPERATION], "chat") &&
                   !(has_tools && may_plan(&plan->ask, ask));
    done = done && (is_plain ? set_ask(&plan->columns, ask, chars) : set_selected(plan, request, ask, chars));
    Py_XDECREF(ask);
    drop_prompt(&prompt);
    return done;
}

/* Write the texts of a request with the prompt that is kept: only what its reply decides is another. */
static int set_same_texts(Plan *plan, PyObject *const *own, Py_ssize_t *chars) {
    static const int of_reply[] = {COMPLETION_CHARS, CALLS_TOOLS, TOOL_CALL_HASH, REPLY_HASH};
    copy_columns(&plan->columns, plan->kept.row, plan->columns.row, PROMPT_HASH, OWN_COLUMNS);
    for (size_t k = 0; k < sizeof of_reply / sizeof *of_reply; k++) set_none(&plan->columns, of_reply[k]);
    *chars = plan->kept.chars;
    return set_reply(plan, own, own[REDACTED] == Py_True);
}

/* Write the texts of a request, and keep its prompt where others may have it. */
static int set_new_texts(Plan *plan, PyObject *request, PyObject *const *own, Py_ssize_t *chars) {
    if (!set_texts(plan, request, own, chars)) return 0;
    if (PyTuple_GET_SIZE(own[TOOL_CHARS]) || !may_recur(own[MESSAGES], plan->messages.type)) return 1;
    plan->kept.row = plan->columns.row, plan->kept.chars = *chars;
    return keep(&plan->kept, own[MESSAGES], own[TOOLS], own[OPERATION], own[REDACTED]);
}

static int set_request(Plan *plan, PyObject *const *position, PyObject *format, PyObject *request, Py_ssize_t *chars) {
    PyObject *own[OWN_FIELDS];
    Columns *columns = &plan->columns;
    for (int k = 0; k < 3; k++)
        if (!set_value(columns, ENTRY + k, A_NUMBER, position[k])) return 0;
    if (!set_value(columns, FORMAT, A_WORD, format) || !set_fields(columns, &plan->fields[0], request, OWN_COLUMNS)) return 0;
    if (!read_own(plan, request, own) || !set_fields(columns, &plan->fields[1], own[USAGE], OWN_COLUMNS + plan->fields[0].count))
        return 0;
    int is_same = !PyTuple_GET_SIZE(own[TOOL_CHARS]) &&
                  is_kept(&plan->kept, own[MESSAGES], own[TOOLS], own[OPERATION], own[REDACTED]);
    return is_same ? set_same_texts(plan, own, chars) : set_new_texts(plan, request, own, chars);
}

/* Write a request as a row; returns the characters of its ask, -1 where the request is odd. */
static PyObject *add(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    Plan *plan = count == 5 ? PyCapsule_GetPointer(args[0], PLAN) : NULL;
    Py_ssize_t chars = -1, row = plan ? PyLong_AsSsize_t(args[1]) : -1;
    if (!plan || row < 0 || row >= plan->columns.capacity || !PyTuple_CheckExact(args[2]) || PyTuple_GET_SIZE(args[2]) != 3) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "add takes a plan, a row, a position, a format and a request");
        return NULL;
    }
    plan->columns.row = row;
    if (row <= plan->kept.row) forget(&plan->kept); /* its batch has ended */
    if (!set_request(plan, &PyTuple_GET_ITEM(args[2], 0), args[3], args[4], &chars)) {
        chars = -1;
        int is_of_request = PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError);
        if (PyErr_Occurred() && !is_of_request) return NULL;
        PyErr_Clear();
    }
    return PyLong_FromSsize_t(chars);
}

static void release(PyObject *capsule) {
    Plan *plan = PyCapsule_GetPointer(capsule, PLAN);
    PyBuffer_Release(&plan->values), PyBuffer_Release(&plan->known);
    forget(&plan->kept);
    Py_DECREF(plan->given);
    PyMem_Free(plan);
}

/* Read the type of structs, and the name and the kind of each field that is a column. */
static int read_fields(PyObject *given, Fields *fields) {
    PyObject *names;
    if (!PyTuple_Check(given) || !PyArg_ParseTuple(given, "OO!", &fields->type, &PyTuple_Type, &names)) return 0;
    fields->count = PyTuple_GET_SIZE(names);
    for (Py_ssize_t k = 0; k < fields->count && k < MAX_FIELDS; k++) {
        PyObject *field = PyTuple_GET_ITEM(names, k);
        const char *name, *kind;
        if (!PyTuple_Check(field) || !PyArg_ParseTuple(field, "ss", &name, &kind)) return 0;
        while (fields->kind[k] < KINDS && strcmp(kind, kind_names[fields->kind[k]])) fields->kind[k]++;
        if (fields->kind[k] == KINDS || !find_slot(fields->type, name, &fields->at[k])) return 0;
    }
    return fields->count <= MAX_FIELDS;
}

/* Whether buffers and words have room for all columns. */
static int fits(const Plan *plan) {
    Py_ssize_t columns = OWN_COLUMNS + plan->fields[0].count + plan->fields[1].count;
    int is_fit = PyTuple_GET_SIZE(plan->columns.words) == columns && plan->known.len % columns == 0 &&
                 plan->values.len == plan->known.len * (Py_ssize_t)sizeof(uint64_t);
    for (Py_ssize_t k = 0; is_fit && k < columns; k++) is_fit = PyDict_Check(PyTuple_GET_ITEM(plan->columns.words, k));
    return is_fit;
}

static int read_plan(PyObject *args, Plan *plan) {
    PyObject *requests, *usages, *message, *ask;
    if (!PyArg_ParseTuple(args, "w*w*O!OOOOOOOO", &plan->values, &plan->known, &PyTuple_Type, &plan->columns.words, &requests,
                          &usages, &message, &ask, &plan->template, &plan->answered, &plan->tools, &plan->select)) return 0;
    if (!read_fields(requests, &plan->fields[0]) || !read_fields(usages, &plan->fields[1])) return 0;
    if (!find_parts(message, &plan->messages) || !read_ask_plan(ask, &plan->ask) || !fits(plan)) return 0;
    for (int k = 0; k < OWN_FIELDS; k++)
        if (!find_slot(plan->fields[0].type, field_names[k], &plan->own[k])) return 0;
    plan->columns.values = plan->values.buf, plan->columns.known = plan->known.buf;
    plan->columns.capacity = plan->known.len / PyTuple_GET_SIZE(plan->columns.words);
    return 1;
}

static PyObject *prepare(PyObject *Py_UNUSED(module), PyObject *args) {
    Plan *plan = PyMem_Calloc(1, sizeof *plan);
    if (!plan) return PyErr_NoMemory();
    PyObject *capsule = read_plan(args, plan) ? PyCapsule_New(plan, PLAN, release) : NULL;
    if (capsule) return plan->given = Py_NewRef(args), capsule;
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "fields, their kinds, buffers and words do not fit each other");
    PyBuffer_Release(&plan->values), PyBuffer_Release(&plan->known);
    PyMem_Free(plan);
    return NULL;
}

static PyMethodDef methods[] = {
    {"prepare", prepare, METH_VARARGS, "Prepare the columns of a batch, and what requests are read by."},
    {"add", (PyCFunction)(void (*)(void))add, METH_FASTCALL, "Write a request as a row of a batch, unless it is odd."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_requests", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__requests(void) {
    if (!(scored = PyUnicode_InternFromString("scored")) || !(asking = PyUnicode_InternFromString("ask"))) return NULL;
    PyObject *made = PyModule_Create(&module), *names = PyTuple_New(OWN_COLUMNS);
    for (Py_ssize_t k = 0; names && k < OWN_COLUMNS; k++) {
        PyObject *name = PyUnicode_FromString(column_names[k]);
        if (name) PyTuple_SET_ITEM(names, k, name);
        else Py_CLEAR(names);
    }
    if (made && names && !PyModule_AddObjectRef(made, "OWN_COLUMNS", names)) return Py_DECREF(names), made;
    Py_XDECREF(made), Py_XDECREF(names);
    return NULL;
}
