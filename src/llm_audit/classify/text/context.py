"""What is taken away from an ask: blocks of a harness, quotations, fences, examples and documents.

Patterns are tried only where a character or a word that they need is present, as in ``select``.
"""

from __future__ import annotations

from typing import Final

from llm_audit.classify.text import patterns
from llm_audit.classify.text.words import beginner, labelled

LONG: Final = 3000
SHORT_PARAGRAPH: Final = 600
PASTED: Final = 200
"""Characters from which a paragraph after the words that ask to rework it is a document."""
_LABEL: Final = 24
"""Characters within which a line has its label; the last line of an ask after examples has one, few others do."""
_may_request: Final = beginner(patterns.REQUEST_WORDS)
_may_rework: Final = beginner(patterns.REWORK_HEADS)


def without_harness(text: str) -> str:
    """Take away the blocks that a harness puts around a person's words."""
    if "<" in text:
        text = patterns.HARNESS.sub("", text)
    return "" if text.startswith("# AGENTS.md") else text.strip()


def without_context(text: str) -> str:
    """Take away what an ask is about: quotations, long code fences, pasted documents."""
    if ">" in text and (text.startswith(">") or "\n>" in text):  # one character is found far quicker than two
        text = patterns.QUOTE.sub("", text).strip() or text
    if "`" in text and "```" in text:
        text = _without_fences(text).strip()
    if "<" in text and "</" in text:
        text = patterns.TAGGED.sub(r"<\1>", text)
    if ":" in text or "\uff1a" in text:
        text = _without_documents(_without_examples(text))
    return own_ask(text)


def own_ask(text: str) -> str:
    """Take away a document without marks around it."""
    return _ask_of_document(text) if len(text) > LONG else _ask_to_rework(text)


def _without_examples(text: str) -> str:
    """Drop the examples, each an ask with its answer, between an instruction and the ask that has none yet."""
    last = text[text.rfind("\n", 0, len(text.rstrip())) + 1 :][:_LABEL]
    if ":" not in last and "\uff1a" not in last:
        return text
    if not labelled(patterns.EXAMPLE_WORDS, text):
        return text
    lines = text.split("\n")
    marked = [(number, line) for number, line in enumerate(lines) if ":" in line[:_LABEL] or "\uff1a" in line[:_LABEL]]
    asks = [number for number, line in marked if patterns.EXAMPLE_ASK.match(line)]
    answers = [(number, label.end()) for number, line in marked if (label := patterns.EXAMPLE_ANSWER.match(line))]
    if len(asks) < 2 or not any(asks[0] < number < asks[-1] for number, _ in answers):
        return text
    if any(
        number > asks[-1] and "\n".join((lines[number][end:], *lines[number + 1 :])).strip() for number, end in answers
    ):
        return text
    return "\n".join((*lines[: asks[0]], *lines[asks[-1] :]))


def _without_documents(text: str) -> str:
    """Drop the documents between an instruction and the line that puts the question."""
    if "\n" not in text or not labelled(patterns.QUESTION_WORDS, text):
        return text
    starts = [question.start() for question in patterns.QUESTION.finditer(text)]
    documents = patterns.DOCUMENTS.search(text, 0, starts[-1]) if starts else None
    if documents is None:
        return text
    return f"{text[: documents.end()].rstrip()}\n{text[starts[-1] :].lstrip()}"


def _without_fences(text: str) -> str:
    """Drop the content of long code fences where words around them say what to do with it."""
    parts = text.split("```")  # the odd ones are fenced; an open fence runs to the end
    outside = "".join(parts[::2])
    if len(text) - len(outside) <= SHORT_PARAGRAPH or len(outside.split(None, 2)) < 3:
        return text
    return "``` ```".join(parts[::2]) + ("" if len(parts) % 2 else "``` ```")


def _ask_of_document(text: str) -> str:
    """Of a long text, the short first and last paragraphs that ask for something; all of it where neither does."""
    end = text.find("\n\n")
    if end < 0:
        return text
    start = max(end, text.rfind("\n\n", end + 2)) + 2
    head = text[:end] if end <= SHORT_PARAGRAPH else ""
    tail = text[start:] if len(text) - start <= SHORT_PARAGRAPH else ""
    return "\n".join(filter(_asks, (head, tail))) or text


def _ask_to_rework(text: str) -> str:
    """Of an ask to rework the text after it, the first paragraph, and the last where that asks for more."""
    end = text.find("\n\n")
    if not (0 < end <= SHORT_PARAGRAPH and len(text) - end > PASTED and _reworks(text)):
        return text
    tail = text[text.rfind("\n\n") + 2 :]
    more = len(tail) <= PASTED and _requests(tail)
    return f"{text[:end]}\n{tail}" if more else text[:end]


def _asks(paragraph: str) -> bool:
    return paragraph.rstrip()[-1:] in patterns.ASKING_MARKS or _requests(paragraph)


def _requests(paragraph: str) -> bool:
    return _may_request(paragraph) and patterns.REQUEST.match(paragraph) is not None


def _reworks(text: str) -> bool:
    return (not text.isascii() or _may_rework(text)) and patterns.REWORK.match(text) is not None
