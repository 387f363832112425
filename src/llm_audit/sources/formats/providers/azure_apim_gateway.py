"""The gateway log of Azure API Management, which holds bodies as JSON in strings; everything is read from them."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.dialects import Dialect, dialect_of
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.formats.providers.openai_responses import responses_request
from llm_audit.sources.records.fields import as_int, first, mapping, text
from llm_audit.sources.records.pair import read_pair

RESPONSE_BODIES = ("backendResponseBody", "BackendResponseBody", "responseBody", "ResponseBody")


def gateway_entries(record: Record, _context: Context) -> Iterator[Entry]:
    """Read the pair of bodies that API Management's gateway logs as strings."""
    place = {**record, **mapping(record.get("properties"))}
    request_body = mapping(first(place, "backendRequestBody", "BackendRequestBody", "requestBody", "RequestBody"))
    response_body = first(place, *RESPONSE_BODIES)
    url = first(place, "backendUrl", "BackendUrl", "url", "Url")
    code = as_int(first(place, "backendResponseCode", "BackendResponseCode", "responseCode", "ResponseCode"))
    pair = read_pair(
        {
            "request": {"body": request_body, "url": url},
            "response": {"body": response_body, "status": code},
            "timestamp": first(place, "time", "timestamp", "TimeGenerated"),
            "latency_ms": first(place, "durationMs", "TotalTime", "backendTime", "BackendTime"),
        }
    )
    dialect = dialect_of(pair) if pair is not None else None
    if pair is None or not pair.is_call or dialect not in {Dialect.CHAT, Dialect.RESPONSES}:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    read_as = responses_request if dialect is Dialect.RESPONSES else chat_request
    request = read_as(pair, provider="azure")
    request.region = text(first(place, "location", "Region"))
    yield request


def _matches(record: Record, _context: Context) -> bool:
    return "CorrelationId" in record and ("BackendResponseBody" in record or "ResponseBody" in record)


FORMAT = Format(
    info=FormatInfo(
        name="azure-apim-gateway",
        title="Azure API Management gateway log, as Log Analytics exports it",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="as in the bodies",
        tells=("time", "id", "prompts", "cache", "latency"),
        notes="Needs body logging; bodies are cut at 8 kB by default, and a cut body reports no usage.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=gateway_entries,
    keys=frozenset({"CorrelationId"}),
    keys_decide=True,
    before=("azure-apim-llm",),
)
