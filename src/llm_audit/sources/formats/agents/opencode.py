"""OpenCode messages: a file each, rows of its database, or a session as ``opencode export`` writes it.

Counts are disjoint: cached tokens come on top. So does the thinking of Gemini's models, while the reasoning of others
is part of the output in some versions and on top in others: the total decides, else both bounds are kept. Parts of a
message repeat its counts and are no calls. A session that is exported whole has the prompts too: its messages before
each step, from the last summary on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from llm_audit.sources.entry import (
    BadRecordError,
    Entry,
    Message,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Rejected,
    Request,
    Usage,
)
from llm_audit.sources.formats.agents._transcript import TOOLS, Transcript, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico, merge_key, reject_on_error
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, listing, mapping, objects, text
from llm_audit.sources.records.messages import joined, read_turn
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import perhaps_on_top, thinks
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if "part" in record:  # what a run prints
        yield _printed(mapping(record.get("part")))
        return
    if "messages" not in record:
        yield _entry(record)
        return
    messages = list(objects(record.get("messages")))
    yield from _session(messages) if messages else [_NOTE]


def _session(messages: list[Json]) -> Iterator[Entry]:
    """Yield the calls of a session, each with the messages before it."""
    transcript = Transcript()
    for message in messages:
        info, parts = mapping(message.get("info")), list(objects(message.get("parts")))
        if info.get("role") == "user":
            question = _blocks(parts)
            if not question:  # what is asked is not known, and is not what was asked before
                transcript.compact()
            transcript.add(read_turn("user", question))
            yield reject_on_error(_entry, info)
            continue
        for call, step in _calls(info, parts):
            said = _blocks(step)
            yield reject_on_error(partial(_entry, prompt=transcript.prompt(), said=said), call)
            transcript.add([*read_turn("assistant", said), *_results(step)])
        if info.get("summary") is True:  # which the next prompts begin with
            transcript.compact()
            transcript.add(read_turn("assistant", _blocks(parts)))


def _calls(info: Json, parts: list[Json]) -> Iterator[tuple[Json, list[Json]]]:
    """Yield a message once for each of its steps, with the step's parts: its own tokens are those of the last alone."""
    ends = [place for place, part in enumerate(parts) if part.get("type") == "step-finish"]
    for number, (begin, end) in enumerate(pairwise([0, *ends][: len(ends)])):
        step = parts[end]
        own = {"tokens": step.get("tokens"), "cost": step.get("cost"), "error": None}
        yield {**info, **own, "id": f"{info.get('id')}#{number}"}, parts[begin:end]
    last = parts[ends[-2] if len(ends) > 1 else 0 :]
    yield {**info, "cost": parts[ends[-1]].get("cost")} if len(ends) > 1 else info, last


def _blocks(parts: list[Json]) -> list[Json]:
    """Return what was written in some parts, and the tools that were called, as Anthropic's API has them.

    Text that OpenCode adds to a question, or keeps from the model, is no part of it.
    """
    found: list[Json] = []
    for part in parts:
        kind = part.get("type")
        if kind == "text" and not (part.get("synthetic") or part.get("ignored")):
            found.append({"type": "text", "text": text(part.get("text")) or ""})
        elif kind == "file" and (text(part.get("mime")) or "").startswith("image/"):
            found.append({"type": "image"})
        elif kind == "tool":
            arguments = mapping(mapping(part.get("state")).get("input"))
            found.append({"type": "tool_use", "id": part.get("callID"), "name": part.get("tool"), "input": arguments})
    return found


def _results(parts: list[Json]) -> list[Message]:
    """Return what the tools that were called in some parts gave back."""
    states = [(part.get("callID"), mapping(part.get("state"))) for part in parts if part.get("type") == "tool"]
    blocks = [
        {
            "type": "tool_result",
            "tool_use_id": call,
            "content": text(first(state, "output", "error")) or "",
            "is_error": state.get("status") == "error",
        }
        for call, state in states
        if state.get("status") in ("completed", "error")
    ]
    return read_turn("user", blocks) if blocks else []


def _printed(part: Json) -> Entry:
    """Refuse a step that a run printed, since that does not name its model; other parts are no calls."""
    if part.get("type") == "step-finish" and mapping(part.get("tokens")):
        return Rejected(Reason.NO_MODEL, "modelID", note=_UNNAMED)
    return _NOTE


def _entry(message: Json, *, prompt: list[Message] | None = None, said: Sequence[Json] = ()) -> Entry:
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
    request = Request(
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
        messages=prompt,
        tools=TOOLS,
        usage=_usage(tokens, model),
    )
    if said:
        request.completion, request.completion_calls, request.completion_call_id = joined(read_turn("assistant", said))
    return request


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
    if "part" in record:
        printed = "sessionID" in record and "messageID" in mapping(record.get("part"))
        return printed and not columns_of(record).counts_tokens
    if "messages" in record:
        return "info" in record and any("info" in item for item in objects(listing(record["messages"])[:1]))
    if "messageID" in record:  # a part of a message
        return "sessionID" in record and isinstance(record.get("type"), str)
    own = "modelID" in record or "sessionID" in record
    return own and text(record.get("role")) in {"user", "assistant"} and isinstance(record.get("time"), dict)


_UNNAMED = "what opencode run prints does not name the model: audit its messages or its database"
_NOTE = NotACall(NotCallReason.METADATA)
FORMAT = Format(
    info=FormatInfo(
        name="opencode",
        title="OpenCode messages, sessions and database",
        evidence=Evidence.FIXTURE,
        input_counts="exclusive, reasoning apart",
        tells=("time", "id", "prompts", "cache", "cost", "latency"),
        notes="Checked on OpenCode's source (session/processor.ts, 2026) and on copies of two generations of its "
        "getUsage. Prompts are read of exported sessions; elsewhere they are in files or rows of their own. Where a "
        "message has no total, reasoning may be part of the output: both bounds are kept. In files of messages, one of "
        "several steps keeps the tokens of the last step only, and the cost of all; exported sessions and the database "
        "hold each step.",
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"modelID", "sessionID", "info"}),
)
