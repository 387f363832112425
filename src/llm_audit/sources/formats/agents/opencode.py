"""OpenCode messages: a file each, rows of its database, or a session as ``opencode export`` writes it.

Counts are disjoint: cached tokens come on top. So does the thinking of Gemini's models, while the reasoning of others
is part of the output in some versions and on top in others: the total decides, else both bounds are kept. Parts of a
message repeat its counts and are no calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico, merge_key, reject_on_error
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, listing, mapping, objects, text
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import perhaps_on_top, thinks
from llm_audit.sources.records.transcript import TOOLS, folder
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "messages" not in record:
        yield _entry(record)
        return
    messages = [call for message in objects(record.get("messages")) for call in _calls(message)]
    yield from (reject_on_error(_entry, message) for message in messages) if messages else [_NOTE]


def _calls(message: Json) -> Iterator[Json]:
    """Yield a message once for each of its steps, since its own tokens are those of the last one only."""
    info = mapping(message.get("info"))
    steps = [part for part in objects(message.get("parts")) if part.get("type") == "step-finish"]
    for number, step in enumerate(steps[:-1]):
        own = {"tokens": step.get("tokens"), "cost": step.get("cost"), "error": None}
        yield {**info, **own, "id": f"{info.get('id')}#{number}"}
    yield {**info, "cost": steps[-1].get("cost")} if len(steps) > 1 else info


def _entry(message: Json) -> Entry:
    tokens = mapping(message.get("tokens"))
    if message.get("role") != "assistant" or not tokens:
        return _NOTE
    model = text(message.get("modelID"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "modelID")
    time = mapping(message.get("time"))
    start_us, end_us = micros(time.get("created"), "time.created"), micros(time.get("completed"), "time.completed")
    message_id = text(message.get("id"))
    status = Status.ERROR if message.get("error") else Status.OK
    identity = message_id or (start_us and f"{text(message.get('parentID'))}@{start_us}")
    return Request(
        model=model,
        provider=text(message.get("providerID")),
        time_us=start_us,
        request_id=message_id,
        merge_key=merge_key(identity and f"opencode:{identity}", model=model, status=status),
        conversation=text(first(message, "sessionID", "session_id")),
        app=folder(first(mapping(message.get("path")), "root", "cwd")),
        tags=tuple(f"agent={name}" for name in [text(first(message, "agent", "mode"))] if name is not None),
        status=status,
        latency_ms=between_ms(start_us, end_us),
        stated_cost_pico=cost_pico(message.get("cost")),
        tools=TOOLS,
        usage=_usage(tokens, model),
    )


def _usage(tokens: Json, model: str) -> Usage:
    """Read the counts of a message. Reasoning that no total places is counted on top of the output, as it may be."""
    cache = mapping(tokens.get("cache"))
    output, reasoning = read_count(tokens, "output"), read_count(tokens, "reasoning")
    total = read_count(tokens, "total")
    counted = (read_count(tokens, "input") or 0) + (output or 0)
    cached = (read_count(cache, "read") or 0) + (read_count(cache, "write") or 0)
    either = total is None and 0 < (reasoning or 0) <= (output or 0) and not thinks(model)
    part_of_output = either or (total is not None and total == counted + cached)
    usage = disjoint_usage(
        read_count(tokens, "input"),
        output if output is None or part_of_output else output + (reasoning or 0),
        cache_read=read_count(cache, "read"),
        cache_write=read_count(cache, "write"),
        reasoning=reasoning,
        convention=Convention.EXCLUSIVE,
    )
    return perhaps_on_top(usage) if either else usage


def _matches(record: Record, _context: Context) -> bool:
    if "messages" in record:
        return "info" in record and any("info" in item for item in objects(listing(record["messages"])[:1]))
    if "messageID" in record:  # a part of a message
        return "sessionID" in record and isinstance(record.get("type"), str)
    own = "modelID" in record or "sessionID" in record
    return own and text(record.get("role")) in {"user", "assistant"} and isinstance(record.get("time"), dict)


_NOTE = NotACall(NotCallReason.METADATA)
FORMAT = Format(
    info=FormatInfo(
        name="opencode",
        title="OpenCode messages, sessions and database",
        evidence=Evidence.FIXTURE,
        input_counts="exclusive, reasoning apart",
        tells=("time", "id", "cache", "cost", "latency"),
        notes="Checked on OpenCode's source (session/processor.ts, 2026) and on copies of two generations of its "
        "getUsage. Prompts are in files or rows of their own and are not read. Where a message has no total, reasoning "
        "may be part of the output: both bounds are kept. In files of messages, one of several steps keeps the tokens "
        "of the last step only, and the cost of all; exported sessions and the database hold each step.",
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"modelID", "sessionID", "info"}),
)
