"""Azure's diagnostic logs: Azure OpenAI's, which hold no tokens, and the gateway and LLM logs of API Management."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.azure_apim_gateway import RESPONSE_BODIES, gateway_entries
from llm_audit.sources.formats.providers.azure_apim_llm import llm_entries
from llm_audit.sources.records.calls import merge_key, operation, outcome
from llm_audit.sources.records.fields import as_int, first, mapping, number, text
from llm_audit.sources.records.times import micros

_CALLS = ("completion", "embedding", "response", "image", "audio", "transcription", "speech", "translation")


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    properties = mapping(record.get("properties"))
    if any(name in properties for name in RESPONSE_BODIES):
        yield from gateway_entries(record, _context)
        return
    llm = {name[:1].upper() + name[1:]: value for name, value in properties.items()}
    if "PromptTokens" in llm:
        around = {"CorrelationId": record.get("correlationId"), "TimeGenerated": first(record, "time", "timestamp")}
        yield from llm_entries({**around, **llm}, _context)
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


FORMAT = Format(
    info=FormatInfo(
        name="azure-diagnostics",
        title="Azure diagnostics: Azure OpenAI, and API Management's gateway and LLM logs",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="none, not split, or as in the bodies",
        tells=("time", "id", "latency"),
        notes="Azure OpenAI's own diagnostics hold no tokens and no prompts; API Management's hold the bodies where "
        "body logging is on, its LLM log has counts. A deployment's name hides the model: name it in the alias map.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: record.keys() >= {"category", "resourceId", "operationName"},
    entries=_entries,
    keys=frozenset({"category"}),
    keys_decide=True,
)
