"""Claude Code transcripts: JSON lines of messages, results and notes.

A reply is written as several rows, one a content block, each with the usage as far as it was known; resumed sessions
and subagents' files repeat rows. So repeats share a key and the fullest is kept. Where Anthropic replied, its message
id is that key: a side question (``/btw``) copies replies under a new request id. Rows without a request id come from
gateways, whose message ids recur, and are repeats only within their session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llm_audit.model_names import parse
from llm_audit.sources.entry import (
    NO_USAGE,
    BadRecordError,
    Entry,
    Message,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Request,
    Usage,
)
from llm_audit.sources.formats.agents import _claude_results as results
from llm_audit.sources.formats.agents._transcript import TOOLS, Transcript, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.anthropic_messages import inner_calls
from llm_audit.sources.records.bodies import region_of_usage
from llm_audit.sources.records.calls import cost_pico, merge_key, tier
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, listing, mapping, text
from llm_audit.sources.records.messages import joined, read_turn
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_anthropic
from llm_audit.sources.remembered import remembered

_TYPES = frozenset({"user", "assistant", "system", "summary", "progress", "attachment", "result"})
_NOTES = frozenset({"file-history-snapshot", "queue-operation", "last-prompt", "custom-title", "ai-title"})
_PRINTED_NOTES = frozenset({"stream_event", "tool_progress", "auth_status", "rate_limit_event", "tool_use_summary"})
_FIRST_COUNTS = frozenset({"inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"})
_PRINTED = "session_id"  # in rows that are printed; those that are kept name it sessionId
_SYNTHETIC = "<synthetic>"  # written by the program itself, such as the text of an error
_OFFICIAL = "msg_"
_METADATA = NotACall(NotCallReason.METADATA)
_NOTHING = (_METADATA,)


class _Thread:
    """One conversation of a file: its messages so far, and the prompt of the reply being written."""

    __slots__ = ("prompt", "reply_id", "transcript")

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.reply_id: str | None = None
        self.prompt: list[Message] | None = None

    def call(self, reply_id: str | None, said: list[Message]) -> list[Message] | None:
        """Add what a row of a reply says, and return the prompt of the call."""
        if reply_id is None or reply_id != self.reply_id:
            self.reply_id, self.prompt = reply_id, self.transcript.prompt()
        self.transcript.add(said)
        return self.prompt


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    if _PRINTED in record:
        return _printed(record, context)
    found = _plain_row(record)
    if found is None:
        return _any_entries(record, context)
    if not found:
        return iter(_NOTHING)
    conversation, said, request = found
    thread = _thread(context, conversation)
    if request is None:
        thread.transcript.add(said)
        return iter(_NOTHING)
    request.messages = thread.call(request.request_id, said)
    return iter((request,))


def _printed(record: Record, context: Context) -> Iterator[Entry]:
    """Read a row as Claude Code prints it, not as it keeps it: at the end of a run it prints what that used."""
    session = text(record.get(_PRINTED))
    run = results.run_of(context, session)
    if record.get("type") == "result":
        yield from results.entries(record, run, session)
        return
    if record.get("subtype") == "init":
        run.model = text(record.get("model"))
    for entry in _any_entries(record, context):
        if isinstance(entry, Request):
            run.add(entry)
        yield entry


def _any_entries(record: Record, context: Context) -> Iterator[Entry]:
    row = _row(record) if "data" in record else record
    message = mapping(row.get("message"))
    session = text(first(row, "sessionId", "session_id"))
    name = session if row.get("isSidechain") is not True else _sidechain(row, session)
    thread = _thread(context, name or "")
    if row.get("subtype") == "compact_boundary":
        thread.transcript.compact()
    counts = mapping(message.get("usage"))
    usage = _usage(row, counts)
    model = text(message.get("model"))
    if usage is NO_USAGE or usage.usage_source == "none" or model == _SYNTHETIC:
        if message and model != _SYNTHETIC:
            thread.transcript.add(_messages(row, message))
        yield _METADATA
        return
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "message.model")
    reply_id = text(message.get("id"))
    said = _messages(row, message)
    prompt = thread.call(reply_id, said)
    request = Request(
        model=model,
        provider=_provider(model),
        time_us=micros(row.get("timestamp"), "timestamp"),
        service_tier=_tier(counts),
        region=region_of_usage(counts),
        request_id=reply_id or text(row.get("uuid")),
        merge_key=_key(row, session, reply_id, model),
        conversation=name,
        trace=session,
        app=folder(row.get("cwd")),
        tags=_tags(row, message),
        stated_cost_pico=cost_pico(row.get("costUSD")),
        messages=prompt,
        tools=TOOLS,
    )
    reply = said if message.get("role") == "assistant" else read_turn("assistant", message.get("content"))
    request.completion, request.completion_calls, request.completion_call_id = joined(reply)
    request.usage = usage
    inner = [] if counts.get("iterations") is None else list(inner_calls(request, counts))
    yield request
    yield from inner


def _thread(context: Context, conversation: str) -> _Thread:
    thread = context.state.get(conversation)
    if thread is None:
        thread = context.state[conversation] = _Thread()
    return thread


def _row(record: Json) -> Json:
    """Return the row itself, or the subagent's row that a progress report carries."""
    data = mapping(record.get("data"))
    inner = mapping(data.get("message"))
    if "message" not in inner:
        return record
    return {**record, **inner, "isSidechain": True, "agentId": first(data, "agentId") or record.get("agentId")}


