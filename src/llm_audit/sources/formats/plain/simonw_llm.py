"""The ``responses`` table of simonw/llm's SQLite log, row by row.

``token_details`` holds the rest of the provider's usage besides the two totals, under the provider's own names.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, Message, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import read_parameters
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, mapping, number, text
from llm_audit.sources.records.messages import is_placeholder
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.usage import of_any


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    requested = text(record.get("model"))
    model = text(record.get("resolved_model")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    row_id = text(record.get("id"))
    request = Request(
        model=model,
        model_requested=requested,
        time_us=micros(record.get("datetime_utc"), "datetime_utc"),
        request_id=row_id,
        merge_key=merge_key(row_id and f"llm:{row_id}", model=model),
        conversation=text(record.get("conversation_id")),
        needs_json_schema=text(record.get("schema_id")) is not None,
        latency_ms=number(record.get("duration_ms")),
        messages=_prompt(record),
        completion=text(record.get("response")),
    )
    request.redacted = any(is_placeholder(message.text) for message in request.messages or ())
    read_parameters(request, mapping(record.get("options_json")))
    request.usage = _usage(record)
    yield request


def _prompt(record: Json) -> list[Message] | None:
    """Return the row's own turn; earlier turns are other rows of the same conversation."""
    turns = (("system", text(record.get("system"))), ("user", text(record.get("prompt"))))
    return [Message(role, found) for role, found in turns if found] or None


def _usage(record: Json) -> Usage:
    input_tokens, output_tokens = read_count(record, "input_tokens"), read_count(record, "output_tokens")
    details = mapping(record.get("token_details"))
    if "thoughtsTokenCount" in details or "cachedContentTokenCount" in details:
        return disjoint_usage(  # Gemini, whose plugin adds the thoughts to the output
            input_tokens,
            output_tokens,
            cache_read=read_count(details, "cachedContentTokenCount"),
            reasoning=read_count(details, "thoughtsTokenCount"),
            convention=Convention.INCLUSIVE,
        )
    return of_any({**details, "input_tokens": input_tokens, "output_tokens": output_tokens})


FORMAT = Format(
    info=FormatInfo(
        name="simonw-llm",
        title="simonw/llm's logs.db (SQLite)",
        evidence=Evidence.FIXTURE,
        input_counts="as the provider counts",
        tells=("time", "id", "prompts", "cache", "latency"),
        notes="A row holds its own turn; earlier turns of a conversation are other rows.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "datetime_utc" in record and ("duration_ms" in record or "prompt_json" in record),
    entries=_entries,
    keys=frozenset({"datetime_utc"}),
    keys_decide=True,
)
