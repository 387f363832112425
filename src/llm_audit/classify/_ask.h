/* Finds the part of a plain text that asks, where the rest is a document. context.py does the same in Python, and for
   whatever is not decided here. */
#ifndef LLM_AUDIT_ASK_H
#define LLM_AUDIT_ASK_H
#include <Python.h>

#include "_context.h"
#include "_search.h"

#define WIDE_QUESTION 0xFF1F
#define WORD_LISTS 9

/* Prepared words, and the sizes that decide what is done with a text. */
typedef struct {
    Words *chores;
    const Words *tags, *rework, *surely_rework, *polite, *requests, *assent, *reference, *plans;
    Py_ssize_t edge, follow_up_chars, long_chars, paragraph_chars, pasted_chars;
    Labels questions, examples;
} AskPlan;

/* Parts of a text that ask, from:head and tail:to, either of which may be empty; the text may be in memory of its own. */
typedef struct {
    Chars text;
    Py_ssize_t from, head, tail, to;
    char *owned;
} Ask;

/* Out of memory; a harness may have written in the text; patterns have to say, with context or without; found. */
enum { OUT_OF_MEMORY = -1, MORE_TO_DO, WITH_CONTEXT, WITHOUT_CONTEXT, FOUND };

static int is_letter(Py_UCS4 c) { return c > 127 || Py_ISALNUM(c) || c == '_'; }

static Py_ssize_t first_letter(Chars text, Py_ssize_t at, Py_ssize_t to) {
    while (at < to && !is_letter(char_at(text, at))) at++;
    return at;
}

/* Whether a text, after characters that are no part of a word, may begin with one of the words. */
static int begins_text(const Words *words, Chars text, Py_ssize_t at, Py_ssize_t to) {
    return begins_at(words, text.kind, text.data, first_letter(text, at, to), to);
}

/* The characters of the longest of the words that text[at:to] begins with, in any case; 0 where it begins with none. */
static Py_ssize_t beginning(const Words *words, Chars text, Py_ssize_t at, Py_ssize_t to) {
    Py_ssize_t longest = 0;
    if (at >= to || !words->begins[folded(text.kind, text.data, at)]) return 0;
    for (int word = 0; word < words->count; word++) {
        Py_ssize_t length = words->length[word], k = 0;
        if (length <= longest || length > to - at) continue;
        while (k < length && folded(text.kind, text.data, at + k) == words->letters[word][k]) k++;
        if (k == length) longest = length;
    }
    return longest;
}

/* Whether a paragraph begins with a request; -1 where a pattern has to say. */
static int requests(const AskPlan *plan, Chars text, Py_ssize_t from, Py_ssize_t to) {
    Py_ssize_t at = first_letter(text, from, to), length = beginning(plan->requests, text, at, to);
    if (!length) return begins_at(plan->requests, text.kind, text.data, at, to) ? -1 : 0;
    return at + length == to || !is_letter(char_at(text, at + length)) ? 1 : -1;
}

/* Whether a paragraph asks for something; -1 where a pattern has to say. */
static int asks(const AskPlan *plan, Chars text, Py_ssize_t from, Py_ssize_t to) {
    Py_ssize_t end = to;
    while (end > from && Py_UNICODE_ISSPACE(char_at(text, end - 1))) end--;
    Py_UCS4 last = end > from ? char_at(text, end - 1) : 0;
    return last == '?' || last == ':' || last == WIDE_QUESTION ? 1 : requests(plan, text, from, to);
}

/* Whether a text begins with an ask to rework what follows its first paragraph; -1 where a pattern has to say. */
static int reworks(const AskPlan *plan, Chars text, Py_ssize_t from, Py_ssize_t end) {
    Py_ssize_t at = first_letter(text, from, end), place = at;
    for (Py_ssize_t k = from; k < end; k++)
        if (char_at(text, k) > 127) return -1; /* words of other scripts may stand anywhere in its first line */
    if (at == end) return -1;
    if (!begins_at(plan->rework, text.kind, text.data, at, end)) return 0;
    place += beginning(plan->polite, text, at, end);
    return beginning(plan->surely_rework, text, place, end) ? 1 : -1;
}

/* Where the first empty line of text[from:to] begins, or the last; -1 where there is none. */
static Py_ssize_t first_empty_line(Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (; (from = find_char(text, '\n', from, to)) >= 0; from++)
        if (from + 1 < to && char_at(text, from + 1) == '\n') return from;
    return -1;
}

static Py_ssize_t last_empty_line(Chars text, Py_ssize_t from, Py_ssize_t to) {
    for (; (to = find_last_char(text, '\n', from, to)) >= 0;)
        if (to > from && char_at(text, to - 1) == '\n') return to - 1;
    return -1;
}

