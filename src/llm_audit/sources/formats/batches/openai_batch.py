"""Output files of OpenAI's Batch API, and of those who copy it; Fireworks leaves the HTTP message out."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.batches._requests import NOT_SENT, batched
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.formats.providers.openai_responses import responses_request
from llm_audit.sources.records.fields import Json, as_int, mapping
from llm_audit.sources.records.pair import Pair

_LINE = frozenset({"id", "custom_id", "response", "error"})  # a custom log has more


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    response = mapping(record.get("response"))
    body = response if _is_body(response) else mapping(response.get("body"))
    if "model" not in body:
        yield NOT_SENT
        return
    pair = Pair({}, body, {}, code=as_int(response.get("status_code")))
    provider = "groq" if "x_groq" in body else None
    if body.get("object") == "response":
        request = responses_request(pair, provider=provider)
    else:
        request = chat_request(pair, provider=provider)
    yield batched(request)


def _matches(record: Record, _context: Context) -> bool:
    if "custom_id" not in record or "response" not in record:
        return False
    response = record["response"]  # of a custom log, the text of a reply
    if response is None:
        return "error" in record
    answer = mapping(response)
    return not {"body", "status_code"}.isdisjoint(answer) or (_is_body(answer) and record.keys() <= _LINE)


def _is_body(response: Json) -> bool:
    """Return whether a response is the body itself, rather than an HTTP message around it."""
    return "usage" in response and "object" in response


FORMAT = Format(
    info=FormatInfo(
        name="openai-batch",
        title="OpenAI Batch output file, also Groq's, Azure's, Mistral's and Fireworks'",
        evidence=Evidence.REAL,
        input_counts="as in the body",
        tells=("time", "id", "cache", "service_tier"),
        notes="Prompts are in the input file and are not judged. Every call is billed at the batch price.",
    ),
    specificity=Specificity.BATCH,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"custom_id"}),
)
