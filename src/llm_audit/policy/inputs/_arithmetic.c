/* What requests cost on their routes and candidates, and what curves say of them, a request at a time: the arithmetic
   of counterfactual/costs.py, lengths.py and runs.py, prompt_caches.py and inputs/judge.py, which give the same to the
   bit in NumPy. Whole numbers wrap as there, and products and sums of floating-point numbers are rounded one by one. */
#include "_columns.h"
#include "_trees.h"

#include <math.h>

#if defined(_MSC_VER)
#pragma fp_contract(off)
#elif defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

enum { INPUT, CACHE_READ, WRITE, LONG_WRITE, OUTPUT, AUDIO_INPUT, AUDIO_OUTPUT, KINDS };

#define UNKNOWN (-1)
#define UNCHANGED (-2)
#define NOWHERE (-1)
#define LIFETIME_US (INT64_C(5) * 60 * 1000000)
#define LONG_LIFETIME_US (INT64_C(60) * 60 * 1000000)

static int64_t added(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static int64_t times(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

static int64_t rounded(double value) {
    value = rint(value);
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 ? (int64_t)value : INT64_MIN;
}

static int64_t scaled(int64_t count, double ratio) { return rounded((double)count * ratio); }

/* The cost of tokens at a row of rates: the largest number where a kind has tokens and no rate. */
static int64_t cost_of(const int64_t *tokens, const int64_t *rates, int64_t per_call) {
    uint64_t total = (uint64_t)per_call;
    for (int kind = 0; kind < KINDS; kind++) {
        if (!tokens[kind]) continue;
        int64_t rate = rates[kind];
        if (rate == UNKNOWN && (kind == CACHE_READ || kind == WRITE || kind == LONG_WRITE)) rate = rates[INPUT];
        if (rate == UNKNOWN && tokens[kind] > 0) return INT64_MAX;
        if (rate > 0) total += (uint64_t)tokens[kind] * (uint64_t)rate;
    }
    return (int64_t)total;
}

/* offers(rows, group, rates_of, rates, per_call, *tokens, cost): what requests cost at their tokens, with the rates of
   their groups. */
static PyObject *offers(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    enum { ROWS, GROUP, RATES_OF, RATES, PER_CALL, TOKENS, COST = TOKENS + KINDS, ARGUMENTS };
    static const char kinds[] = "nnnNnnnnnnnno";
    Column at[ARGUMENTS];
    int good = 0;
    if (count != ARGUMENTS) return misfit();
    if (open_columns(args, kinds, at) && at[RATES].width == KINDS && at[RATES].view.itemsize == 8 &&
        at[COST].length == at[ROWS].length) {
        int64_t *cost = (int64_t *)at[COST].at;
        const int64_t *rates = (const int64_t *)at[RATES].at;
        Py_ssize_t requests = at[GROUP].length;
        good = at[PER_CALL].length == requests;
        for (int kind = 0; kind < KINDS; kind++) good &= at[TOKENS + kind].length == requests;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; good && i < at[ROWS].length; i++) {
            int64_t row = whole(&at[ROWS], i), tokens[KINDS];
            if (!(good = row >= 0 && row < requests)) break;
            int64_t group = whole(&at[GROUP], row);
            if (!(good = group >= 0 && group < at[RATES_OF].length)) break;
            int64_t place = whole(&at[RATES_OF], group);
            if (!(good = place >= 0 && place < at[RATES].length)) break;
            for (int kind = 0; kind < KINDS; kind++) tokens[kind] = whole(&at[TOKENS + kind], row);
            cost[i] = cost_of(tokens, rates + place * KINDS, whole(&at[PER_CALL], row));
        }
        Py_END_ALLOW_THREADS
    }
    close_columns(at, ARGUMENTS);
    if (PyErr_Occurred()) return NULL;
    if (!good) return misfit();
    Py_RETURN_NONE;
}

/* The values of the assumptions that a run depends on, as lengths.route_tokens uses them. */
typedef struct {
    double output, output_factor, reasoning, reasoning_factor, added_reasoning, tokenizer, cache_kept;
} Values;

/* A request's tokens on its route, in place of those that it had. */
static void on_route(int64_t *tokens, int64_t reasoning_tokens, const Values *values, double text, double measured,
                     double measured_reasoning, int reasons, int unasked) {
    double output = isnan(measured) ? values->output : measured * values->output_factor;
    double ratio = isnan(measured_reasoning) ? values->reasoning : measured_reasoning * values->reasoning_factor;
    if (!reasons) ratio = 0.0;
    int64_t reasoning = reasoning_tokens < tokens[OUTPUT] ? reasoning_tokens : tokens[OUTPUT];
    int64_t visible = scaled(added(tokens[OUTPUT], times(reasoning, -1)), text * output);
    int64_t more = unasked && reasoning_tokens == 0 ? scaled(visible, values->added_reasoning) : 0;
    tokens[OUTPUT] = added(added(visible, scaled(reasoning, ratio)), more);
}

/* Tokens once only so many of the cache reads still come from a cache. */
static void recache(int64_t *tokens, int64_t kept, int hour, int writes, int too_short) {
    if (too_short) kept = 0;
    int64_t lost = added(tokens[CACHE_READ], times(kept, -1)), fresh = writes && !too_short ? 0 : lost;
    int64_t written = writes && !too_short ? lost : 0;
    if (too_short) {
        fresh = added(fresh, added(tokens[WRITE], tokens[LONG_WRITE]));
        tokens[WRITE] = tokens[LONG_WRITE] = 0;
    }
    tokens[INPUT] = added(tokens[INPUT], fresh);
    tokens[CACHE_READ] = kept;
    tokens[hour ? LONG_WRITE : WRITE] = added(tokens[hour ? LONG_WRITE : WRITE], written);
}

/* runs(rows, position, route, warm, used, category, key, reasoning, per_call, *tokens, rates_of, rates, pairs,
   tokenizer, output, output_reasoning, capable, unasked, least, values, cost, read): what each of some requests costs
   by itself on its route, and the tokens that it reads from a cache. position, route and warm have an entry for each
   of rows, the columns after them one for each request. */
static PyObject *runs(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    enum { ROWS, POSITION, ROUTE, WARM, USED, CATEGORY, KEY, REASONING, PER_CALL, TOKENS, RATES_OF = TOKENS + KINDS,
           RATES, PAIRS, TOKENIZER, MEASURED, MEASURED_REASONING, CAPABLE, UNASKED, LEAST, VALUES, COST, READ, ARGUMENTS };
    static const char kinds[] = "nnnnnnnnn" "nnnnnnn" "NNNFff" "bbn" "foo";
    Column at[ARGUMENTS];
    int good = 0;
    if (count != ARGUMENTS) return misfit();
    if (open_columns(args, kinds, at)) {
        Py_ssize_t requests = at[USED].length, some = at[ROWS].length, models = at[LEAST].length;
        const int64_t *rates = (const int64_t *)at[RATES].at;
        good = at[RATES].width == KINDS && at[RATES].view.itemsize == 8 &&
               at[VALUES].length == 7 &&
               at[PAIRS].length == models && at[PAIRS].width == models && at[CAPABLE].length == models &&
               at[UNASKED].length == models && at[MEASURED].length == at[TOKENIZER].length &&
               at[MEASURED_REASONING].length == at[TOKENIZER].length && at[COST].length == some && at[READ].length == some;
        for (int i = POSITION; i <= WARM; i++) good &= at[i].length == some;
        for (int i = CATEGORY; i < RATES_OF; i++) good &= at[i].length == requests;
        Values values = {0};
        for (int i = 0; good && i < 7; i++) ((double *)&values)[i] = real(&at[VALUES], i);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; good && i < some; i++) {
            int64_t row = whole(&at[ROWS], i), tokens[KINDS], place = whole(&at[POSITION], i), route = whole(&at[ROUTE], i);
            if (!(good = row >= 0 && row < requests)) break;
            int64_t used = whole(&at[USED], row), key = whole(&at[KEY], row), category = whole(&at[CATEGORY], row);
            int moved = place != NOWHERE;
            place += moved ? 0 : at[RATES_OF].width;
            if (category < 0) category = 0;
            good = key >= 0 && key < at[RATES_OF].length && place >= 0 && place < at[RATES_OF].width &&
                   category < at[TOKENIZER].width && used >= NOWHERE && used < models && route >= NOWHERE && route < models &&
                   (route == used || (route >= 0 && used >= 0));
            if (!good) break;
            int64_t of_rates = whole(&at[RATES_OF], key * at[RATES_OF].width + place);
            if (!(good = of_rates >= 0 && of_rates < at[RATES].length)) break;
            const int64_t *charged = rates + of_rates * KINDS;
            for (int kind = 0; kind < KINDS; kind++) tokens[kind] = whole(&at[TOKENS + kind], row);
            int64_t read = tokens[CACHE_READ], warm = whole(&at[WARM], i), reasoning = whole(&at[REASONING], row);
            int64_t cached = added(read, added(tokens[WRITE], tokens[LONG_WRITE]));
            int hour = tokens[LONG_WRITE] > 0, too_short = moved && route >= 0 && cached < whole(&at[LEAST], route);
            double text = 1.0;
            if (route != used) {
                int64_t pair = whole(&at[PAIRS], used * models + route);
                if (!(good = pair >= 0 && pair < at[TOKENIZER].length)) break;
                text = real(&at[TOKENIZER], pair * at[TOKENIZER].width + category) * values.tokenizer;
                on_route(tokens, reasoning, &values, text, real(&at[MEASURED], pair), real(&at[MEASURED_REASONING], pair),
                         byte(&at[CAPABLE], route) != 0, byte(&at[UNASKED], route) && !byte(&at[UNASKED], used));
            }
            for (int kind = 0; kind < KINDS; kind++)
                if (kind != OUTPUT && kind != AUDIO_OUTPUT) tokens[kind] = scaled(tokens[kind], text);
            int64_t kept = moved ? rounded((double)warm * values.cache_kept) : warm;
            double share = read > 0 ? (double)kept / (double)read : 0.0;
            recache(tokens, scaled(tokens[CACHE_READ], share), hour, charged[WRITE] != UNKNOWN, too_short);
            ((int64_t *)at[COST].at)[i] = cost_of(tokens, charged, whole(&at[PER_CALL], row));
            ((int64_t *)at[READ].at)[i] = tokens[CACHE_READ];
        }
        Py_END_ALLOW_THREADS
    }
    close_columns(at, ARGUMENTS);
    if (PyErr_Occurred()) return NULL;
    if (!good) return misfit();
    Py_RETURN_NONE;
}

