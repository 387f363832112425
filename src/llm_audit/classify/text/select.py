"""Selection of the text that is judged: the latest human ask, without what a harness, a tool or a document added.

Called once a request on plain Python objects, so the common case must stay cheap: patterns are tried only where a
character that they need is present, and long texts are searched at their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from llm_audit.classify.text import patterns
from llm_audit.classify.text.words import AskSizes, AskWords, beginner, ends, labelled, plain_ask, searcher
from llm_audit.sources.entry import Message
from llm_audit.vocabulary import Abstention, Judged, Operation, Step

TITLE_ASK: Final = "Write a short title for this conversation."
SUMMARY_ASK: Final = "Summarise this conversation."
_LONG: Final = 3000
_SHORT_PARAGRAPH: Final = 600
_PASTED: Final = 200
"""Characters from which a paragraph after the words that ask to rework it is a document."""
_LABEL: Final = 24
"""Characters within which a line has its label; the last line of an ask after examples has one, few others do."""
_FOLLOW_UP: Final = 80
_EDGE: Final = 700
# Members of enums are looked up slowly, and these are asked for once a request.
_CHAT: Final[str] = Operation.CHAT.value
_SCORED: Final = Judged.SCORED
_ASK: Final = Step.ASK
_may_be_chore: Final = searcher((patterns.CHORE_WORDS, patterns.CHORE_SUBJECTS), _EDGE)
_plain_ask: Final = plain_ask(
    AskWords(
        chores=(patterns.CHORE_WORDS, patterns.CHORE_SUBJECTS),
        tags=patterns.HARNESS_HEADS,
        rework=patterns.REWORK_HEADS,
        surely_rework=patterns.REWORK_WORDS,
        polite=patterns.POLITE_WORDS,
        requests=patterns.REQUEST_WORDS,
        assent=patterns.ASSENT_HEADS,
        reference=patterns.REFERENCE_HEADS,
        labels=patterns.QUESTION_WORDS,
    ),
    AskSizes(edge=_EDGE, follow_up=_FOLLOW_UP, long=_LONG, paragraph=_SHORT_PARAGRAPH, pasted=_PASTED),
)
_may_assent: Final = beginner(patterns.ASSENT_HEADS)
_may_refer: Final = beginner(patterns.REFERENCE_HEADS)
_may_request: Final = beginner(patterns.REQUEST_WORDS)
_may_rework: Final = beginner(patterns.REWORK_HEADS)


class Selection(msgspec.Struct, frozen=True, gc=False):
    """The text of a request that is judged.

    ``text`` is empty where ``judged`` is ``abstained``. ``step`` is what the request does in its trace.
    """

    text: str
    judged: Judged
    abstention: Abstention | None
    step: Step


def select(
    messages: Sequence[Message] | None,
    *,
    tools: Sequence[str] = (),
    redacted: bool = False,
    operation: str = Operation.CHAT,
) -> Selection:
    """Choose what is judged of a request.

    Args:
        messages: The prompt, oldest first; ``None`` where the log holds none.
        tools: Names of the tools offered.
        redacted: The log says that the text was removed.
        operation: What kind of call it is; only chat is judged.

    Returns:
        The text with how it was come by, or why there is none.
    """
    if operation != _CHAT:
        return _abstain(Abstention.NOT_CHAT)
    if redacted or not messages:
        return _abstain(Abstention.REDACTED if redacted else Abstention.NO_TEXT)
    found = _plain(messages, tools) or _chore(messages)
    if found is not None:
        return found
    last = messages[-1]
    step = _loop_step(messages) if last.role == "tool" else _ASK
    ask = _ask_before(messages, len(messages))
    if ask is None:
        return _abstain(Abstention.NON_TEXT if any(m.images or m.audio for m in messages) else Abstention.NO_TEXT, step)
    index, text, bare = ask
    if step is _ASK:
        step = _planned(text, tools)
    if _follows_up(text, bare=bare):
        return _inherited(messages, index, text, step)
    return Selection(text, _SCORED, None, step)


def _planned(ask: str, tools: Sequence[str]) -> Step:
    return Step.PLAN if tools and patterns.PLAN.match(ask) else _ASK


def _plain(messages: Sequence[Message], tools: Sequence[str]) -> Selection | None:
    """Select the ask in the short way that most prompts allow; None where this one does not."""
    found = _plain_ask(messages) if type(messages) is list else None
    if found is None:
        return None
    if isinstance(found, str):
        return Selection(found, _SCORED, None, _planned(found, tools) if tools else _ASK)
    whole, has_context = found
    ask = without_context(whole) if has_context else _own_ask(whole)
    if not ask or _follows_up(ask, bare=len(ask) == len(whole)):
        return None
    return Selection(ask, _SCORED, None, _planned(ask, tools))


def _abstain(reason: Abstention, step: Step = Step.UNKNOWN) -> Selection:
    return Selection("", Judged.ABSTAINED, reason, step)


def _chore(messages: Sequence[Message]) -> Selection | None:
    """Recognise the calls that a harness makes for itself: titles, topic checks, summaries of a conversation."""
    step = _system_chore(messages[0].text) if messages[0].role == "system" else None
    if step is None:
        for message in reversed(messages):
            if message.role == "user":
                step = _chore_step(message.text)
                break
    if step is None:
        return None
    return Selection(SUMMARY_ASK if step is Step.SUMMARISE else TITLE_ASK, Judged.SCORED, None, step)


def _chore_step(text: str) -> Step | None:
    if not _may_be_chore(text):
        return None
    edges = ends(text, _EDGE)
    # No match goes past a full stop or a line's end, and each holds both words, unless it has a letter beyond ASCII.
    odd = not edges.isascii() and any(letter in edges for letter in patterns.ODD_LETTERS)
    likely = [edges] if odd else [line for line in edges.replace("\n", ".").split(".") if _may_be_chore(line)]
    if any(map(patterns.SUMMARY.search, likely)):
        return Step.SUMMARISE
    return Step.HOUSEKEEPING if any(map(patterns.TITLE.search, likely)) else None


_system_chore = lru_cache(maxsize=256)(_chore_step)  # a log repeats few system prompts


def _follows_up(text: str, *, bare: bool) -> bool:
    """Return true for an ask that means nothing alone; one that brought its own context may mean that by "this"."""
    if len(text) > _FOLLOW_UP:
        return False
    if _may_assent(text) and patterns.ASSENT.fullmatch(text):
        return True
    return bare and _may_refer(text) and patterns.REFERENCE.fullmatch(text) is not None


def _ask_before(messages: Sequence[Message], end: int) -> tuple[int, str, bool] | None:
    """The latest human ask before a place: ``(index, cleaned text, nothing but harness text was taken away)``."""
    for index in range(end - 1, -1, -1):
        message = messages[index]
        if message.role == "user":
            bare = without_harness(message.text)
            text = without_context(bare)
            if text:
                return index, text, len(text) == len(bare)
    return None


def _inherited(messages: Sequence[Message], index: int, text: str, step: Step) -> Selection:
    """Judge a follow-up by what it refers to: the earlier ask, and what the model then proposed."""
    before = _ask_before(messages, index)
    while before is not None and _follows_up(before[1], bare=before[2]):
        before = _ask_before(messages, before[0])
    earlier = before[1] if before else ""
    proposal = ""
    if index and messages[index - 1].role == "assistant":
        proposal = messages[index - 1].text.rstrip()[-_EDGE:].rpartition("\n\n")[2]
    if not earlier and not proposal:
        if patterns.ASSENT.fullmatch(text):
            return _abstain(Abstention.NO_SIGNAL, step)
        return Selection(text, Judged.SCORED, None, step)
    return Selection("\n".join(part for part in (earlier, proposal, text) if part), Judged.INHERITED, None, step)


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
    return _own_ask(text)


def _own_ask(text: str) -> str:
    """Take away a document without marks around it."""
    return _ask_of_document(text) if len(text) > _LONG else _ask_to_rework(text)


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
    if len(text) - len(outside) <= _SHORT_PARAGRAPH or len(outside.split(None, 2)) < 3:
        return text
    return "``` ```".join(parts[::2]) + ("" if len(parts) % 2 else "``` ```")


def _ask_of_document(text: str) -> str:
    """Of a long text, the short first and last paragraphs that ask for something; all of it where neither does."""
    end = text.find("\n\n")
    if end < 0:
        return text
    start = max(end, text.rfind("\n\n", end + 2)) + 2
    head = text[:end] if end <= _SHORT_PARAGRAPH else ""
    tail = text[start:] if len(text) - start <= _SHORT_PARAGRAPH else ""
    return "\n".join(filter(_asks, (head, tail))) or text


def _ask_to_rework(text: str) -> str:
    """Of an ask to rework the text after it, the first paragraph, and the last where that asks for more."""
    end = text.find("\n\n")
    if not (0 < end <= _SHORT_PARAGRAPH and len(text) - end > _PASTED and _reworks(text)):
        return text
    tail = text[text.rfind("\n\n") + 2 :]
    more = len(tail) <= _PASTED and _requests(tail)
    return f"{text[:end]}\n{tail}" if more else text[:end]


def _asks(paragraph: str) -> bool:
    return paragraph.rstrip()[-1:] in patterns.ASKING_MARKS or _requests(paragraph)


def _requests(paragraph: str) -> bool:
    return _may_request(paragraph) and patterns.REQUEST.match(paragraph) is not None


def _reworks(text: str) -> bool:
    return (not text.isascii() or _may_rework(text)) and patterns.REWORK.match(text) is not None


def _loop_step(messages: Sequence[Message]) -> Step:
    """Tell what a tool loop is doing from the tools it called last."""
    for message in reversed(messages):
        if message.role == "assistant" and message.calls:
            calls = message.calls[:_EDGE]
            for step, pattern in patterns.STEPS:
                if pattern.search(calls):
                    return step
            return Step.UNKNOWN
        if message.role == "user":
            break
    return Step.UNKNOWN
