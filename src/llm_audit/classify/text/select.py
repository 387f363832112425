"""Selection of the text that is judged: the latest human ask, without what a harness, a tool or a document added.

Called once a request on plain Python objects, so the common case must stay cheap: patterns are tried only where a
character that they need is present, and long texts are searched at their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import EllipsisType
from typing import Final

import msgspec

from llm_audit.classify.text import patterns
from llm_audit.classify.text.context import LONG, PASTED, SHORT_PARAGRAPH, own_ask, without_context, without_harness
from llm_audit.classify.text.words import AskSizes, AskWords, PlainAsk, ask_plan, beginner, ends, searcher
from llm_audit.classify.text.words import plain_ask as ask_finder
from llm_audit.sources.entry import Message
from llm_audit.vocabulary import Abstention, Judged, Operation, Step

TITLE_ASK: Final = "Write a short title for this conversation."
SUMMARY_ASK: Final = "Summarise this conversation."
_FOLLOW_UP: Final = 80
_EDGE: Final = 700
# Members of enums are looked up slowly, and these are asked for once a request.
_CHAT: Final[str] = Operation.CHAT.value
_SCORED: Final = Judged.SCORED
_ASK: Final = Step.ASK
_UNKNOWN: Final = Step.UNKNOWN
_may_be_chore: Final = searcher((patterns.CHORE_WORDS, patterns.CHORE_SUBJECTS), _EDGE)
ASK_PLAN: Final = ask_plan(
    AskWords(
        chores=(patterns.CHORE_WORDS, patterns.CHORE_SUBJECTS),
        tags=patterns.HARNESS_HEADS,
        rework=patterns.REWORK_HEADS,
        surely_rework=patterns.REWORK_WORDS,
        polite=patterns.POLITE_WORDS,
        requests=patterns.REQUEST_WORDS,
        assent=patterns.ASSENT_HEADS,
        reference=patterns.REFERENCE_HEADS,
        plans=patterns.PLAN_HEADS,
        questions=patterns.QUESTION_WORDS,
        examples=patterns.EXAMPLE_WORDS,
    ),
    AskSizes(edge=_EDGE, follow_up=_FOLLOW_UP, long=LONG, paragraph=SHORT_PARAGRAPH, pasted=PASTED),
)
"""What compiled code needs to choose the ask of a plain prompt; None without such code."""
plain_ask: Final = ask_finder(ASK_PLAN)
_may_assent: Final = beginner(patterns.ASSENT_HEADS)
_may_refer: Final = beginner(patterns.REFERENCE_HEADS)


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
    plain: PlainAsk | EllipsisType = ...,
) -> Selection:
    """Choose what is judged of a request.

    Args:
        messages: The prompt, oldest first; ``None`` where the log holds none.
        tools: Names of the tools offered.
        redacted: The log says that the text was removed.
        operation: What kind of call it is; only chat is judged.
        plain: What ``plain_ask`` returns for the messages, where the caller has it already.

    Returns:
        The text with how it was come by, or why there is none.
    """
    if operation != _CHAT:
        return _abstain(Abstention.NOT_CHAT)
    if redacted or not messages:
        return _abstain(Abstention.REDACTED if redacted else Abstention.NO_TEXT)
    if plain is ...:
        plain = plain_ask(messages) if type(messages) is list else None
    found = _plain(plain, tools) or _chore(messages)
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


def _plain(found: PlainAsk, tools: Sequence[str]) -> Selection | None:
    """Select the ask in the short way that most prompts allow; None where this one does not."""
    ask = plain_rest(*found) if isinstance(found, tuple) else found
    if ask is None:
        return None
    return Selection(ask, _SCORED, None, _planned(ask, tools) if tools else _ASK)


def plain_rest(whole: str, has_context: bool) -> str | None:  # noqa: FBT001 - called by compiled code
    """Return the ask where patterns have to say what it is; None where it is a follow-up, or all is context.

    Args:
        whole: The text that ends a prompt, without blanks around it.
        has_context: Whether it may hold context.
    """
    ask = without_context(whole) if has_context else own_ask(whole)
    return None if not ask or _follows_up(ask, bare=len(ask) == len(whole)) else ask


def _abstain(reason: Abstention, step: Step = Step.UNKNOWN) -> Selection:
    return Selection("", Judged.ABSTAINED, reason, step)


def _chore(messages: Sequence[Message]) -> Selection | None:
    """Recognise the calls that a harness makes for itself: titles, topic checks, summaries of a conversation."""
    step = _system_chore(messages[0].text) if messages[0].role == "system" else None
    if step is None:
        for message in reversed(messages):
            if message.role == "user":
                step = _user_chore(message.text)
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
_user_chore = lru_cache(maxsize=2)(_chore_step)  # the prompts of a tool loop repeat one ask


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
            text, bare = _own_words(message.text)
            if text:
                return index, text, bare
    return None


@lru_cache(maxsize=2)  # the prompts of a tool loop repeat one ask
def _own_words(written: str) -> tuple[str, bool]:
    """Return what a person asks in a message, and whether nothing but harness text was taken away."""
    bare = without_harness(written)
    text = without_context(bare)
    return text, len(text) == len(bare)


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


def _loop_step(messages: Sequence[Message]) -> Step:
    """Tell what a tool loop is doing from the tools it called last."""
    for message in reversed(messages):
        if message.role == "assistant" and message.calls:
            return _step_of(message.calls[:_EDGE])
        if message.role == "user":
            break
    return Step.UNKNOWN


def _step_of(calls: str) -> Step:
    """Return the step of the calls of tools; letters beyond ASCII may stand for those of a word."""
    if not calls.isascii():
        return next((step for step, pattern in patterns.STEPS if pattern.search(calls)), _UNKNOWN)
    lowered = calls.lower()
    for step, words, pattern in patterns.STEPS_IN_LOWER_CASE:
        for word in words:
            if word in lowered:
                if pattern.search(lowered):
                    return step
                break
    return _UNKNOWN