/* curves(curve, difficulty, table, scale, found): the values of each row's curves, of which a row of the table has one
   after the other; scale is the grid's edge, its step, the place of its first point, and the points of a curve. */
static PyObject *curves(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    enum { CURVE, DIFFICULTY, TABLE, SCALE, FOUND, ARGUMENTS };
    static const char kinds[] = "nfFfP";
    Column at[ARGUMENTS];
    int good = 0;
    if (count != ARGUMENTS) return misfit();
    if (open_columns(args, kinds, at) && at[SCALE].length == 4) {
        Py_ssize_t some = at[DIFFICULTY].length, width = at[TABLE].width;
        double edge = real(&at[SCALE], 0), step = real(&at[SCALE], 1), low = real(&at[SCALE], 2);
        Py_ssize_t points = (Py_ssize_t)real(&at[SCALE], 3);
        good = at[TABLE].view.itemsize == 8 && points > 1 && width % points == 0 && at[CURVE].length == some &&
               at[FOUND].length == width / points && at[FOUND].width == some;
        const double *table = (const double *)at[TABLE].at;
        double *found = (double *)at[FOUND].at;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; good && i < some; i++) {
            double difficulty = real(&at[DIFFICULTY], i);
            if (difficulty < -edge) difficulty = -edge;
            if (difficulty > edge - step) difficulty = edge - step;
            double position = (difficulty + edge) / step;
            if (!(good = position >= 0 && position <= 2 * edge / step)) break;
            int64_t left = (int64_t)position, curve = whole(&at[CURVE], i), from = left - (int64_t)low;
            if (!(good = curve >= 0 && curve < at[TABLE].length && from >= 0 && from + 1 < points)) break;
            double weight = position - (double)left;
            const double *start = table + curve * width + from;
            for (Py_ssize_t k = 0; k < at[FOUND].length; k++, start += points)
                found[k * some + i] = start[0] * (1 - weight) + start[1] * weight;
        }
        Py_END_ALLOW_THREADS
    }
    close_columns(at, ARGUMENTS);
    if (PyErr_Occurred()) return NULL;
    if (!good) return misfit();
    Py_RETURN_NONE;
}

