"""Open WebUI chats, as it exports them: an object a chat, whose history holds every message by its id.

A reply with the provider's usage is a call. Counts are as the provider gave them.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, Message, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.billing.costs import cost_of_usage
from llm_audit.sources.records.calls import merge_key, reject_on_error
from llm_audit.sources.records.fields import Json, as_int, first, mapping, objects, text
from llm_audit.sources.records.messages import ROLES
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_any

_LONGEST = 512  # messages of a thread followed back
_LAST_CALL = frozenset({"prompt_tokens", "completion_tokens", "prompt_eval_count", "eval_count"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    chat = mapping(record.get("chat"))
    history = mapping(mapping(chat.get("history")).get("messages"))
    messages = list(objects(list(history.values()))) or list(objects(chat.get("messages")))
    yield from (reject_on_error(lambda message: _entry(message, history, record), message) for message in messages)
    if not messages:
        yield NotACall(NotCallReason.METADATA)


def _entry(message: Json, history: Json, record: Record) -> Entry:
    counts = mapping(message.get("usage")) or mapping(mapping(message.get("info")).get("usage"))
    if message.get("role") != "assistant" or not counts:
        return NotACall(NotCallReason.METADATA)
    model = text(message.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    message_id, chat_id = text(message.get("id")), text(record.get("id"))
    return Request(
        model=model,
        time_us=micros(message.get("timestamp"), "timestamp"),
        request_id=message_id,
        merge_key=merge_key(message_id and f"open-webui:{message_id}", model=model),
        conversation=chat_id,
        user=text(first(record, "user_id")),
        messages=_prompt(message, history),
        completion=text(message.get("content")),
        stated_cost_pico=cost_of_usage(counts),
        usage=of_any(_summed(counts)),
    )


def _summed(counts: Json) -> Json:
    """Return the counts of all calls behind a reply.

    Where a reply took several, ``input_tokens`` and ``output_tokens`` are their sums, ``prompt_tokens`` and
    ``completion_tokens`` those of the last. A total that is their sum was computed and proves nothing.
    """
    if counts.get("input_tokens") is None or counts.get("output_tokens") is None:
        return counts
    kept = {name: value for name, value in counts.items() if name not in _LAST_CALL}
    if as_int(counts.get("total_tokens")) == (as_int(counts["input_tokens"]) or 0) + (
        as_int(counts["output_tokens"]) or 0
    ):
        kept.pop("total_tokens", None)
    return kept


def _prompt(message: Json, history: Json) -> list[Message] | None:
    """Return the messages that led to a reply, from its parent back to the first."""
    found: list[Message] = []
    parent = mapping(history.get(text(message.get("parentId")) or ""))
    while parent and len(found) < _LONGEST:
        role = ROLES.get(text(parent.get("role")) or "", "user")
        found.append(Message(role, text(parent.get("content")) or ""))
        parent = mapping(history.get(text(parent.get("parentId")) or ""))
    return found[::-1] or None


FORMAT = Format(
    info=FormatInfo(
        name="open-webui",
        title="Open WebUI chats",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as the provider counts",
        tells=("time", "id", "prompts", "cache"),
        notes="Usage as in Open WebUI's source (utils/response.py, 2026); the nesting of its exports was not "
        "verified. A reply that called tools sums up several calls, and is read as one. Replies without usage "
        "are not counted, since their model may never have answered: switch usage on for the model.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "messages" in mapping(record.get("chat")) or "history" in mapping(record.get("chat")),
    entries=_entries,
    keys=frozenset({"chat"}),
)
