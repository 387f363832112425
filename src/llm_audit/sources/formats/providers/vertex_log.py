"""The request-response log of Vertex AI, as BigQuery exports it."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.gemini import gemini_request
from llm_audit.sources.records.fields import Json, first, mapping, objects, parsed, text
from llm_audit.sources.records.pair import Pair
from llm_audit.sources.records.streams import assemble


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    request_body = mapping(record.get("full_request"))
    model = text(first(request_body, "model")) or text(first(record, "model", "deployed_model_id"))
    pair = Pair(
        request_body, _response_body(record.get("full_response")), {**record, "timestamp": record.get("logging_time")}
    )
    request = gemini_request(pair, model=model and model.rpartition("/")[2])
    request.request_id = text(record.get("request_id"))
    method = text(record.get("api_method"))
    request.streamed = None if method is None else "stream" in method.lower()
    yield request


def _response_body(logged: object) -> Json:
    """Return a logged response, which is an array of chunks where it was streamed."""
    found = parsed(logged)
    return assemble(list(objects(found))) if isinstance(found, list) else mapping(found)


FORMAT = Format(
    info=FormatInfo(
        name="vertex-log",
        title="Vertex AI request-response log (BigQuery export)",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache"),
        notes="Vertex logs a sample of the calls: totals are those of the sample.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "full_request" in record and "logging_time" in record,
    entries=_entries,
    keys=frozenset({"full_request"}),
    keys_decide=True,
)
