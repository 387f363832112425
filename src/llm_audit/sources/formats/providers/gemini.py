"""Gemini's generateContent: pairs, streams and bare bodies, of the Gemini API and of Vertex AI; and Vertex's own log.

Input counts include cached tokens. Thoughts are billed as output, on top of the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import NO_USAGE, Entry, NotACall, NotCallReason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo
from llm_audit.sources.formats.providers.dialects import Dialect, speaks
from llm_audit.sources.formats.providers.pair import KEYS, Pair, pair_of, request_of
from llm_audit.sources.records.bodies import usage_of
from llm_audit.sources.records.fields import Json, first, mapping, objects, parsed, text
from llm_audit.sources.records.hosts import region_of
from llm_audit.sources.records.streams import assemble
from llm_audit.vocabulary import Operation, Status


def _pairs(record: Record, _context: Context) -> Iterator[Entry]:
    pair = pair_of(record)
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    named = pair.path.rpartition("/")[2].partition(":")[0] if ":" in pair.path else None
    request = _request(pair, model=named or text(pair.asked.get("model")))
    request.region = region_of(pair.host)
    if request.streamed is None and pair.path:
        request.streamed = ":stream" in pair.path
    yield request


def _vertex_log(record: Record, _context: Context) -> Iterator[Entry]:
    asked = mapping(record.get("full_request"))
    model = text(first(asked, "model")) or text(first(record, "model", "deployed_model_id"))
    pair = Pair(asked, _response_body(record.get("full_response")), {**record, "timestamp": record.get("logging_time")})
    request = _request(pair, model=model and model.rpartition("/")[2])
    request.request_id = text(record.get("request_id"))
    method = text(record.get("api_method"))
    request.streamed = None if method is None else "stream" in method.lower()
    yield request


def _request(pair: Pair, *, model: str | None) -> Request:
    request = request_of(pair, provider="google", model=model)
    usage = usage_of(pair.answered)
    request.usage = usage
    if usage is NO_USAGE and first(pair.answered, "promptFeedback", "prompt_feedback"):
        request.status = Status.ERROR.value  # blocked before the model saw it
    if _draws(pair.answered):
        request.operation = Operation.IMAGE.value
    return request


def _draws(body: Json) -> bool:
    """Whether the answer holds images, by its token counts."""
    usage = mapping(first(body, "usageMetadata", "usage_metadata"))
    details = first(usage, "candidatesTokensDetails", "candidates_tokens_details")
    return any(detail.get("modality") == "IMAGE" for detail in objects(details))


def _response_body(logged: object) -> Json:
    """Return a logged answer, which is an array of chunks where it was streamed."""
    found = parsed(logged)
    return assemble(list(objects(found))) if isinstance(found, list) else mapping(found)


FORMAT = Format(
    info=FormatInfo(
        name="gemini",
        title="Gemini generateContent: request/response pairs, streams, bare bodies",
        evidence=Evidence.REAL,
        tells=("id", "prompts", "cache", "service_tier"),
        notes="Responses of the Gemini API hold no time. Cached audio is priced as cached text, and image output as "
        "output.",
    ),
    matches=lambda record: speaks(record, Dialect.GEMINI),
    entries=_pairs,
    keys=KEYS,
)

VERTEX_LOG = Format(
    info=FormatInfo(
        name="vertex-log",
        title="Vertex AI request-response log (BigQuery export)",
        evidence=Evidence.RECONSTRUCTED,
        tells=("time", "id", "prompts", "cache"),
        notes="Vertex logs a sample of the calls: totals are those of the sample.",
    ),
    matches=lambda record: "full_request" in record and "logging_time" in record,
    entries=_vertex_log,
    keys=frozenset({"full_request"}),
)
