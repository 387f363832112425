"""OpenInference spans: Phoenix exports (JSON, or Parquet with ``attributes.llm.…`` columns) and flat attributes.

Spans of kind LLM and EMBEDDING are calls. Token counts are mostly inclusive, by instrumentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records import tracing
from llm_audit.sources.records.attributes import flatten, indexed
from llm_audit.sources.records.bodies import read_parameters
from llm_audit.sources.records.calls import cost_pico, provider, set_usage
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, first, listing, mapping, number, objects, parsed, text
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply
from llm_audit.vocabulary import Operation

_COUNT = "llm.token_count."
_READ = frozenset(
    {
        "prompt",
        "completion",
        "total",
        *(f"prompt_details.{name}" for name in ("cache_read", "cache_input", "cache_write", "audio", "text")),
        *(f"completion_details.{name}" for name in ("reasoning", "audio", "text")),
    }
)
_KINDS = {"LLM": Operation.CHAT, "EMBEDDING": Operation.EMBEDDING}
_WRAPPERS = frozenset({"AGENT", "CHAIN"})
_SIGNS = frozenset({"openinference.span.kind", "llm.model_name", "llm.token_count.prompt", "embedding.model_name"})
_COLUMNS = frozenset(f"attributes.{sign}" for sign in _SIGNS)


def read(span: tracing.Span, kind: str | None = None) -> Entry:
    """Read one span; ``kind`` is its kind where an export holds it outside the attributes."""
    attributes = span.attributes
    kind = (text(attributes.get("openinference.span.kind")) or kind or "").upper()
    if kind not in _KINDS and not (kind in {"", "UNKNOWN"} and "llm.model_name" in attributes):
        return NotACall(NotCallReason.PARENT_SPAN if kind in _WRAPPERS else NotCallReason.NOT_A_MODEL_CALL)
    settings = mapping(attributes.get("llm.invocation_parameters"))
    requested = text(first(settings, "model", "model_name"))
    model = text(first(attributes, "llm.model_name", "embedding.model_name")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "llm.model_name")
    vendor = provider(first(attributes, "llm.provider", "llm.system"))
    request = tracing.request(
        span, model=model, requested=requested, vendor=vendor, operation=_KINDS.get(kind, Operation.CHAT)
    )
    request.stated_cost_pico = cost_pico(attributes.get("llm.cost.total"))
    request.messages = read_messages(_messages(attributes, "llm.input_messages"))
    if request.messages is None and kind == "LLM":
        request.messages = read_messages(_given(attributes))
    request.redacted = is_redacted(request.messages)
    read_parameters(request, settings)
    offer_tools(request, _tools(attributes))
    output = _messages(attributes, "llm.output_messages") or attributes.get("output.value")
    set_reply(request, output)
    set_usage(request, _usage(attributes, vendor, model))
    return request


def _usage(attributes: Json, vendor: str | None, model: str) -> Usage:
    counts = {name.removeprefix(_COUNT): item for name, item in attributes.items() if name.startswith(_COUNT)}
    usage = disjoint_usage(
        read_count(counts, "prompt"),
        read_count(counts, "completion"),
        cache_read=read_count(counts, "prompt_details.cache_read", "prompt_details.cache_input"),
        cache_write=read_count(counts, "prompt_details.cache_write"),
        reasoning=read_count(counts, "completion_details.reasoning"),
        audio_input=read_count(counts, "prompt_details.audio"),
        audio_output=read_count(counts, "completion_details.audio"),
        total=read_count(counts, "total"),
        wrapper_total=True,
        convention=tracing.convention(vendor, model),
    )
    unread = [
        name if re.fullmatch(r"[a-z_.]{1,60}", name) else "…"
        for name, count in counts.items()
        if name not in _READ and number(count)
    ]
    return replace(usage, unread_counts=",".join(unread)) if unread and usage is not NO_USAGE else usage


def _given(attributes: Json) -> object:
    prompts = [first(mapping(prompt), "prompt.text") or prompt for prompt in listing(attributes.get("llm.prompts"))]
    if prompts:
        return prompts
    value = parsed(attributes.get("input.value"))
    body = mapping(value)
    return first(body, "messages", "contents", "input", "prompt") if body else value


def _messages(attributes: Json, name: str) -> list[dict[str, Any]]:
    """Read messages held as a list of objects or as numbered attributes."""
    held = [dict(item) for item in objects(attributes.get(name))] or indexed(attributes, name)
    return [_message(flatten(item)) for item in held]


def _message(flat: Json) -> dict[str, Any]:
    flat = {name.removeprefix("message."): item for name, item in flat.items()}
    parts = [_part(part) for part in _numbered(flat, "contents", "message_content")]
    calls = [
        {
            "id": call.get("id"),
            "function": {"name": call.get("function.name"), "arguments": call.get("function.arguments")},
        }
        for call in _numbered(flat, "tool_calls", "tool_call")
    ]
    return {
        "role": flat.get("role"),
        "content": parts or flat.get("content"),
        "tool_calls": calls,
        "tool_call_id": flat.get("tool_call_id"),
    }


def _part(part: Json) -> dict[str, Any]:
    kind = text(part.get("type")) or "text"
    return {"type": kind, "text": part.get("text")} if kind == "text" else {"type": kind}


def _numbered(flat: Json, name: str, prefix: str) -> list[dict[str, Any]]:
    """Read a list inside a message, again as objects or as numbered names, without the prefix each name repeats."""
    held: list[Mapping[str, Any]] = [flatten(item) for item in objects(flat.get(name))]
    return [
        {key.removeprefix(f"{prefix}."): item for key, item in entry.items()} for entry in held or indexed(flat, name)
    ]


def _tools(attributes: Json) -> list[Any]:
    held = list(objects(attributes.get("llm.tools"))) or indexed(attributes, "llm.tools")
    return [parsed(first(tool, "tool.json_schema", "json_schema")) or tool for tool in map(flatten, held)]


def is_span(attributes: Json) -> bool:
    """Return whether flat attributes are OpenInference's."""
    return not _SIGNS.isdisjoint(attributes)


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    yield read(tracing.from_record(record), text(record.get("span_kind")))


def _matches(record: Record, _context: Context) -> bool:
    attributes = record.get("attributes")
    if isinstance(attributes, Mapping):
        nested = isinstance(attributes.get("openinference"), Mapping)
        return nested or is_span(attributes) or "token_count" in mapping(attributes.get("llm"))
    exported = "context.span_id" in record and "span_kind" in record
    return exported or is_span(record) or not _COLUMNS.isdisjoint(record)


FORMAT = Format(
    info=FormatInfo(
        name="openinference",
        title="OpenInference spans (Phoenix)",
        evidence=Evidence.FIXTURE,
        input_counts="mostly inclusive",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace"),
        notes="Checked on the OpenInference project's own fixtures. Whether counts include cached tokens differs by "
        "instrumentation: where neither arithmetic nor the provider tells, both bounds are kept.",
    ),
    specificity=Specificity.SPAN,
    matches=_matches,
    entries=_entries,
    keys=_SIGNS | _COLUMNS | {"attributes", "context.span_id"},
    before=("otel",),
)
