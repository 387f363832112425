"""Validation of token counts, and arithmetic that makes them disjoint.

Providers differ in what their input count holds. Inclusive: cached tokens are part of it (OpenAI, Gemini). Exclusive:
they come on top (Anthropic, Bedrock). ``disjoint_usage`` decides by arithmetic on the record itself, and only then by
what the provider documents; what stays open is marked ambiguous, with the tokens in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from llm_audit.sources.as_written import count_note
from llm_audit.sources.entry import NO_USAGE, BadRecordError, Reason, Usage
from llm_audit.sources.records.fields import Json, text
from llm_audit.vocabulary import UsageSource

_GROUPED = re.compile(
    r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*"
)  # as a sheet writes thousands: no part of a token is counted
MOST_DIGITS = 10  # of which any number of fewer digits is a possible count
MAX_TOKENS = 10**9  # no request is larger; a larger count is a mistake in the log


class Convention(StrEnum):
    """The tokens that an input count includes besides fresh ones."""

    INCLUSIVE = "inclusive"  # cached tokens are part of it
    EXCLUSIVE = "exclusive"  # cached tokens come on top


# Members of enums are looked up slowly, and these are asked for once a request.
_INCLUSIVE: Final = Convention.INCLUSIVE
_EXCLUSIVE: Final = Convention.EXCLUSIVE
REPORTED: Final = UsageSource.REPORTED
_AMBIGUOUS: Final = UsageSource.AMBIGUOUS


def as_count(given: object, field: str = "tokens") -> int | None:
    """Return a token count; None where the log gives none.

    Takes integers, also as strings, with thousands grouped or with a zero fraction; ``12.000`` may be either.
    Raises ``BadRecordError`` for it, for negative, fractional or absurd (above 10^9) counts and for anything else.
    """
    value = given
    if type(value) is int:
        if 0 <= value <= MAX_TOKENS:
            return value
        raise BadRecordError(Reason.BAD_TOKENS, field, note=count_note(given, field))
    if value is None:
        return None
    if isinstance(value, str):
        value = _written(value, field)
        if value is None or type(value) is int:
            return value
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - NaN is an empty cell of a table
            return None
        if 0 <= value <= MAX_TOKENS and value.is_integer():
            return int(value)
    raise BadRecordError(Reason.BAD_TOKENS, field, note=count_note(given, field))


def _written(given: str, field: str) -> float | None:
    if given.isdecimal() and len(given) < MOST_DIGITS:  # as OTLP writes integers
        return int(given)
    value = text(given)
    if value is None:
        return None
    try:
        return _number(value.strip())
    except ValueError:
        raise BadRecordError(Reason.BAD_TOKENS, field, note=count_note(given, field)) from None


def _number(value: str) -> float:
    """Return a number written as a text; one that may be grouped or have a fraction of nothing is none."""
    if not value.isdecimal() and _GROUPED.fullmatch(value):
        if value[-3:] == "000":
            raise ValueError(value)
        value = value.replace(value[-4], "")
    return float(value)


def read_single_count(record: Json, name: str) -> int | None:
    """Return the count a record gives under this name."""
    value = record.get(name)
    return None if value is None else as_count(value, name)


def read_count(record: Json, *names: str) -> int | None:
    """Return the first of these counts that a record gives."""
    for name in names:
        value = record.get(name)
        if value is not None:
            found = as_count(value, name)
            if found is not None:
                return found
    return None


def plain_counts_in_python(record: object, names: tuple[str, ...]) -> tuple[int | None, ...] | None:
    """Return the counts that an object gives under some names; None where one is neither missing nor a plain count."""
    if type(record) is not dict:
        return None
    counts = tuple(map(record.get, names))
    plain = all(value is None or (type(value) is int and 0 <= value <= MAX_TOKENS) for value in counts)
    return counts if plain else None


plain_counts: Callable[[object, tuple[str, ...]], tuple[int | None, ...] | None]
try:
    from llm_audit.sources.records._fields import plain_counts
except ImportError:  # built only where a C compiler is available; the Python form returns the same
    plain_counts = plain_counts_in_python


def disjoint_usage(  # noqa: C901 - one decision, each branch a stated rule
    input_tokens: int | None,
    output_tokens: int | None,
    *,
    cache_read: int | None = None,
    cache_write: int | None = None,
    cache_write_1h: int | None = None,
    reasoning: int | None = None,
    reasoning_apart: bool = False,
    audio_input: int | None = None,
    audio_output: int | None = None,
    image_input: int | None = None,
    image_output: int | None = None,
    total: int | None = None,
    own_input: int | None = None,
    wrapper_total: bool = False,
    convention: Convention | None = None,
    tool_calls: int | None = None,
) -> Usage:
    """Make reported counts disjoint, deciding by arithmetic what the input count includes.

    ``cache_write`` are writes of the default (5-minute) lifetime, apart from ``cache_write_1h``. ``audio_input`` and
    ``audio_output`` are parts of the input and output counts; ``image_input`` is fresh image input. ``total`` is the
    record's own total; ``wrapper_total`` says that a library in between computed it, so that input + output proves
    nothing. ``own_input`` is an input count without cached tokens that the record gives beside the other.
    ``convention`` is what the provider documents and decides only where arithmetic does not.

    Rules, in this order, where cached tokens (reads and writes) are above zero:
    own input + cached = input: inclusive; own input = input: exclusive;
    total = input + output (+ reasoning): inclusive, and where reads and writes overlap the larger of both is included;
    total = input + output + cached (+ reasoning): exclusive;
    cached > input: exclusive; else ``convention``; else ambiguous: read as exclusive, the upper bound, with the cached
    tokens as ``ambiguous_tokens``. Reasoning is taken to be part of the output unless the total counts it on top or
    it exceeds the output; where the log keeps it apart (``reasoning_apart``), unless the total leaves it out. Tokens
    of the total that no count explains are ``unexplained_tokens``; where the counts exceed the total, the excess is
    ambiguous.
    """
    if input_tokens is None and output_tokens is None:
        return NO_USAGE
    fresh, out = input_tokens or 0, output_tokens or 0
    cached = (cache_read or 0) + (cache_write or 0) + (cache_write_1h or 0)
    ambiguous: int | None = None
    gap = None if total is None else total - fresh - out
    on_top = reasoning or 0
    apart = reasoning_apart and (gap is None or gap > max(on_top, cached))
    counted = on_top > 0 and (apart or gap in {on_top, on_top + cached})  # by the total
    if counted or on_top > out:
        out += on_top
        gap = gap - on_top if counted and gap is not None else gap
    if cached:
        decided = _by_arithmetic(fresh, cached, None if wrapper_total and gap == 0 else gap, own_input)
        overlap = max(cache_read or 0, cached - (cache_read or 0))
        if decided is None and gap == 0 and not wrapper_total and overlap <= fresh:
            fresh -= overlap
        elif (decided or (_EXCLUSIVE if cached > fresh else convention)) is _INCLUSIVE:
            fresh -= cached
        elif decided is None and cached <= fresh and convention is None:
            ambiguous = cached
        elif gap is not None and gap:
            gap -= cached  # on top of the input, and of what the total counts
    unexplained = gap if gap is not None and gap > 0 and gap != ambiguous else None
    if gap is not None and gap < 0 and ambiguous is None:
        ambiguous = min(-gap, fresh) or None
    if audio_input:
        audio_input = min(audio_input, fresh)  # the rest of it was read from the cache
        fresh -= audio_input
    if audio_output:
        audio_output = min(audio_output, out)
        out -= audio_output
    return Usage(
        usage_source=_AMBIGUOUS if ambiguous else REPORTED,
        input_tokens=None if input_tokens is None else fresh,
        cache_read_tokens=cache_read,
        cache_write_5m_tokens=cache_write,
        cache_write_1h_tokens=cache_write_1h,
        output_tokens=None if output_tokens is None and not out else out,
        audio_input_tokens=audio_input,
        audio_output_tokens=audio_output,
        reasoning_tokens=reasoning if reasoning is None else min(reasoning, out),
        image_input_tokens=image_input if image_input is None else min(image_input, fresh),
        image_output_tokens=image_output if image_output is None else min(image_output, out),
        ambiguous_tokens=ambiguous,
        unexplained_tokens=unexplained,
        tool_calls_billed=tool_calls,
    )


def _by_arithmetic(fresh: int, cached: int, gap: int | None, own_input: int | None) -> Convention | None:
    """Return what the input count includes, where the record's own figures prove it."""
    if own_input is not None and cached <= fresh:
        if own_input + cached == fresh:
            return Convention.INCLUSIVE
        if own_input == fresh:
            return Convention.EXCLUSIVE
    if gap == 0 and cached <= fresh:
        return Convention.INCLUSIVE
    return Convention.EXCLUSIVE if gap == cached else None