def _sidechain(row: Json, session: str | None) -> str:
    return f"{session}:{text(row.get('agentId')) or 'sidechain'}"


def _messages(row: Json, message: Json) -> list[Message]:
    role = text(message.get("role")) or text(row.get("type")) or "user"
    return read_turn(role, message.get("content"))


def _key(row: Json, session: str | None, reply_id: str | None, model: str) -> str | None:
    if reply_id is None:
        uuid = text(row.get("uuid"))
        return merge_key(uuid and f"claude-code:{uuid}", model=model)
    request_id = text(row.get("requestId"))
    if request_id is None:
        return merge_key(f"{reply_id}|session:{session}", model=model)
    return merge_key(reply_id if reply_id.startswith(_OFFICIAL) else f"{reply_id}|{request_id}", model=model)


def _tags(row: Json, message: Json) -> tuple[str, ...]:
    tags = []
    if row.get("isSidechain") is True:
        tags.append("sidechain")
    if message.get("stop_reason", "") is None or (tags and "stop_reason" not in message):
        tags.append("placeholder-output")  # the count at the start of the stream, not the billed one
    return tuple(tags)


def _tier(usage: Json) -> str:
    return tier("fast" if usage.get("speed") == "fast" else usage.get("service_tier"))


def _usage(row: Json, counts: Json) -> Usage:
    if counts:
        return of_anthropic(counts)
    if _FIRST_COUNTS.isdisjoint(row):
        return NO_USAGE
    return disjoint_usage(  # the first versions wrote counts beside the message
        read_count(row, "inputTokens"),
        read_count(row, "outputTokens"),
        cache_read=read_count(row, "cacheReadInputTokens"),
        cache_write=read_count(row, "cacheCreationInputTokens"),
        convention=Convention.EXCLUSIVE,
    )


@remembered
def _provider(model: str) -> str | None:
    return parse("anthropic", model).provider  # the id tells whether a cloud sold it


def _matches(record: Record, _context: Context) -> bool:
    kind = record.get("type")
    session = "sessionId" in record or "session_id" in record
    if isinstance(kind, str):
        own = "model" not in record or "subtype" in record  # a custom log may have types and sessions too
        if kind in _PRINTED_NOTES:  # the pieces of a reply, among others, which has rows of its own
            return "session_id" in record and not columns_of(record).counts_tokens
        return kind in _NOTES or (kind in _TYPES and own and (session or "uuid" in record or "leafUuid" in record))
    message = mapping(record.get("message"))
    return "sessionId" in record and ("usage" in message or "role" in message) and not listing(record.get("messages"))


_plain_row: Callable[[Record], tuple[str, list[Message], Request | None] | tuple[()] | None]
"""Returns a plain row's conversation, its messages and its request, or nothing where it has no message.

None for any other row, and without compiled code.
"""
try:
    from llm_audit.sources.records import _fields
except ImportError:  # built only where a C compiler is available
    _plain_row = lambda _record: None  # noqa: E731
else:
    _fields.prepare_sessions((Request, _provider, folder, _tier, region_of_usage, TOOLS, tier(None)))
    _plain_row = _fields.session_row

FORMAT = Format(
    info=FormatInfo(
        name="claude-code",
        title="Claude Code transcripts",
        evidence=Evidence.REAL,
        input_counts="exclusive",
        tells=("time", "id", "prompts", "cache", "cost", "trace", "service_tier"),
        notes="Several rows are one call: the fullest is kept, across files. The program's own system prompt and tools "
        "are not logged. Subagents' rows may hold placeholders for output tokens: they are tagged placeholder-output.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"type", "sessionId"}),
    types=(_TYPES | _NOTES | _PRINTED_NOTES).__contains__,
)
