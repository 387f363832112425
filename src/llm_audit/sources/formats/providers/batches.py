"""Files of batch APIs. Their calls are billed at the batch price, which only the container tells.

A line of an input file is no call: its answer is a line of the output file. A line whose answer never came (refused,
cancelled, expired) is no call either, and is not billed.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo
from llm_audit.sources.formats.providers.anthropic_messages import messages_requests
from llm_audit.sources.formats.providers.bedrock import model_of_arn, set_operation, usage_of_body
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.formats.providers.openai_responses import responses_request
from llm_audit.sources.formats.providers.pair import Pair, request_of
from llm_audit.sources.records.fields import as_int, first, mapping, text
from llm_audit.vocabulary import ServiceTier

_NOT_SENT = NotACall(NotCallReason.NOT_SENT)


def _openai_input(_record: Record, _context: Context) -> Iterator[Entry]:
    yield NotACall(NotCallReason.METADATA)


def _openai_output(record: Record, _context: Context) -> Iterator[Entry]:
    response = mapping(record.get("response"))
    body = mapping(response.get("body"))
    if "model" not in body:
        yield _NOT_SENT
        return
    pair = Pair({}, body, {}, code=as_int(response.get("status_code")))
    provider = "groq" if "x_groq" in body else None
    if body.get("object") == "response":
        request = responses_request(pair, provider=provider)
    else:
        request = chat_request(pair, provider=provider)
    yield _batched(request)


def _anthropic_output(record: Record, _context: Context) -> Iterator[Entry]:
    message = mapping(mapping(record.get("result")).get("message"))
    if not message:
        yield _NOT_SENT
        return
    for request in messages_requests(Pair({}, message, {})):
        yield _batched(request)


def _bedrock(record: Record, _context: Context) -> Iterator[Entry]:
    answered = mapping(record.get("modelOutput"))
    if not answered:
        yield _NOT_SENT if record.get("error") else NotACall(NotCallReason.METADATA)
        return
    model = text(first(record, "modelId", "model"))
    pair = Pair(mapping(record.get("modelInput")), answered, record)
    request = request_of(pair, provider="aws", model=model and model_of_arn(model))
    set_operation(request)
    request.usage = usage_of_body(answered)
    yield _batched(request)


def _batched(request: Request) -> Request:
    request.service_tier = ServiceTier.BATCH.value
    return request


OPENAI_INPUT = Format(
    info=FormatInfo(
        name="openai-batch-input",
        title="OpenAI Batch input file",
        evidence=Evidence.REAL,
        notes="Its lines are no calls; the output file holds them.",
    ),
    matches=lambda record: "custom_id" in record and "method" in record and "url" in record,
    entries=_openai_input,
    keys=frozenset({"custom_id"}),
)

OPENAI_OUTPUT = Format(
    info=FormatInfo(
        name="openai-batch",
        title="OpenAI Batch output file, also Groq's and Azure's",
        evidence=Evidence.REAL,
        tells=("time", "id", "cache", "service_tier"),
        notes="Prompts are in the input file and are not judged. Every call is billed at the batch price.",
    ),
    matches=lambda record: "custom_id" in record and "response" in record,
    entries=_openai_output,
    keys=frozenset({"custom_id"}),
)

ANTHROPIC_OUTPUT = Format(
    info=FormatInfo(
        name="anthropic-batch",
        title="Anthropic Message Batches results",
        evidence=Evidence.RECONSTRUCTED,
        tells=("id", "cache", "service_tier"),
        notes="Results hold no time and no prompt. Every call is billed at the batch price.",
    ),
    matches=lambda record: "custom_id" in record and "result" in record,
    entries=_anthropic_output,
    keys=frozenset({"custom_id"}),
)

BEDROCK = Format(
    info=FormatInfo(
        name="bedrock-batch",
        title="AWS Bedrock batch inference output",
        evidence=Evidence.RECONSTRUCTED,
        tells=("prompts", "cache", "service_tier"),
        notes="Records hold no time; a model that does not name itself in its answer is unknown.",
    ),
    matches=lambda record: "recordId" in record and ("modelOutput" in record or "modelInput" in record),
    entries=_bedrock,
    keys=frozenset({"recordId"}),
)
