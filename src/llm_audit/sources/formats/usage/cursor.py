"""Cursor's usage events, the CSV of its dashboard: a row an event. Counts are disjoint.

``Input (w/ Cache Write)`` is what was written to the cache and ``Input (w/o Cache Write)`` what was not, where the four
counts add up to the total; where the total leaves the second out, the first includes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import first, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_WRITTEN, _FRESH = "Input (w/ Cache Write)", "Input (w/o Cache Write)"
_NOT_CHARGED = frozenset({"errored, no charge", "aborted, not charged"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    usage = _usage(record)
    kind = text(record.get("Kind"))
    if kind is not None and kind.lower() in _NOT_CHARGED and not usage.output_tokens:
        yield NotACall(NotCallReason.NOT_SENT)
        return
    model = text(record.get("Model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "Model")
    max_mode = (text(record.get("Max Mode")) or "").lower() == "yes"
    cost = text(first(record, "Cost", "Cost to you"))
    yield Request(
        model=model,
        time_us=micros(record.get("Date"), "Date"),
        app="cursor",
        user=text(record.get("User")),
        conversation=text(record.get("Cloud Agent ID")),
        tags=((f"kind={kind}",) if kind is not None else ()) + (("max-mode",) if max_mode else ()),
        status=Status.ERROR if kind is not None and kind.lower() in _NOT_CHARGED else Status.OK,
        stated_cost_pico=cost_pico(cost.lstrip("$")) if cost is not None else None,
        usage=usage,
    )


def _usage(record: Record) -> Usage:
    written, fresh = read_count(record, _WRITTEN), read_count(record, _FRESH)
    read, output, total = (read_count(record, name) for name in ("Cache Read", "Output Tokens", "Total Tokens"))
    others = (read or 0) + (output or 0)
    if total is not None and total != (written or 0) + (fresh or 0) + others:
        if total != (written or 0) + others or (fresh or 0) > (written or 0):
            raise BadRecordError(Reason.BAD_TOKENS, "Total Tokens")
        written = (written or 0) - (fresh or 0)
    return disjoint_usage(fresh, output, cache_read=read, cache_write=written, convention=Convention.EXCLUSIVE)


FORMAT = Format(
    info=FormatInfo(
        name="cursor",
        title="Cursor usage events (CSV)",
        evidence=Evidence.FIXTURE,
        input_counts="exclusive",
        tells=("time", "cache", "cost"),
        notes="Columns and arithmetic as in rows of exports that public tools keep as tests (three versions of the "
        "header, 2025 and 2026); Cursor does not document them. A row whose counts do not add up to its total "
        "is rejected. Model names are Cursor's own: name those that are not known in the alias map.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: _WRITTEN in record and _FRESH in record,
    entries=_entries,
    keys=frozenset({_WRITTEN}),
    keys_decide=True,
)
