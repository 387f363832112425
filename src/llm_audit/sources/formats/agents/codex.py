"""Codex CLI transcripts: JSON lines of session, turns, items and running token totals.

A call is a ``token_count`` event whose running total moved, or a ``token_usage_record``: later versions write both, and
for a compaction the record alone. The same total is written again on every refresh. Forked
and spawned sessions copy their parent's history, times rewritten: a call is identified by the oldest session it comes
from and its totals, so that copies are repeats wherever they are. Inclusive; reasoning is part of the output.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Message, NotACall, NotCallReason, Record, Request
from llm_audit.sources.formats.agents._transcript import TOOLS, Transcript, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, at, first, mapping, text
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import micros

_TYPES = frozenset(
    {"session_meta", "turn_context", "event_msg", "response_item", "compacted", "token_usage_record", "world_state"}
)
_COUNTS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
)
_NO_EFFORT = frozenset({"none", "minimal"})
_UNNAMED = "codex (model not logged)"

Counts = tuple[int, ...]


class _Session:
    """The state of the session that a file records."""

    __slots__ = (
        "_after",
        "_pending",
        "app",
        "effort",
        "id",
        "key",
        "lineage",
        "model",
        "provider",
        "root",
        "total",
        "transcript",
    )

    def __init__(self, began: str | None) -> None:
        self.id: str | None = None
        self.root = began or ""  # the oldest session whose history this file continues; its start where it has no id
        self.lineage: set[str] = set()
        self.app: str | None = None
        self.model: str | None = None
        self.provider = "openai"
        self.effort: str | None = None
        self.total: Counts | None = None
        self.key: str | None = None
        self.transcript = Transcript()
        self._pending: list[Message] = []  # the reply being written
        self._after: list[Message] = []  # results of its tools

    def begin(self, meta: Json) -> None:
        """Read a session's own description; those after the first are of ancestors, copied with their history."""
        own, parent = text(meta.get("id")), text(meta.get("forked_from_id"))
        if own is None or own in self.lineage:
            return
        if self.id is None:
            self.id, self.app = own, folder(meta.get("cwd"))
            self.provider = text(meta.get("model_provider")) or self.provider
            instructions = text(at(meta, "base_instructions", "text")) or text(meta.get("instructions"))
            self.transcript.add([Message("system", instructions)] if instructions else [])
        self.lineage.add(own)
        self.root = parent or own

    def add_item(self, item: Json) -> None:
        """Add an item of the conversation."""
        for message in read_messages([item]) or []:
            if message.role == "assistant":
                self._pending.append(message)
            elif message.role == "tool" and self._pending:
                self._after.append(message)
            else:
                self.finish_reply()
                self.transcript.add([message])

    def finish_reply(self) -> None:
        """Add the reply that was being written to the messages."""
        self.transcript.add([*self._pending, *self._after])
        self._pending, self._after = [], []

    def reply(self) -> tuple[str | None, str, str | None]:
        """Return the reply being written: text, tool calls, id of the first call."""
        texts = "\n".join(message.text for message in self._pending if message.text)
        calls = "\n".join(message.calls for message in self._pending if message.calls)
        call_id = next((message.call_id for message in self._pending if message.call_id), None)
        return texts or None, calls, call_id


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    session = context.state.get("session")
    if session is None:
        session = context.state["session"] = _Session(text(record.get("timestamp")))
    payload = mapping(record.get("payload"))
    kind = record.get("type")
    if kind == "event_msg" and payload.get("type") == "token_count":
        yield _call(record, mapping(payload.get("info")), session)
        return
    if kind == "token_usage_record":
        yield _recorded(record, payload, session)
        return
    if kind == "session_meta":
        if session.total is not None and text(payload.get("id")) not in {None, *session.lineage}:
            session = context.state["session"] = _Session(None)  # another session's file was joined to this one
        session.begin(payload)
    elif kind == "turn_context":
        session.model = text(payload.get("model")) or session.model
        session.effort = text(first(payload, "effort", "reasoning_effort"))
        session.app = folder(payload.get("cwd")) or session.app
    elif kind == "response_item":
        session.add_item(payload)
    elif kind == "compacted":
        session.finish_reply()
        session.transcript.compact()
    yield NotACall(NotCallReason.METADATA)


def _call(record: Json, info: Json, session: _Session) -> Entry:
    total, last = _counts(info.get("total_token_usage")), _counts(info.get("last_token_usage"))
    repeated = total is not None and total == session.total
    if not repeated:
        before = session.total
        used = last or _increase(total, session.total)
        if total is not None:
            session.total = total
        if used is None or not any(used):
            return NotACall(NotCallReason.METADATA)  # rate limits, or a session that has not called yet
        moment = "" if total is not None else text(record.get("timestamp"))
        key = f"codex|{session.root}|{moment}|{total}|{used}"
        repeated = key == session.key and total != before  # its own record of usage came first
        session.key = key
    elif session.key is None:
        return NotACall(NotCallReason.METADATA)
    else:
        used = last or (0,) * len(_COUNTS)
    return _request(record, info, session, used, repeated=repeated)


def _recorded(record: Json, payload: Json, session: _Session) -> Entry:
    """Read the usage that is recorded of each response, also of those that the running total leaves out.

    Where the total moves by it afterwards, both have the same key and are one call.
    """
    used = _counts(payload.get("usage"))
    if used is None or not any(used):
        return NotACall(NotCallReason.METADATA)
    total = tuple(map(sum, zip(session.total or (0,) * len(used), used, strict=True)))
    session.key = f"codex|{session.root}||{total}|{used}"
    return _request(record, payload, session, used, repeated=False)


def _request(record: Json, info: Json, session: _Session, used: Counts, *, repeated: bool) -> Request:
    request = Request(
        model=text(info.get("model")) or session.model or _UNNAMED,
        provider=session.provider,
        time_us=micros(record.get("timestamp"), "timestamp"),
        merge_key=session.key,
        conversation=session.id,
        trace=session.root or None,
        app=session.app,
        needs_reasoning=session.effort is not None and session.effort not in _NO_EFFORT,
        tools=TOOLS,
    )
    if not repeated:
        request.messages = session.transcript.prompt()
        request.completion, request.completion_calls, request.completion_call_id = session.reply()
        session.finish_reply()
    input_tokens, cached, written, output_tokens, reasoning = used
    request.usage = disjoint_usage(
        input_tokens,
        output_tokens,
        cache_read=cached,
        cache_write=written or None,
        reasoning=reasoning,
        convention=Convention.INCLUSIVE,
    )
    return request


def _counts(usage: object) -> Counts | None:
    found = mapping(usage)
    return tuple(read_count(found, name) or 0 for name in _COUNTS) if found else None


def _increase(total: Counts | None, before: Counts | None) -> Counts | None:
    """Return by how much a running total grew; a total that fell was reset."""
    if total is None or before is None or any(now < then for now, then in zip(total, before, strict=True)):
        return total
    return tuple(now - then for now, then in zip(total, before, strict=True))


FORMAT = Format(
    info=FormatInfo(
        name="codex",
        title="Codex CLI transcripts",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive, reasoning in the output",
        tells=("time", "prompts", "cache", "trace"),
        notes="Counted when the running total moves or usage is recorded; the history that forked sessions copy is "
        "counted once. Tools offered are not logged.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=lambda record, _: text(record.get("type")) in _TYPES and isinstance(record.get("payload"), dict),
    entries=_entries,
    keys=frozenset({"payload"}),
    types=_TYPES.__contains__,
)
