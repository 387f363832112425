"""Usage of a custom log's record: in an object, in columns, or in what a library returned.

Cached tokens are taken to be part of the input where their name says so (``cached_tokens``), on top of it where the
names are Anthropic's own (``cache_read_input_tokens`` beside ``input_tokens``). Otherwise arithmetic decides, or they
are marked ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Usage
from llm_audit.sources.formats.plain.flat.fields import TOTAL_ALONE, may_hold_usage, with_left_out
from llm_audit.sources.formats.plain.flat.marks import add_cached
from llm_audit.sources.records.billing.aggregates import count_of
from llm_audit.sources.records.column_names import ABSENT, COUNTED, Columns, columns_of
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, first, listing, mapping, objects, text
from llm_audit.sources.records.tokens import (
    count_tokens,
    normalize_name,
    perhaps_on_top,
    read_tokens,
    thinks,
    usage_of_counts,
)
from llm_audit.sources.records.tokens.contradictions import named_as_unread, not_fitting
from llm_audit.sources.records.usage import of_any

_ANTHROPIC_INPUTS = ("input_tokens", "usage_input_tokens", "response_usage_input_tokens")
_ANTHROPIC_READS = tuple(f"{head}cache_read_input_tokens" for head in ("", "usage_", "response_usage_"))
_READS, _WRITES = "cache_read_input_tokens", "cache_creation_input_tokens"
_SEVERAL = "usages of several calls"
_WRITTEN = frozenset({"cache_write_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"})
_USAGES = ("usage", "token_usage", "usage_metadata", "usageMetadata")


def only_usage(usage: object) -> object:
    """Return the usage that a list of one holds, also where it is JSON in a text; anything else as it is."""
    if isinstance(usage, str) and usage.lstrip()[:1] == "[":
        usage = listing(usage)
    return usage[0] if isinstance(usage, list) and len(usage) == 1 else usage


def read_usage(record: Json, columns: Columns, model: str) -> Usage:
    """Read the counts of a record: of its usage, of its columns, or of what it holds a usage in."""
    usage = only_usage(record.get(columns.usage))
    left_out = [_SEVERAL] if (isinstance(usage, list) and usage) or _of_several(usage) else []
    nested = mapping(usage) or mapping(record.get(columns.total))
    if nested and (found := _nested_usage(nested, model)) is not NO_USAGE:
        return found
    if columns.only_usual:
        total = read_count(record, columns.total)
        found = disjoint_usage(
            read_count(record, columns.input),
            read_count(record, columns.output),
            cache_read=read_count(record, columns.cached),
            total=total,
            convention=Convention.INCLUSIVE,
        )
        if found is NO_USAGE and may_hold_usage(columns):
            found = _held_usage(record, columns, model)
        return with_left_out(found, [*left_out, *([TOTAL_ALONE] if total else [])])
    anthropic = columns.names("input", *_ANTHROPIC_INPUTS) and (
        columns.names("cache_read", *_ANTHROPIC_READS) or columns.cache_created is not ABSENT
    )
    convention = Convention.EXCLUSIVE if anthropic else None
    counts = count_tokens(record, nested=False)
    if columns.marks:
        add_cached(counts, record, columns)
    found = usage_of_counts(counts, convention=convention, model=model)
    reasoning, output = counts.get("reasoning"), counts.get("output")
    told = counts.get("total", "thoughts", "thinking") is not None or "native" in columns.reasoning  # of OpenRouter
    if reasoning and output and reasoning <= output and not told and thinks(model):
        return perhaps_on_top(found)
    if found is not NO_USAGE:
        return found
    left_out += [*counts.unread, *([TOTAL_ALONE] if counts.get("total") else [])]
    if not left_out and any(_of_several(record[key]) for key in columns.holders):
        left_out = [_SEVERAL]
    return with_left_out(_held_usage(record, columns, model), left_out)


def with_caches_beside(usage: Usage, record: Json, columns: Columns, model: str) -> Usage:
    """Return the counts of a record's usage with those of caches that columns beside it have, and it has not.

    A number that cannot count tokens is named as not used, and so is one that says something else than the usage.
    """
    nested, get = mapping(only_usage(record.get(columns.usage))), record.get
    beside: dict[str, int | None] = {}
    if (read := usage.cache_read_tokens) is not None:
        given = [key for key in (columns.cached, columns.cache_read) if (as_int(get(key)) or 0) > 0]
        usage = named_as_unread(usage, [not_fitting(key) for key in given if as_int(get(key)) != read])
    if usage.cache_read_tokens is None:
        beside = {"cached_tokens": as_int(get(columns.cached)), _READS: as_int(get(columns.cache_read))}
    if usage.cache_write_5m_tokens is None and usage.cache_write_1h_tokens is None:
        beside |= {
            _WRITES: as_int(get(columns.cache_created)),
            "cache_write_tokens": as_int(get(columns.cache_write)),
            "cache_write_5m_tokens": as_int(get(columns.cache_write_5m)),
            "cache_write_1h_tokens": as_int(get(columns.cache_write_1h)),
        }
    counted = {name: count for name, count in beside.items() if count and count > 0}
    if not counted or not nested or usage is NO_USAGE:
        return usage
    whole = {**nested, **counted}
    try:
        if usage.cache_read_tokens is None and not _WRITTEN.isdisjoint(counted) and "input_tokens" in nested:
            found = read_tokens(whole, model=model)  # whose name does not tell whether it is a part of the input
        else:
            found = _nested_usage(whole, model)
    except BadRecordError:  # the usage itself could be read
        return named_as_unread(usage, counted)
    return usage if found is NO_USAGE else found


def _held_usage(record: Json, columns: Columns, model: str) -> Usage:
    """Read the usage in what a library returned, where the record keeps that as a whole, or among its metrics.

    So is it read beside a reply, where that is an object, and in metadata.
    """
    for key in columns.holders:
        held = mapping(record.get(key))
        nested = mapping(first(held, *_USAGES))
        found = _nested_usage(nested, model) if nested else NO_USAGE
        if not nested and held and normalize_name(key) in COUNTED:
            found = _among_metrics(held, model)
        if found is not NO_USAGE:
            return found
    reply, metadata = record.get(columns.completion), mapping(record.get(columns.metadata))
    beside = first(reply, *_USAGES) if isinstance(reply, Mapping) else None
    for held in map(mapping, (beside, first(metadata, *_USAGES), metadata)):
        if _counts_both(held):
            return _among_metrics(held, model)
    return NO_USAGE


def _of_several(held: object) -> bool:
    """Return whether an object holds a usage of each of several models, or a list calls that have their own."""
    if isinstance(held, Mapping):
        usages = [own if isinstance(own, Mapping) else {} for own in held.values()]
    else:
        usages = [mapping(first(call, *_USAGES)) or call for call in objects(listing(held))]
    return bool(usages) and all(map(_counts_both, usages))


def _counts_both(held: Json) -> bool:
    """Return whether an object counts input and output; one that cannot be right counts neither."""
    try:
        counts = count_tokens(held, nested=False)
    except BadRecordError:
        return False
    return counts.get("input") is not None and counts.get("output") is not None


def _among_metrics(metrics: Json, model: str) -> Usage:
    """Read counts among metrics, which may as well be scores, or of many calls."""
    try:
        calls = count_of(metrics.get(columns_of(metrics).requests), "requests")
        return _nested_usage(metrics, model) if calls is None or calls == 1 else NO_USAGE
    except BadRecordError:
        return NO_USAGE


def _nested_usage(usage: Json, model: str) -> Usage:
    """Read counts held in an object of their own, also under bare names such as ``input`` and ``output``.

    Those in another unit, such as characters, are no tokens.
    """
    if "token" not in (text(usage.get("unit")) or "tokens").lower():
        return NO_USAGE
    found = of_any(usage, model=model)
    return read_tokens(usage, convention=Convention.INCLUSIVE, model=model) if found is NO_USAGE else found
