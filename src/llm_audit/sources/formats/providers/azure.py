"""Azure: diagnostics of Azure OpenAI, and the gateway and LLM logs of API Management.

Diagnostics hold no tokens. The gateway log holds bodies as JSON in strings, from which everything is read. The LLM log
holds counts without cached tokens, and splits a long prompt over rows that share a correlation id.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo
from llm_audit.sources.formats.providers.dialects import Dialect, dialect_of
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.formats.providers.openai_responses import responses_request
from llm_audit.sources.formats.providers.pair import read
from llm_audit.sources.records.bodies import read_response_body
from llm_audit.sources.records.calls import merge_key, operation, outcome
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, first, flag, mapping, number, text
from llm_audit.sources.records.messages import conversation
from llm_audit.sources.records.times import micros

_CALLS = ("completion", "embedding", "response", "image", "audio", "transcription", "speech", "translation")
_GATEWAY_BODIES = ("backendResponseBody", "BackendResponseBody", "responseBody", "ResponseBody")


def _diagnostics(record: Record, _context: Context) -> Iterator[Entry]:
    properties = mapping(record.get("properties"))
    if any(name in properties for name in _GATEWAY_BODIES):
        yield from _gateway(record, _context)
        return
    name = (text(record.get("operationName")) or "").lower()
    if not any(kind in name for kind in _CALLS):
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    deployment = text(properties.get("modelDeploymentName"))
    model = text(properties.get("modelName")) or deployment
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "modelName")
    code = as_int(first(record, "resultSignature", "httpStatusCode"))
    status = str(outcome(code))
    correlation = text(record.get("correlationId"))
    request = Request(
        model=model,
        model_requested=deployment,
        provider="azure",
        operation=str(operation(name)),
        time_us=micros(first(record, "time", "timestamp") or properties.get("requestTime"), "time"),
        region=text(record.get("location")),
        request_id=correlation,
        merge_key=merge_key(correlation and f"azure:{correlation}", model=model, status=status),
        streamed=None if "streamType" not in properties else properties.get("streamType") != "Non-Streaming",
        status=status,
        status_code=code,
        latency_ms=number(record.get("durationMs")),
    )
    yield request


def _gateway(record: Record, _context: Context) -> Iterator[Entry]:
    """Read the pair of bodies that API Management's gateway logs as strings."""
    place = {**record, **mapping(record.get("properties"))}
    asked = mapping(first(place, "backendRequestBody", "BackendRequestBody", "requestBody", "RequestBody"))
    answered = first(place, *_GATEWAY_BODIES)
    url = first(place, "backendUrl", "BackendUrl", "url", "Url")
    code = as_int(first(place, "backendResponseCode", "BackendResponseCode", "responseCode", "ResponseCode"))
    pair = read(
        {
            "request": {"body": asked, "url": url},
            "response": {"body": answered, "status": code},
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


def _llm_log(record: Record, _context: Context) -> Iterator[Entry]:
    deployment = text(record.get("DeploymentName"))
    model = text(record.get("ModelName")) or deployment
    input_tokens, output_tokens = read_count(record, "PromptTokens"), read_count(record, "CompletionTokens")
    if model is None and not input_tokens and not output_tokens:
        yield NotACall(NotCallReason.METADATA)  # a further piece of a long prompt or answer
        return
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "ModelName")
    correlation = text(record.get("CorrelationId"))
    request = Request(
        model=model,
        model_requested=deployment,
        provider="azure",
        operation=str(operation(record.get("OperationName"))),
        time_us=micros(first(record, "TimeGenerated", "timestamp"), "TimeGenerated"),
        region=text(record.get("Region")),
        request_id=correlation,
        merge_key=merge_key(correlation and f"azure:{correlation}", model=model),
        streamed=flag(record.get("IsStreamCompletion")),
        messages=conversation(record.get("RequestMessages")),
    )
    read_response_body(request, _said(record))
    request.usage = disjoint_usage(
        input_tokens, output_tokens, total=read_count(record, "TotalTokens"), convention=Convention.INCLUSIVE
    )
    yield request


def _said(record: Json) -> Json:
    said = conversation(record.get("ResponseMessages")) or []
    return {"content": "\n".join(message.text for message in said)} if said else {}


def _is_gateway(record: Record) -> bool:
    return "CorrelationId" in record and ("BackendResponseBody" in record or "ResponseBody" in record)


DIAGNOSTICS = Format(
    info=FormatInfo(
        name="azure-diagnostics",
        title="Azure diagnostics: Azure OpenAI, and API Management's gateway log",
        evidence=Evidence.RECONSTRUCTED,
        tells=("time", "id", "latency"),
        notes="Azure OpenAI's own diagnostics hold no tokens and no prompts; API Management's hold the bodies where "
        "body logging is on. A deployment's name hides the model: name it in the alias map.",
    ),
    matches=lambda record: "category" in record and "resourceId" in record,
    entries=_diagnostics,
    keys=frozenset({"category"}),
)

GATEWAY = Format(
    info=FormatInfo(
        name="azure-apim-gateway",
        title="Azure API Management gateway log, as Log Analytics exports it",
        evidence=Evidence.RECONSTRUCTED,
        tells=("time", "id", "prompts", "cache", "latency"),
        notes="Needs body logging; bodies are cut at 8 kB by default, and a cut body reports no usage.",
    ),
    matches=_is_gateway,
    entries=_gateway,
    keys=frozenset({"CorrelationId"}),
)

LLM_LOG = Format(
    info=FormatInfo(
        name="azure-apim-llm",
        title="Azure API Management LLM log",
        evidence=Evidence.RECONSTRUCTED,
        tells=("time", "id", "prompts"),
        notes="Cached tokens are not logged, so they are priced as fresh. Of a call in several rows the one with the "
        "most output tokens counts.",
    ),
    matches=lambda record: "CorrelationId" in record and "PromptTokens" in record,
    entries=_llm_log,
    keys=frozenset({"CorrelationId"}),
)
