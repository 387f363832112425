/* Sums over clusters of requests: of figures, and of products of two, exact in 128 bits. metric_sums.py gives the same
   whole numbers by polars. */
#include "../../policy/inputs/_columns.h"

#include <stdlib.h>

#define MAX_FIGURES 16
#define AHEAD 16 /* rows that are fetched before they are added: a cluster's are far from each other */

typedef struct {
    Py_ssize_t requests, figures, groups, pairs;
    const Column *cluster, *group;
    const int64_t *values, *pair;
    int64_t *clusters, *sums, *low, *high;
    int64_t *held;      /* sums of the cluster at hand, a row a group */
    int of_whole;       /* whether a pair asks for a figure of the whole cluster */
    int32_t *touched;   /* groups of the cluster at hand */
    uint8_t *is_touched;
} Work;

/* Add the cluster at hand to the sums of its groups; 0 where a product leaves 128 bits. */
static int flush(const Work *work, const int64_t *whole_of, Py_ssize_t touched) {
    for (Py_ssize_t t = 0; t < touched; t++) {
        Py_ssize_t group = work->touched[t];
        int64_t *held = work->held + group * work->figures;
        work->clusters[group]++;
        for (Py_ssize_t k = 0; k < work->figures; k++)
            if (__builtin_add_overflow(work->sums[group * work->figures + k], held[k], &work->sums[group * work->figures + k]))
                return 0;
        for (Py_ssize_t p = 0; p < work->pairs; p++) {
            int64_t y = work->pair[2 * p], x = work->pair[2 * p + 1];
            int64_t left = y < work->figures ? held[y] : whole_of[y - work->figures];
            int64_t right = x < work->figures ? held[x] : whole_of[x - work->figures];
            Py_ssize_t at = group * work->pairs + p;
            __int128 sum = (__int128)(((unsigned __int128)(uint64_t)work->high[at] << 64) | (uint64_t)work->low[at]);
            if (__builtin_add_overflow(sum, (__int128)left * right, &sum)) return 0;
            work->low[at] = (int64_t)(uint64_t)sum;
            work->high[at] = (int64_t)(uint64_t)((unsigned __int128)sum >> 64);
        }
        memset(held, 0, (size_t)work->figures * sizeof *held);
        work->is_touched[group] = 0;
    }
    return 1;
}

/* Add figures to sums; 0 where one overflows. */
static int add_to(int64_t *restrict sums, const int64_t *restrict values, Py_ssize_t figures) {
    int over = 0;
    for (Py_ssize_t k = 0; k < figures; k++) over |= __builtin_add_overflow(sums[k], values[k], &sums[k]);
    return !over;
}

/* Add up the requests, which `order` lists cluster by cluster; 0 where a sum leaves its bits. */
static int add_up(const Work *work, const int32_t *order) {
    int64_t whole_of[MAX_FIGURES] = {0};
    Py_ssize_t touched = 0;
    int64_t before = -1;
    for (Py_ssize_t i = 0; i < work->requests; i++) {
        Py_ssize_t row = order[i];
        int64_t cluster = whole(work->cluster, row), group = whole(work->group, row);
        const int64_t *values = work->values + row * work->figures;
        if (i + AHEAD < work->requests) __builtin_prefetch(work->values + order[i + AHEAD] * work->figures);
        if (cluster != before) {
            if (!flush(work, whole_of, touched)) return 0;
            if (work->of_whole) memset(whole_of, 0, sizeof whole_of);
            touched = 0;
            before = cluster;
        }
        if (work->of_whole && !add_to(whole_of, values, work->figures)) return 0;
        if (group < 0) continue;
        if (!add_to(work->held + group * work->figures, values, work->figures)) return 0;
        if (!work->is_touched[group]) work->touched[touched++] = (int32_t)group;
        work->is_touched[group] = 1;
    }
    return flush(work, whole_of, touched);
}

