"""Output files of OpenAI's Batch API, and of Groq's and Azure's, which copy it."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.batches._requests import NOT_SENT, batched
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.formats.providers.openai_responses import responses_request
from llm_audit.sources.records.fields import as_int, mapping
from llm_audit.sources.records.pair import Pair


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    response = mapping(record.get("response"))
    body = mapping(response.get("body"))
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
    return "error" in record if response is None else not {"body", "status_code"}.isdisjoint(mapping(response))


FORMAT = Format(
    info=FormatInfo(
        name="openai-batch",
        title="OpenAI Batch output file, also Groq's and Azure's",
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
