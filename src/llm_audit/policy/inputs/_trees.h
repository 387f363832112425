/* The options of least total cost of decisions in trees: the program of routing/traces.py. */
#ifndef LLM_AUDIT_POLICY_TREES_H
#define LLM_AUDIT_POLICY_TREES_H

#include "_columns.h"

#include <math.h>
#include <stdlib.h>

#define EXACT_SUM 9007199254740992.0 /* whole numbers that add up to less are added without rounding, in any order */

typedef struct {
    Py_ssize_t count, options;
    const double *own, *switched; /* decisions x options */
    const Column *model, *parent;
    double *total;
    int16_t *best_for; /* by the parent's option */
} Tree;

/* Whether all sums of costs are exact: then the order in which they are added does not matter. */
static int is_exact(const Tree *tree) {
    double sum = 0;
    for (Py_ssize_t i = 0; i < tree->count * tree->options; i++) {
        double own = tree->own[i], switched = tree->switched[i];
        if (isnan(own) || isnan(switched) || switched < 0 || own == -INFINITY || switched == INFINITY) return 0;
        if (own != INFINITY && own != floor(own)) return 0;
        if (switched != floor(switched)) return 0;
        sum += (own == INFINITY ? 0 : fabs(own)) + switched;
        if (sum >= EXACT_SUM) return 0;
    }
    return 1;
}

/* Add the least cost of a decision with all below it to each of its parent's options. */
static void add_to_parent(const Tree *tree, Py_ssize_t at, Py_ssize_t above) {
    const double *total = tree->total + at * tree->options, *switched = tree->switched + at * tree->options;
    double *parent = tree->total + above * tree->options, least = INFINITY;
    int16_t first = 0;
    for (Py_ssize_t option = 0; option < tree->options; option++) {
        double entered = total[option] + switched[option];
        if (entered < least) least = entered, first = (int16_t)option;
    }
    for (Py_ssize_t of = 0; of < tree->options; of++) {
        int64_t model = whole(tree->model, above * tree->options + of);
        double cost = least;
        int16_t best = first;
        for (Py_ssize_t option = 0; option < tree->options; option++) {
            if (whole(tree->model, at * tree->options + option) != model) continue;
            double kept = total[option]; /* the cache of the parent's model is warm */
            if (kept < cost || (kept == cost && option < best)) cost = kept, best = (int16_t)option;
        }
        tree->best_for[at * tree->options + of] = best;
        parent[of] += cost;
    }
}

static void choose(const Tree *tree, int64_t *chosen, double *value) {
    for (Py_ssize_t at = tree->count; at-- > 0;) {
        int64_t above = whole(tree->parent, at);
        if (above >= 0) add_to_parent(tree, at, (Py_ssize_t)above);
    }
    for (Py_ssize_t at = 0; at < tree->count; at++) {
        int64_t above = whole(tree->parent, at);
        value[at] = 0;
        if (above >= 0) {
            chosen[at] = tree->best_for[at * tree->options + chosen[above]];
            continue;
        }
        chosen[at] = 0;
        value[at] = INFINITY;
        for (Py_ssize_t option = 0; option < tree->options; option++) {
            double entered = tree->total[at * tree->options + option] + tree->switched[at * tree->options + option];
            if (entered < value[at]) value[at] = entered, chosen[at] = option;
        }
    }
}

/* trees(own, switched, model, parent, chosen, value): fill in the option of each decision, and the least total of each
   root's tree. False where sums are not exact: then nothing is filled in. */
static PyObject *trees(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    enum { OWN, SWITCHED, MODEL, PARENT, CHOSEN, VALUE, ARGUMENTS };
    static const char kinds[] = "FFNnop";
    Column at[ARGUMENTS];
    Tree tree = {0};
    int good = 0, exact = 0;
    if (count != ARGUMENTS) return misfit();
    if (open_columns(args, kinds, at)) {
        tree.count = at[OWN].length, tree.options = at[OWN].width;
        tree.own = (double *)at[OWN].at, tree.switched = (double *)at[SWITCHED].at;
        tree.model = &at[MODEL], tree.parent = &at[PARENT];
        good = tree.options > 0 && tree.options < INT16_MAX && at[OWN].view.itemsize == 8 && at[SWITCHED].view.itemsize == 8;
        for (int i = SWITCHED; i < ARGUMENTS; i++) good &= at[i].length == tree.count;
        for (int i = SWITCHED; i <= MODEL; i++) good &= at[i].width == tree.options;
        for (Py_ssize_t i = 0; good && i < tree.count; i++) good = whole(tree.parent, i) >= -1 && whole(tree.parent, i) < i;
        if (good && (exact = is_exact(&tree))) {
            size_t cells = (size_t)(tree.count * tree.options) + 1;
            tree.total = malloc(cells * sizeof *tree.total);
            tree.best_for = calloc(cells, sizeof *tree.best_for);
            if (!tree.total || !tree.best_for) PyErr_NoMemory();
            else {
                Py_BEGIN_ALLOW_THREADS
                if (tree.count) memcpy(tree.total, tree.own, (cells - 1) * sizeof *tree.total);
                choose(&tree, (int64_t *)at[CHOSEN].at, (double *)at[VALUE].at);
                Py_END_ALLOW_THREADS
            }
        }
    }
    free(tree.total);
    free(tree.best_for);
    close_columns(at, ARGUMENTS);
    if (PyErr_Occurred()) return NULL;
    if (!good) return misfit();
    return PyBool_FromLong(exact);
}

#endif