/* Find the parts of text[from:to] that ask; 0 where a pattern has to say what they are, or whether that is a follow-up. */
static int find_ask(const AskPlan *plan, Ask *ask, int is_bare) {
    Chars text = ask->text;
    Py_ssize_t from = ask->from, to = ask->to, end = first_empty_line(text, from, to);
    ask->head = ask->tail = to;
    if (end >= 0 && to - from > plan->long_chars) {
        Py_ssize_t last = last_empty_line(text, end + 2, to), start = (last < 0 ? end : last) + 2;
        int first = end - from <= plan->paragraph_chars ? asks(plan, text, from, end) : 0;
        int second = to - start <= plan->paragraph_chars ? asks(plan, text, start, to) : 0;
        if (first < 0 || second < 0) return 0;
        if (first || second) ask->head = first ? end : from, ask->tail = second ? start : to;
    } else if (end >= 0 && end - from <= plan->paragraph_chars && to - end > plan->pasted_chars) {
        int is_rework = reworks(plan, text, from, end), asks_more = 0;
        Py_ssize_t start = is_rework ? last_empty_line(text, end, to) + 2 : to;
        if (is_rework > 0 && to - start <= plan->pasted_chars) asks_more = requests(plan, text, start, to);
        if (is_rework < 0 || asks_more < 0) return 0;
        if (is_rework) ask->head = end, ask->tail = asks_more ? start : to;
    }
    Py_ssize_t head = ask->head - from, tail = to - ask->tail, first = head ? from : ask->tail;
    if (head + tail + (head && tail) > plan->follow_up_chars) return 1;
    if (begins_text(plan->assent, text, first, to)) return 0;
    return !is_bare || head < to - from || !begins_text(plan->reference, text, from, to);
}

/* Choose the ask of the text that ends a prompt. Where there is context or none, and no more is found, text[from:to] is
   the text without blanks around it. */
static int choose_ask(const AskPlan *plan, Chars text, Py_ssize_t length, Ask *ask) {
    Reduced reduced;
    *ask = (Ask){.text = text, .to = length};
    if (length && char_at(text, 0) == '#') return MORE_TO_DO; /* perhaps AGENTS.md */
    strip(text, &ask->from, &ask->to);
    if (ask->from == ask->to || has_tag(plan->tags, text, ask->from, ask->to)) return MORE_TO_DO;
    if (has_quotation(text, ask->from, ask->to)) return WITH_CONTEXT;
    int is_reduced = reduce(text, ask->from, ask->to, plan->paragraph_chars, &reduced);
    if (is_reduced < 0) return OUT_OF_MEMORY;
    Ask own = *ask;
    if (is_reduced) {
        own = (Ask){.text = {reduced.kind, reduced.data}, .to = reduced.length, .owned = reduced.data};
        strip(own.text, &own.from, &own.to);
    }
    int has_context = has_documents(&plan->questions, &plan->examples, own.text, own.from, own.to);
    if (!has_context && find_ask(plan, &own, own.to - own.from == ask->to - ask->from)) return *ask = own, FOUND;
    PyMem_Free(own.owned);
    return has_context || is_reduced ? WITH_CONTEXT : WITHOUT_CONTEXT;
}

static PyObject *part_of(Chars text, Py_ssize_t from, Py_ssize_t to) {
    return PyUnicode_FromKindAndData(text.kind, (const char *)text.data + from * text.kind, to - from);
}

/* Read a plan, made by ``words.ask_plan``: prepared words, sizes, and labels of questions and examples. */
static int read_ask_plan(PyObject *given, AskPlan *plan) {
    PyObject *words[WORD_LISTS], *questions, *examples;
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a plan of an ask is a tuple");
        return 0;
    }
    if (!PyArg_ParseTuple(given, "(OOOOOOOOO)(nnnnn)OO", words, words + 1, words + 2, words + 3, words + 4, words + 5, words + 6,
                          words + 7, words + 8, &plan->edge, &plan->follow_up_chars, &plan->long_chars, &plan->paragraph_chars,
                          &plan->pasted_chars, &questions, &examples)) return 0;
    if (!read_labels(questions, &plan->questions) || !read_labels(examples, &plan->examples)) return 0;
    const Words *found[WORD_LISTS];
    for (int k = 0; k < WORD_LISTS; k++)
        if (!(found[k] = PyCapsule_GetPointer(words[k], "words"))) return 0;
    plan->chores = (Words *)found[0], plan->tags = found[1], plan->rework = found[2], plan->surely_rework = found[3];
    plan->polite = found[4], plan->requests = found[5], plan->assent = found[6], plan->reference = found[7];
    plan->plans = found[8];
    return 1;
}

#endif
