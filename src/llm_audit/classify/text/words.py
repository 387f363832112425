"""Search for certain words in the ends of a text: the quick test before patterns that cost a hundred times as much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from llm_audit.sources.entry import Message

try:
    from llm_audit.classify import _words
except ImportError:  # built where a C compiler is at hand; the Python form below gives the same answers
    COMPILED = False
else:
    COMPILED = True

Groups = tuple[tuple[str, ...], ...]


def searcher(groups: Groups, edge: int) -> Callable[[str], bool]:
    """Return whether the ends of a text hold a word of each group, as a function of the text.

    Args:
        groups: Words in lower case, ASCII, 4 to 32 characters each.
        edge: Characters at each end of a text that are looked at.
    """
    if not COMPILED:
        return partial(in_ends, groups, edge)
    return partial(_words.in_ends, _words.prepare(groups), edge)


def beginner(heads: tuple[str, ...]) -> Callable[[str], bool]:
    """Return whether a text may begin with one of these words, as a function of the text.

    It is a quick test before a pattern without regard to case: characters of ASCII that are no part of a word may
    stand before the word, and a letter beyond ASCII for any of it.

    Args:
        heads: Words in lower case, ASCII, 1 to 32 characters each.
    """
    return partial(_words.begins, _words.prepare_heads(heads)) if COMPILED else lambda _: True


class AskSizes(NamedTuple):
    """Numbers of characters that decide what is done with an ask."""

    edge: int  # at each end, in which a harness's words are searched
    follow_up: int  # up to which it may be no more than a follow-up
    long: int  # above which it is taken for a document with an ask at an end
    paragraph: int  # up to which the paragraph that asks is short
    pasted: int  # above which what follows an ask to rework is a document


class AskWords(NamedTuple):
    """Words in lower case, ASCII but for labels, that decide whether an ask is plain."""

    chores: Groups  # as for ``searcher``
    tags: tuple[str, ...]  # with which the tags of a harness begin
    rework: tuple[str, ...]  # with which an ask to rework the text after it begins
    surely_rework: tuple[str, ...]  # with which nothing else begins
    polite: tuple[str, ...]  # which may come before these
    requests: tuple[str, ...]  # with which a paragraph that asks for something begins
    assent: tuple[str, ...]  # with which an assent begins
    reference: tuple[str, ...]  # with which a short ask about something earlier begins
    plans: tuple[str, ...]  # with which an ask for a plan begins
    questions: tuple[str, ...]  # labels, of which one stands before a colon where documents precede a question
    examples: tuple[str, ...]  # labels, of which one stands before a colon where examples precede the ask


AskPlan = tuple[tuple[object, ...], tuple[int, ...], tuple[str, ...], tuple[str, ...]]
"""Prepared words, sizes, and labels of questions and of examples, for compiled code."""
PlainAsk = str | tuple[str, bool] | None
"""The ask of a prompt, or the text that ends it and whether it may hold context; see ``plain_ask``."""


def ask_plan(words: AskWords, sizes: AskSizes) -> AskPlan | None:
    """Return what compiled code needs to choose an ask; None without such code."""
    if not COMPILED:
        return None
    heads = map(_words.prepare_heads, words[1:-2])
    return (_words.prepare(words.chores), *heads), tuple(sizes), words.questions, words.examples


def plain_ask(plan: AskPlan | None) -> Callable[[list[Message]], PlainAsk]:
    """Return the ask that ends a prompt, as a function of the messages: a short way for most.

    It returns the ask alone where that is plain, without what is in long fences. Else it returns the text without
    blanks around it, and whether it may hold a quotation, a long fence, a closed tag, examples or documents; if not,
    it may still end with a document, or be a follow-up. None where more may have to be done: the prompt does not end
    with the user's message, that or the system prompt has a word of each group at its ends, or a harness may have
    written in it.
    """
    return partial(_words.plain_ask, plan) if plan is not None else lambda _: None


def in_ends(groups: Groups, edge: int, text: str) -> bool:
    """The same answer as the compiled search. No character beyond ASCII is part of such a word in lower case."""
    lowered = ends(text, edge).lower()
    return all(_any(group, lowered) for group in groups)


def labelled(words: tuple[str, ...], text: str) -> bool:
    """Return whether one of these words may stand before a colon, as a quick test before a pattern that asks for it.

    Args:
        words: Words in lower case.
        text: The text. Between word and colon may be blanks and asterisks; the word may have any case, and is no part
            of a longer one.
    """
    return _words.labelled(words, text) if COMPILED else ":" in text or "\uff1a" in text


def ends(text: str, edge: int) -> str:
    """The ends of a text, or all of it where it is no longer than both."""
    return text if len(text) <= 2 * edge else f"{text[:edge]}\n{text[-edge:]}"


def _any(words: Sequence[str], text: str) -> bool:
    for word in words:  # noqa: SIM110 - a generator would cost more than the search
        if word in text:
            return True
    return False
