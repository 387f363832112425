"""Amazon Bedrock's model invocation log, from S3 or CloudWatch.

The counts in the model's own response are preferred; where bodies are not logged, the record's counts are used. Both
leave cached tokens out of the input. A prompt router's response names the model it chose.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bedrock import model_of_arn, of_stream, set_operation, usage_of_body, usage_of_counts
from llm_audit.sources.records.bodies import read_request_body, read_response_body
from llm_audit.sources.records.calls import merge_key, tier
from llm_audit.sources.records.fields import Json, at, attribution_of, mapping, number, objects, parsed, text
from llm_audit.sources.records.streams import assemble
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    input_part, output_part = mapping(record.get("input")), mapping(record.get("output"))
    request_body, response_body = mapping(input_part.get("inputBodyJson")), _response_body(output_part)
    requested = text(record.get("modelId"))
    routed = text(at(response_body, "trace", "promptRouter", "invokedModelId"))
    if requested is None:
        raise BadRecordError(Reason.NO_MODEL, "modelId")
    model = model_of_arn(routed or requested)
    status = Status.ERROR.value if record.get("errorCode") else Status.OK.value
    request_id = text(record.get("requestId"))
    operation = text(record.get("operation")) or ""
    attribution = attribution_of(mapping(record.get("requestMetadata")))
    request = Request(
        model=model,
        model_requested=model_of_arn(requested),
        provider="aws",
        time_us=micros(record.get("timestamp"), "timestamp"),
        service_tier=str(tier(at(response_body, "serviceTier", "type") or at(request_body, "serviceTier", "type"))),
        region=text(record.get("inferenceRegion")) or text(record.get("region")),
        request_id=request_id,
        merge_key=merge_key(request_id, model=model, status=status),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user or _caller(text(at(record, "identity", "arn"))),
        environment=attribution.environment,
        tags=attribution.tags,
        streamed=operation.endswith("Stream") if operation else None,
        status=status,
        latency_ms=number(at(response_body, "metrics", "latencyMs")),
    )
    set_operation(request)
    read_request_body(request, request_body)
    read_response_body(request, response_body)
    usage = _usage(input_part, output_part, response_body)
    request.usage = of_stream(usage, model) if operation == "ConverseStream" else usage
    yield request


def _response_body(output_part: Json) -> Json:
    """Return the response's body; a streamed one is logged as an array of its chunks."""
    body = parsed(output_part.get("outputBodyJson"))
    return assemble(list(objects(body))) if isinstance(body, list) else mapping(body)


def _usage(input_part: Json, output_part: Json, response_body: Json) -> Usage:
    own = usage_of_body(response_body)
    return own if own.input_tokens is not None else usage_of_counts(input_part, output_part)


def _caller(arn: str | None) -> str | None:
    """Return the user, or the role whose session called: the session's own name may be anything."""
    resource = (arn or "").rsplit(":", 1)[-1].split("/")
    return resource[1] or None if len(resource) > 1 else None


FORMAT = Format(
    info=FormatInfo(
        name="bedrock-log",
        title="AWS Bedrock model invocation log (S3 or CloudWatch)",
        evidence=Evidence.REAL,
        input_counts="exclusive",
        tells=("time", "id", "prompts", "cache", "latency", "team"),
        notes="Application inference profiles hide the model: name it in the alias map. Latency is logged for "
        "Converse only. Bodies above 100 kB are in files of their own, which are not read.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=lambda record, _: record.get("schemaType") == "ModelInvocationLog",
    entries=_entries,
    keys=frozenset({"schemaType"}),
)