/* The prefix that a row left for another, where it was sent at most a lifetime before. */
static int64_t left_warm(const Column *prefix, const Column *hour, const Column *time, int64_t before, Py_ssize_t row) {
    if (before == NOWHERE) return NOWHERE;
    int64_t lifetime = byte(hour, before) ? LONG_LIFETIME_US : LIFETIME_US;
    return added(whole(time, row), times(whole(time, before), -1)) <= lifetime ? whole(prefix, before) : NOWHERE;
}

/* caches(conversation, before, used, to, read, prefix, hour, time, options, found): see prompt_caches.py. Of each row of
   the log, sorted by conversation: the prefix that it finds within its conversation on its route, or on the model used
   where it repeats. -1 where none is warm, -2 for rows without reads, and on a route whose cache is as it was. options
   are the number of models, and whether rows repeat. */
static PyObject *caches(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    enum { CONVERSATION, BEFORE, USED, TO, READ, PREFIX, HOUR, TIME, OPTIONS, FOUND, ARGUMENTS };
    static const char kinds[] = "nnnnnnbnno";
    Column at[ARGUMENTS];
    int64_t *last = NULL;
    int good = 0;
    if (count != ARGUMENTS) return misfit();
    if (open_columns(args, kinds, at) && at[OPTIONS].length == 2) {
        Py_ssize_t rows = at[CONVERSATION].length;
        int64_t models = whole(&at[OPTIONS], 0), repeats = whole(&at[OPTIONS], 1), begin = 0;
        good = models >= 0 && models < INT32_MAX;
        for (int i = BEFORE; i < ARGUMENTS; i++) good &= i == OPTIONS || at[i].length == rows;
        if (good && !(last = malloc(((size_t)models + 1) * sizeof *last))) PyErr_NoMemory();
        Py_BEGIN_ALLOW_THREADS
        for (int64_t model = 0; last && model <= models; model++) last[model] = NOWHERE;
        for (Py_ssize_t i = 0; good && last && i < rows; i++) {
            int64_t used = whole(&at[USED], i), to = whole(&at[TO], i), before = whole(&at[BEFORE], i);
            if (i && whole(&at[CONVERSATION], i) != whole(&at[CONVERSATION], i - 1)) begin = i;
            good = used >= NOWHERE && used < models && to >= NOWHERE && to < models && before >= NOWHERE && before < rows;
            if (!good) break;
            int64_t found = UNCHANGED, left = last[(repeats ? used : to) + 1];
            if (whole(&at[READ], i) > 0 && (repeats || (before == NOWHERE ? used : whole(&at[TO], before)) != to))
                found = left_warm(&at[PREFIX], &at[HOUR], &at[TIME], left < begin ? NOWHERE : left, i);
            ((int64_t *)at[FOUND].at)[i] = found;
            last[to + 1] = i;
        }
        Py_END_ALLOW_THREADS
    }
    free(last);
    close_columns(at, ARGUMENTS);
    if (PyErr_Occurred()) return NULL;
    if (!good) return misfit();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"offers", (PyCFunction)(void (*)(void))offers, METH_FASTCALL, "Fill in what requests cost on candidates."},
    {"runs", (PyCFunction)(void (*)(void))runs, METH_FASTCALL, "Fill in what requests cost by themselves on routes."},
    {"curves", (PyCFunction)(void (*)(void))curves, METH_FASTCALL, "Fill in values of curves at difficulties."},
    {"caches", (PyCFunction)(void (*)(void))caches, METH_FASTCALL, "Fill in the prefixes that conversations keep warm."},
    {"trees", (PyCFunction)(void (*)(void))trees, METH_FASTCALL, "Fill in the options of least cost; whether sums are exact."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_arithmetic", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__arithmetic(void) { return PyModule_Create(&module); }
