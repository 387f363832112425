"""Reading token counts from a record or a usage object by their names, however they are nested."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from llm_audit.sources.entry import NO_USAGE, Usage
from llm_audit.sources.records.disjoint import MAX_TOKENS, REPORTED, Convention, as_count, disjoint_usage
from llm_audit.sources.records.fields import Json, mapping, number
from llm_audit.sources.records.tokens.contradictions import contradicting, may_contradict
from llm_audit.sources.records.tokens.fields import Field, fields_of, plain_counts

_DEEPEST = 4  # levels of details in details; real ones have three
_LONGEST_NUMBER = 24  # characters
_NAME = re.compile(r"(?!(?:.*_)?(?:sk|pk|ghp|xox[a-z])_)[a-z_][a-z0-9_]{0,79}")
_MAX_DIGITS = 6

_PLAIN = frozenset({"input", "output"})
_USUAL = frozenset({"input", "output", "cache_read", "cache_write", "total"})


class TokenCounts(msgspec.Struct):
    """Counts by kind (see ``names.COLUMNS``), and the fields that seem to count tokens and are of no known kind.

    ``cached_audio`` is the part of the cached tokens that is audio; ``own_input`` the provider's own input count where
    a library reports another beside it.
    """

    kinds: dict[str, int]
    unread: tuple[str, ...] = ()

    def get(self, *kinds: str) -> int | None:
        """Return the count of the first of these kinds that is given."""
        own = self.kinds
        for kind in kinds:  # a generator costs more than the look-ups
            if kind in own:
                return own[kind]
        return None


def read_tokens(
    record: Json,
    *,
    convention: Convention | None = None,
    wrapper_total: bool = False,
    tool_calls: int | None = None,
    model: str = "",
) -> Usage:
    """Read the usage of an object that holds counts under any of the known names.

    Args:
        record: The object; details may be nested in it, as objects or as JSON in strings.
        convention: What its input count includes, where neither the counts nor their names tell.
        wrapper_total: The total was computed by a library, so that input + output proves nothing.
        tool_calls: Tool calls that are billed, which no token name tells.
        model: The model, which decides whether thinking comes on top of the output.
    """
    return usage_of_counts(
        count_tokens(record), convention=convention, wrapper_total=wrapper_total, tool_calls=tool_calls, model=model
    )


def usage_of_counts(
    counts: TokenCounts,
    *,
    convention: Convention | None = None,
    wrapper_total: bool = False,
    tool_calls: int | None = None,
    model: str = "",
) -> Usage:
    """Make the counts of a record disjoint. Thinking comes on top of Gemini's output, and is a part of all others'."""
    kinds, get = counts.kinds, counts.kinds.get
    if kinds.keys() == _PLAIN and not counts.unread:  # which are disjoint as they are
        return Usage(
            usage_source=REPORTED,
            input_tokens=kinds["input"],
            output_tokens=kinds["output"],
            tool_calls_billed=tool_calls,
        )
    if kinds.keys() <= _USUAL and not counts.unread:  # by far the most
        return disjoint_usage(
            get("input"),
            get("output"),
            cache_read=get("cache_read"),
            cache_write=get("cache_write"),
            total=get("total"),
            wrapper_total=wrapper_total,
            convention=convention,
            tool_calls=tool_calls,
        )
    input_tokens, fresh = get("input"), get("fresh")
    cached, read = get("cached"), get("cache_read")
    if not cached and read is not None:
        cached = read
    elif cached is not None:
        convention = convention or Convention.INCLUSIVE
    if input_tokens is None and fresh is not None:
        input_tokens, convention = fresh, Convention.EXCLUSIVE
    input_tokens = _with_tools(input_tokens, counts)
    apart = "thoughts" in counts.kinds or ("thinking" in counts.kinds and "gemini" in model.lower())
    audio = get("audio_input")
    if audio is not None:
        audio = max(audio - (get("cached_audio") or 0), 0)
    usage = disjoint_usage(
        input_tokens,
        get("output"),
        cache_read=cached,
        cache_write=_of_default_lifetime(counts),
        cache_write_1h=get("cache_write_1h"),
        reasoning=counts.get("reasoning", "thoughts", "thinking"),
        reasoning_apart=apart and "reasoning" not in counts.kinds,
        audio_input=audio,
        audio_output=get("audio_output"),
        image_input=get("image_input"),
        image_output=get("image_output"),
        total=get("total"),
        own_input=get("own_input", fresh),
        wrapper_total=wrapper_total,
        convention=convention,
        tool_calls=tool_calls,
    )
    if usage is NO_USAGE or not counts.unread:
        return usage
    return msgspec.structs.replace(usage, unread_counts=",".join(counts.unread))


def _with_tools(input_tokens: int | None, counts: TokenCounts) -> int | None:
    """Return the input with what tools put into a prompt of Gemini, which is on top unless the total denies it."""
    by_tools, total = counts.get("tool_input"), counts.get("total")
    if not by_tools or input_tokens is None:
        return input_tokens
    together = input_tokens + by_tools
    return together if total is None or total >= together + (counts.get("output") or 0) else input_tokens


def _of_default_lifetime(counts: TokenCounts) -> int | None:
    """Return the writes that are not of 1 hour; what a split of a sum does not explain has the default lifetime."""
    short, long = counts.get("cache_write_5m"), counts.get("cache_write_1h") or 0
    created, written = counts.get("cache_created"), counts.get("cache_write")
    if created is None and written is not None and long and (written == long or (short or 0) + long <= written):
        gap = (counts.get("total") or 0) - (counts.get("input") or 0) - (counts.get("output") or 0)
        read = counts.get("cached", "cache_read") or 0
        if short is not None or written == long or gap in {written, read + written}:
            created = written
    if created is not None:
        return max(created - long, short or 0)
    return written if short is None else short + (written or 0)


def _is_name(path: str) -> bool:
    """Return whether a path is the name of a field, and no secret or id that stands where a name should."""
    return _NAME.fullmatch(path) is not None and sum(character.isdigit() for character in path) <= _MAX_DIGITS


def count_tokens(record: Json, *, nested: bool = True) -> TokenCounts:
    """Collect the counts of an object by kind: of several names for one kind the most specific, zeros last.

    ``nested`` looks into every object inside; without it, as in a whole record, into those named after tokens alone.
    """
    if nested and (plain := plain_counts(record)) is not None:
        return TokenCounts(plain)
    counter = _Counter(nested=nested)
    counter.look(record, "", 0)
    kinds = {kind: held[2] for kind, held in counter.best.items()}
    unread = counter.unread
    if counter.others:
        unread += contradicting(kinds, counter.others)
    return TokenCounts(kinds, tuple(unread))


class _Counter:
    """The best count of each kind so far, with its rank and name; those it was preferred to; names of unread ones."""

    __slots__ = ("_nested", "best", "others", "unread")

    def __init__(self, *, nested: bool) -> None:
        self._nested = nested
        self.best: dict[str, tuple[bool, int, int, str]] = {}
        self.others: list[tuple[str, str, int]] = []
        self.unread: list[str] = []

    def look(self, record: Json, prefix: str, depth: int) -> None:
        """Add the counts of an object and of those in it."""
        nested, best = self._nested, self.best
        for field in fields_of(prefix, record):
            value = record[field.key]
            if type(value) is int:
                kind = field.nested_kind if nested else field.own
                if kind is None or not 0 <= value <= MAX_TOKENS:
                    self._add(field, value)
                elif (held := best.get(kind[0])) is None:
                    best[kind[0]] = (not value, kind[1], value, field.path)
                else:
                    self._weigh(kind, value, field.path, held)
                continue
            if value is None:
                continue
            found = self._opened(field, value)
            if isinstance(found, Mapping):
                if depth < _DEEPEST and (self._nested or depth or field.is_usage):
                    self.look(found, field.within, depth + 1)
            elif found is not None:
                self._add(field, found)

    def _opened(self, field: Field, value: object) -> Json | float | str | None:
        """Return an object, a number or a text that may be one; None for anything else."""
        if isinstance(value, str):
            if value[:1] != "{" and field.is_count_in_text and (field.own or len(value) < _LONGEST_NUMBER):
                return value
            return mapping(value) if self._nested or field.is_usage else None
        if type(value) is list and field.is_details:
            return _summed(value)
        return value if isinstance(value, (dict, int, float, Mapping)) and type(value) is not bool else None

    def _add(self, field: Field, value: float | str) -> None:
        kind = field.nested_kind if self._nested else field.own
        if kind is None:
            if field.may_count and number(value):
                self.unread.append(field.path if _is_name(field.path) else "…")
            return
        count = as_count(value, field.key)
        if count is None:
            return
        name, rank = kind
        held = self.best.get(name)
        if held is None:
            self.best[name] = (not count, rank, count, field.path)
        else:
            self._weigh(kind, count, field.path, held)

    def _weigh(self, kind: tuple[str, int], count: int, path: str, held: tuple[bool, int, int, str]) -> None:
        """Keep the better of two counts of a kind, and note the other where it says something else."""
        name, rank = kind
        found = (not count, rank, count, path)
        better, worse = (found, held) if found[:2] < held[:2] else (held, found)
        self.best[name] = better
        if worse[2] not in (0, better[2]) and may_contradict(name, worse[3]) and may_contradict(name, better[3]):
            self.others.append((name, worse[3], worse[2]))


def _summed(details: list[object]) -> Json | None:
    """Return the sum of details that are listed, one object a call, as OpenAI's Agents SDK does."""
    sums: dict[str, float] = {}
    for item in details:
        if not isinstance(item, Mapping) or "modality" in item:  # Gemini lists one object a modality
            return None
        for name, count in item.items():
            if type(count) in (int, float):
                sums[name] = sums.get(name, 0) + count
    return sums
