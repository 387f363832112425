/* Finds the ask that ends a prompt, where it is plain, as a Python text. */
#ifndef LLM_AUDIT_PLAIN_ASK_H
#define LLM_AUDIT_PLAIN_ASK_H
#include <Python.h>

#include "_ask.h"

/* Two parts of a text as lines, either of which may be empty. */
static PyObject *lines_of(const Ask *ask) {
    if (ask->from == ask->head) return part_of(ask->text, ask->tail, ask->to);
    PyObject *first = part_of(ask->text, ask->from, ask->head);
    if (!first || ask->tail == ask->to) return first;
    PyObject *second = part_of(ask->text, ask->tail, ask->to);
    PyObject *found = second ? PyUnicode_FromFormat("%U\n%U", first, second) : NULL;
    Py_DECREF(first);
    Py_XDECREF(second);
    return found;
}

/* The ask alone where it is plain, else the text without blanks around it, and whether it may hold context; None where
   more has to be done. */
static PyObject *chosen(const AskPlan *plan, PyObject *text) {
    Ask ask;
    int found = choose_ask(plan, chars_of(text), PyUnicode_GET_LENGTH(text), &ask);
    if (found == OUT_OF_MEMORY) return PyErr_NoMemory();
    if (found == MORE_TO_DO) Py_RETURN_NONE;
    if (found != FOUND)
        return Py_BuildValue("(NO)", part_of(ask.text, ask.from, ask.to), found == WITH_CONTEXT ? Py_True : Py_False);
    PyObject *lines = lines_of(&ask);
    PyMem_Free(ask.owned);
    return lines;
}

/* The ask of a prompt that ends with a user's text, after a system prompt or NULL; None where a harness may have made it. */
static PyObject *plain_ask_of(const AskPlan *plan, PyObject *text, PyObject *system) {
    if (may_be_chore(plan->chores, plan->edge, chars_of(text), PyUnicode_GET_LENGTH(text))) Py_RETURN_NONE;
    PyObject *found = chosen(plan, text);
    if (!found || found == Py_None || !system || !repeated_may_be_chore(plan->chores, plan->edge, system)) return found;
    Py_DECREF(found);
    Py_RETURN_NONE;
}

#endif
