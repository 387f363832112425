"""Output of Google's batch APIs: Vertex AI batch prediction, also from BigQuery, and the Gemini API's batch mode."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record, Request
from llm_audit.sources.formats.batches._requests import NOT_SENT, batched
from llm_audit.sources.formats.dialects import Dialect, dialect_of
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.anthropic_messages import messages_requests
from llm_audit.sources.formats.providers.gemini import gemini_request
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.records.fields import Json, first, mapping, text
from llm_audit.sources.records.pair import Pair

_TIMES = ("processed_time", "processedTime")
_ANSWERED = frozenset({"candidates", "usageMetadata", "usage_metadata"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    request_body, response_body = mapping(record.get("request")), mapping(record.get("response"))
    if not response_body or response_body.keys() <= {"error", "code", "message"}:
        yield NOT_SENT
        return
    outer: Json = {"timestamp": first(record, *_TIMES, "create_time") or first(response_body, "createTime")}
    pair = Pair(request_body, response_body, {name: item for name, item in outer.items() if item is not None})
    for request in _requests(pair, record):
        request.request_id = request.request_id or text(first(record, "key", "custom_id"))
        yield batched(request)


def _requests(pair: Pair, record: Record) -> Iterator[Request]:
    """Read the pair in the shape of the model's own developer, whose models Vertex AI sells too."""
    model = text(first(record, "model", "model_version")) or text(pair.request_body.get("model"))
    named = model and model.rpartition("/")[2]
    dialect = dialect_of(pair)
    if dialect is Dialect.ANTHROPIC:
        yield from messages_requests(pair, provider="google", model=named)
    elif dialect is Dialect.CHAT:
        yield chat_request(pair, provider="google", model=named)
    else:
        yield gemini_request(pair, model=named)


def _matches(record: Record, _context: Context) -> bool:
    if "response" not in record and "request" not in record:
        return False
    if any(name in record for name in _TIMES):
        return True
    if "custom_id" in record:  # Claude's lines on Vertex
        return "status" in record and (text(_version(record)) or "").startswith("vertex")
    return "key" in record and not _ANSWERED.isdisjoint(mapping(record.get("response")))


def _version(record: Record) -> object:
    return mapping(record.get("request")).get("anthropic_version")


FORMAT = Format(
    info=FormatInfo(
        name="gemini-batch",
        title="Google batch output: Vertex AI batch prediction, Gemini API batch mode",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as in the body",
        tells=("time", "id", "prompts", "cache", "service_tier"),
        notes="Every call is billed at the batch price, at the time it was processed. The Gemini API's results hold no "
        "time.",
    ),
    specificity=Specificity.BATCH,
    matches=_matches,
    entries=_entries,
    keys=frozenset({*_TIMES, "key", "custom_id"}),
)
