"""Published traffic traces: how many tokens came and went when, without prompts and without a model.

Azure LLM inference trace (CSV): ``TIMESTAMP, ContextTokens, GeneratedTokens``. Mooncake trace (JSON lines):
``timestamp`` in milliseconds from the start of the trace, ``input_length``, ``output_length``, ``hash_ids``.
The model is given the name of the trace, so that its requests are counted, named and left unpriced.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.times import micros


def _azure(record: Record, _context: Context) -> Iterator[Entry]:
    yield _request(
        "azure-llm-trace",
        read_count(record, "ContextTokens"),
        read_count(record, "GeneratedTokens"),
        micros(record.get("TIMESTAMP"), "TIMESTAMP"),
    )


def _mooncake(record: Record, _context: Context) -> Iterator[Entry]:
    # Its clock starts at zero, so that when a call was made is not known.
    yield _request("mooncake-trace", read_count(record, "input_length"), read_count(record, "output_length"), None)


def _request(model: str, input_tokens: int | None, output_tokens: int | None, time_us: int | None) -> Request:
    if input_tokens is None and output_tokens is None:
        raise BadRecordError(Reason.BAD_TOKENS, "tokens")
    request = Request(model=model, time_us=time_us)
    request.usage = disjoint_usage(input_tokens, output_tokens)
    return request


AZURE = Format(
    info=FormatInfo(
        name="azure-llm-trace",
        title="Azure LLM inference trace (CSV)",
        evidence=Evidence.REAL,
        tells=("time",),
        notes="No model, prompts or cache: requests are counted and left unpriced and unjudged.",
    ),
    matches=lambda record: "ContextTokens" in record and "GeneratedTokens" in record,
    entries=_azure,
    keys=frozenset({"ContextTokens"}),
)

MOONCAKE = Format(
    info=FormatInfo(
        name="mooncake-trace",
        title="Mooncake traffic trace (JSON lines)",
        evidence=Evidence.REAL,
        notes="Times count from the start of the trace; hash_ids of prefix blocks are not used.",
    ),
    matches=lambda record: "hash_ids" in record and "input_length" in record,
    entries=_mooncake,
    keys=frozenset({"hash_ids"}),
)
