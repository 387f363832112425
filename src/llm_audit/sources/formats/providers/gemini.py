"""Gemini's generateContent: pairs, streams and bare bodies, of the Gemini API and of Vertex AI.

Input counts include cached tokens. Thoughts are billed as output, on top of the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import (
    NO_USAGE,
    BadRecordError,
    Entry,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Request,
    Usage,
)
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.billing.fees import read_grounding_fees
from llm_audit.sources.records.bodies import usage_of
from llm_audit.sources.records.calls import tier
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, at, first, mapping, objects, text
from llm_audit.sources.records.hosts import region_of
from llm_audit.sources.records.pair import KEYS, Pair
from llm_audit.vocabulary import Operation, ServiceTier, Status

_PIECE = "a piece of a stream, neither its end nor with the id of its response: log responseId, or the whole response"


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    if pair.response_body is pair.outer and _is_chunk(pair.response_body):
        raise BadRecordError(Reason.BAD_SHAPE, "finishReason", note=_PIECE)
    named = pair.path.rpartition("/")[2].partition(":")[0] if ":" in pair.path else None
    request = gemini_request(pair, model=named or text(pair.request_body.get("model")))
    request.region = region_of(pair.host)
    if request.streamed is None and pair.path:
        request.streamed = ":stream" in pair.path
    yield request


def gemini_request(pair: Pair, *, model: str | None) -> Request:
    """Build the request of a pair in the shape of generateContent."""
    request = request_of(pair, provider="google", model=model)
    usage = usage_of(pair.response_body)
    if usage is NO_USAGE and request.operation == Operation.EMBEDDING:
        usage = _of_predictions(pair.response_body)
    set_counts(request, pair, usage)
    if usage is NO_USAGE and first(pair.response_body, "promptFeedback", "prompt_feedback"):
        request.status = Status.ERROR.value  # blocked before the model saw it
    if _contains_images(pair.response_body):
        request.operation = Operation.IMAGE.value
    read_grounding_fees(request, pair.response_body)
    traffic = mapping(first(pair.response_body, "usageMetadata", "usage_metadata"))
    served = tier(first(traffic, "trafficType", "traffic_type"))
    if served != ServiceTier.STANDARD:
        request.service_tier = served
    return request


def _is_chunk(body: Json) -> bool:
    """Return whether a response is a piece of a stream that nothing joins to the others; the last has all counts."""
    candidates = list(objects(body.get("candidates")))
    ended = any(first(candidate, "finishReason", "finish_reason") is not None for candidate in candidates)
    return bool(candidates) and not ended and first(body, "responseId", "response_id") is None


def _of_predictions(body: Json) -> Usage:
    """Return what the embeddings of Vertex AI's predict count, each by itself."""
    found = (at(prediction, "embeddings", "statistics") for prediction in objects(body.get("predictions")))
    counts = [read_count(mapping(statistics), "token_count") for statistics in found]
    known = [count for count in counts if count is not None]
    return disjoint_usage(sum(known), 0) if known and len(known) == len(counts) else NO_USAGE


def _contains_images(body: Json) -> bool:
    """Return whether the response contains images, by its token counts."""
    usage = mapping(first(body, "usageMetadata", "usage_metadata"))
    details = first(usage, "candidatesTokensDetails", "candidates_tokens_details")
    return any(detail.get("modality") == "IMAGE" for detail in objects(details))


FORMAT = Format(
    info=FormatInfo(
        name="gemini",
        title="Gemini generateContent: request/response pairs, streams, bare bodies",
        evidence=Evidence.REAL,
        input_counts="inclusive",
        tells=("id", "prompts", "cache", "service_tier"),
        notes="Responses of the Gemini API hold no time. Cached audio is priced as cached text.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.GEMINI),
    entries=_entries,
    keys=KEYS,
)
