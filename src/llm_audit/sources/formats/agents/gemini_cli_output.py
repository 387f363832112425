"""What Gemini CLI prints (``--output-format json`` and ``stream-json``): an answer, with sums of the calls by model.

Counts are those of the API: inclusive, thoughts on top. Qwen Code prints the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.agents._transcript import TOOLS
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.billing.aggregates import UNCOUNTED, count_of, shared_out
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.column_names import ABSENT, columns_of
from llm_audit.sources.records.disjoint import read_count
from llm_audit.sources.records.fields import Json, first, mapping, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_gemini

_COUNTS = {
    "promptTokenCount": ("prompt", "input_tokens"),
    "candidatesTokenCount": ("candidates", "output_tokens"),
    "cachedContentTokenCount": ("cached",),
    "thoughtsTokenCount": ("thoughts",),
    "toolUsePromptTokenCount": ("tool",),
    "totalTokenCount": ("total", "total_tokens"),
}
_PRINTED = frozenset({"init", "message", "tool_use", "tool_result", "error", "result"})


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    if record.get("type") == "init":
        context.state.update(model=text(record.get("model")), session=text(record.get("session_id")))
    stats = mapping(record.get("stats"))
    by_model = {name: mapping(found) for name, found in mapping(stats.get("models")).items()}
    if not by_model and any(stats.get(name) for name in ("input_tokens", "output_tokens")):
        if (model := context.state.get("model")) is None:
            raise BadRecordError(Reason.NO_MODEL, "stats.models")
        by_model = {model: stats}  # versions that print one sum
    requests = [request for name, found in by_model.items() for request in _calls(record, name, found, context)]
    yield from requests
    if not requests:
        yield NotACall(NotCallReason.METADATA)


def _calls(record: Record, model: str, found: Json, context: Context) -> Iterator[Request]:
    """Yield the calls of a model; a stream does not tell how many they were."""
    counts = mapping(found.get("tokens")) or found
    given = {name: first(counts, *names) for name, names in _COUNTS.items()}
    usage = of_gemini({**{name: count for name, count in given.items() if count is not None}, **_thoughts(counts)})
    if not (usage.input_tokens or usage.cache_read_tokens or usage.output_tokens):
        return
    if text(model) is None:
        raise BadRecordError(Reason.NO_MODEL, "stats.models")
    count = count_of(mapping(found.get("api")).get("totalRequests"), "totalRequests")
    session = text(record.get("session_id")) or context.state.get("session")
    run = session and f"gemini-cli-output:{session}:{given['totalTokenCount']}"
    yield from shared_out(
        Request(
            model=model,
            provider="google" if "gemini" in model else None,
            time_us=micros(record.get("timestamp"), "timestamp"),
            merge_key=merge_key(run, model=model),
            conversation=session,
            tags=() if count else (UNCOUNTED,),
            tools=TOOLS,
            usage=usage,
        ),
        count or 1,
    )


def _thoughts(counts: Json) -> Json:
    """Return the thoughts of a stream's sums, which only their total counts."""
    total, prompt, output = (read_count(counts, name) for name in ("total_tokens", "input_tokens", "output_tokens"))
    left = (total or 0) - (prompt or 0) - (output or 0)
    return {"thoughtsTokenCount": left} if left > 0 and "thoughts" not in counts else {}


def _matches(record: Record, _context: Context) -> bool:
    if "type" not in record:
        return "response" in record and "models" in mapping(record.get("stats")) and not _tells_of_a_call(record)
    if text(record["type"]) not in _PRINTED or "timestamp" not in record or _tells_of_a_call(record):
        return False
    return ("session_id" in record and "model" in record) if record["type"] == "init" else _is_of_stream(record)


def _tells_of_a_call(record: Record) -> bool:
    """Return whether a record names a model or counts tokens itself, as those of custom logs do."""
    columns = columns_of(record)
    names_model = columns.model is not ABSENT and record.get("type") != "init"
    return names_model or columns.counts_tokens


def _is_of_stream(record: Record) -> bool:
    if record["type"] == "message":
        return "role" in record and "content" in record and "id" not in record
    names = {"result": "stats", "tool_use": "tool_id", "tool_result": "tool_id", "error": "severity"}
    return names[str(record["type"])] in record


FORMAT = Format(
    info=FormatInfo(
        name="gemini-cli-output",
        title="Gemini CLI's printed results",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive, thoughts apart",
        tells=("cache",),
        notes="Fields as in Gemini CLI's documentation of its headless mode (2026). A run is read as the calls that it "
        "sums up by model, each with an equal share of the tokens; streams do not tell how many they were (tag "
        "request-count-unknown). Its sessions describe the same calls: give the one or the other.",
        ordered=True,
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"stats", "type"}),
    types=_PRINTED.__contains__,
    signs_all=True,
)
