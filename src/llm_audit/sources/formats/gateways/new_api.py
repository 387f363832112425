"""Rows of the ``logs`` table of new-api and one-api: a row a charge, with details as JSON in ``other``.

Inclusive, but where the upstream spoke Anthropic's API (``claude``) cached tokens come on top. Quota is the operator's
own unit at the operator's own ratios, so that it is no stated cost.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import operation
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, flag, mapping, number, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_CONSUMED, _FAILED = 2, 5  # values of type; the others are top-ups, refunds and notes
_NO_EFFORT = frozenset({"none", "minimal"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    kind, other = as_int(record.get("type")), mapping(record.get("other"))
    tested = kind == _FAILED and "elapsed_time" in record  # one-api's tests of a channel, logged without tokens
    if kind not in (_CONSUMED, _FAILED, None) or tested or "task_id" in other:
        yield NotACall(NotCallReason.METADATA)
        return
    requested = text(record.get("model_name"))
    if requested is None:
        raise BadRecordError(Reason.NO_MODEL, "model_name")
    seconds, milliseconds = number(record.get("use_time")), number(record.get("elapsed_time"))
    failed = kind == _FAILED
    effort = text(other.get("reasoning_effort"))
    row_id = text(record.get("request_id"))
    model = text(other.get("upstream_model_name")) or requested
    status = Status.ERROR if failed else Status.OK
    yield Request(
        model=model,
        model_requested=requested,
        operation=operation(other.get("request_path")),
        time_us=micros(record.get("created_at"), "created_at"),
        request_id=row_id or text(record.get("id")),
        merge_key=None if row_id is None else f"new-api:{row_id}|{model}|{status}",
        team=text(record.get("group")),
        app=text(record.get("token_name")),
        user=text(record.get("username")),
        streamed=flag(record.get("is_stream")),
        status=status,
        latency_ms=seconds * 1000 if seconds is not None else milliseconds,
        needs_reasoning=effort is not None and effort not in _NO_EFFORT,
        usage=_usage(record, other),
    )


def _usage(record: Record, other: Json) -> Usage:
    short, long = read_count(other, "cache_creation_tokens_5m"), read_count(other, "cache_creation_tokens_1h")
    written = read_count(other, "cache_creation_tokens")
    if written is not None:
        short = max(written - (long or 0), short or 0)
    exclusive = flag(other.get("claude")) is True
    return disjoint_usage(
        read_count(record, "prompt_tokens"),
        read_count(record, "completion_tokens"),
        cache_read=read_count(other, "cache_tokens"),
        cache_write=short,
        cache_write_1h=long,
        audio_input=read_count(other, "audio_input"),
        audio_output=read_count(other, "audio_output"),
        convention=Convention.EXCLUSIVE if exclusive else Convention.INCLUSIVE,
    )


FORMAT = Format(
    info=FormatInfo(
        name="new-api",
        title="new-api and one-api logs",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive; exclusive for Anthropic's API",
        tells=("time", "cache", "latency", "team"),
        notes="Columns as in new-api's source (model/log.go and log_info_generate.go, 2026) and one-api's "
        "(model/log.go, February 2025). one-api logs no cached tokens, and none at all for its tests of a "
        "channel. The quota charged is in the operator's own unit and is not read as a cost; image output and "
        "charges for asynchronous tasks are not read.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "quota" in record and "model_name" in record and "token_name" in record,
    entries=_entries,
    keys=frozenset({"quota"}),
    keys_decide=True,
)