/* Sort the requests by cluster: counts has a place for each cluster, and one more. */
static void sort_by_cluster(const Work *work, int32_t *counts, Py_ssize_t clusters, int32_t *order) {
    for (Py_ssize_t i = 0; i < work->requests; i++) counts[whole(work->cluster, i) + 1]++;
    for (Py_ssize_t c = 0; c < clusters; c++) counts[c + 1] += counts[c];
    for (Py_ssize_t i = 0; i < work->requests; i++) order[counts[whole(work->cluster, i)]++] = (int32_t)i;
}

/* add(cluster, group, values, pairs, clusters, sums, low, high): fill in, for each group, its clusters, the sums of its
   figures, and of products over its clusters; a figure of a pair that is no column of values is one of the whole
   cluster. True where all fit their bits. */
static PyObject *add(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    enum { CLUSTER, GROUP, VALUES, PAIRS, CLUSTERS, SUMS, LOW, HIGH, ARGUMENTS };
    static const char kinds[] = "nnNNoQQQ";
    Column at[ARGUMENTS];
    Work work = {0};
    int32_t *counts = NULL, *order = NULL;
    int good = 0, fit = 0;
    if (count != ARGUMENTS) return misfit();
    if (open_columns(args, kinds, at)) {
        work.requests = at[CLUSTER].length, work.figures = at[VALUES].width;
        work.groups = at[CLUSTERS].length, work.pairs = at[PAIRS].length;
        work.cluster = &at[CLUSTER], work.group = &at[GROUP];
        work.values = (int64_t *)at[VALUES].at, work.pair = (int64_t *)at[PAIRS].at;
        work.clusters = (int64_t *)at[CLUSTERS].at, work.sums = (int64_t *)at[SUMS].at;
        work.low = (int64_t *)at[LOW].at, work.high = (int64_t *)at[HIGH].at;
        good = at[GROUP].length == work.requests && at[VALUES].length == work.requests && work.requests < INT32_MAX &&
               at[VALUES].view.itemsize == 8 && at[PAIRS].view.itemsize == 8 && at[PAIRS].width == 2 &&
               work.figures > 0 && work.figures <= MAX_FIGURES && work.groups < INT32_MAX &&
               at[SUMS].length == work.groups && at[SUMS].width == work.figures;
        for (int i = LOW; i <= HIGH; i++) good &= at[i].length == work.groups && at[i].width == work.pairs;
        for (Py_ssize_t p = 0; good && p < 2 * work.pairs; p++) {
            good = work.pair[p] >= 0 && work.pair[p] < 2 * work.figures;
            work.of_whole |= work.pair[p] >= work.figures;
        }
        Py_ssize_t clusters = 0;
        for (Py_ssize_t i = 0; good && i < work.requests; i++) {
            int64_t cluster = whole(work.cluster, i);
            good = cluster >= 0 && cluster < INT32_MAX && whole(work.group, i) < work.groups;
            if (good && cluster >= clusters) clusters = (Py_ssize_t)cluster + 1;
        }
        if (good) {
            counts = calloc((size_t)clusters + 1, sizeof *counts);
            order = malloc(((size_t)work.requests + 1) * sizeof *order);
            work.held = calloc((size_t)(work.groups * work.figures) + 1, sizeof *work.held);
            work.touched = malloc(((size_t)work.groups + 1) * sizeof *work.touched);
            work.is_touched = calloc((size_t)work.groups + 1, 1);
            if (!counts || !order || !work.held || !work.touched || !work.is_touched) PyErr_NoMemory();
            else {
                Py_BEGIN_ALLOW_THREADS
                sort_by_cluster(&work, counts, clusters, order);
                fit = add_up(&work, order);
                Py_END_ALLOW_THREADS
            }
        }
    }
    free(counts);
    free(order);
    free(work.held);
    free(work.touched);
    free(work.is_touched);
    close_columns(at, ARGUMENTS);
    if (PyErr_Occurred()) return NULL;
    if (!good) return misfit();
    return PyBool_FromLong(fit);
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)(void (*)(void))add, METH_FASTCALL, "Fill in sums over clusters; whether they fit."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_sums", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__sums(void) { return PyModule_Create(&module); }
