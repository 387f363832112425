"""The priced ledger as arrays: what routing asks of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Codes, Difficulties, Flags, Index, Ints
from llm_audit.catalog import LANGUAGES
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.inputs.models import CATEGORIES, NONE, SKILLS
from llm_audit.vocabulary import Stakes

NEEDS: tuple[str, ...] = ("vision", "audio", "tools", "json_schema", "reasoning")

ROUTING_COLUMNS: tuple[str, ...] = (
    "provider",
    "model",
    "service_tier",
    "region",
    "time",
    "operation",
    *(f"{kind}_tokens" for kind in TOKEN_TYPES),
    "reasoning_tokens",
    *(f"needs_{need}" for need in NEEDS),
    "max_output_tokens",
    "calls_tools",
    "answers_tools",
    "difficulty",
    "category",
    "language",
    "judged",
    "stakes",
    "cost_pico",
    "cost_per_call_pico",
)
"""Columns of a priced ledger that routing reads."""

TRACE_COLUMNS: tuple[str, ...] = (
    "request_key",
    "conversation",
    "trace",
    "span",
    "parent_span",
    "template_hash",
    "prompt_hash",
    "parent_prompt_hash",
    "tool_call_hash",
    "tool_result_hash",
    "reply_hash",
    "quoted_hash",
    "time",
    "turns",
    "step",
    "answers_tools",
)
"""Columns that say where a request stands in its conversation and trace."""

Rows = Ints | Bools | slice
Column = TypeVar("Column", Ints, Bools, Codes)

_SMALL = 2**31
_FIRST = 256
_NOTHING = np.zeros(1, dtype=np.int64)

UNDATED = 2**30
"""The day of a request without a time: after every release."""


class Requests(msgspec.Struct, kw_only=True, frozen=True):
    """One entry a request in every array.

    ``tokens`` are disjoint counts, 0 where the log has none; ``cost`` is in pico-dollars, 0 where ``priced`` is not
    set; ``difficulty`` is NaN and ``category`` ``NONE`` where the prompt was not judged; ``language`` is 0 in English,
    else one more than an index into ``Models.by_language.languages``; ``board_language`` is an index into
    ``catalog.LANGUAGES``, ``NONE`` for others. ``stakes`` is 0 for none, else one more than an index into ``Stakes``.
    """

    used: Index
    category: Index
    language: Codes
    difficulty: Difficulties
    board_language: Flags
    chat: Bools
    judged: Bools
    priced: Bools
    cost: Ints
    per_call_cost: Ints
    tokens: dict[str, Ints]
    reasoning_tokens: Ints
    max_output: Ints
    needs: dict[str, Bools]
    agent_step: Bools
    stakes: Codes
    day: Ints

    def __len__(self) -> int:
        """Number of requests."""
        return len(self.used)

    @property
    def input_tokens(self) -> Ints:
        """All input, cached or not."""
        total = np.zeros(len(self), dtype=np.int64)
        for kind in TOKEN_TYPES:
            if "output" not in kind:
                total += self.tokens[kind]
        return total

    @property
    def skill(self) -> Index:
        """The index of what each request asks of a model in ``Models.skills``; ``NONE`` where it was not judged."""
        english = self.category + len(CATEGORIES) * self.agent_step
        skill: Index = np.where(self.category == NONE, NONE, english + len(SKILLS) * self.language.astype(np.int32))
        return skill.astype(np.int32, copy=False)

    @property
    def routable(self) -> Bools:
        """Requests that a policy can decide: chat, with a known price, judged, by a known model."""
        routable: Bools = self.chat & self.priced & self.judged & (self.used != NONE)
        return routable


def read_requests(frame: pl.DataFrame, index: dict[str, int], languages: Sequence[str]) -> Requests:
    """Make the arrays of a priced ledger that has ``model_id``.

    Args:
        frame: Its rows.
        index: Numbers the catalog's models.
        languages: Languages in which abilities differ from those in English.
    """
    code_of = {name: code for code, name in enumerate(languages, start=1)}
    language = frame["language"].cast(pl.String).replace_strict(code_of, default=0, return_dtype=pl.UInt8)
    category = (
        frame["category"]
        .cast(pl.String)
        .replace_strict(
            {name: position for position, name in enumerate(CATEGORIES)}, default=NONE, return_dtype=pl.Int32
        )
    )
    difficulty = frame["difficulty"].fill_null(float("nan")).to_numpy()
    abstained = (frame["judged"].cast(pl.String) == "abstained").fill_null(value=True).to_numpy()
    index_of = frame["model_id"].cast(pl.String).replace_strict(index, default=NONE, return_dtype=pl.Int32)
    categories = category.fill_null(NONE).to_numpy()
    return Requests(
        used=index_of.fill_null(NONE).to_numpy(),
        category=categories,
        language=language.fill_null(0).to_numpy(),
        difficulty=difficulty,
        board_language=_languages(frame["language"]),
        chat=(frame["operation"].cast(pl.String) == "chat").fill_null(value=True).to_numpy(),
        judged=~abstained & np.isfinite(difficulty) & (categories != NONE),
        priced=frame["cost_pico"].is_not_null().to_numpy(),
        cost=frame["cost_pico"].cast(pl.Int64).fill_null(0).to_numpy(),
        per_call_cost=_counts(frame["cost_per_call_pico"]),
        tokens={kind: _counts(frame[f"{kind}_tokens"]) for kind in TOKEN_TYPES},
        reasoning_tokens=_counts(frame["reasoning_tokens"]),
        max_output=_counts(frame["max_output_tokens"]),
        needs={need: _flags(frame[f"needs_{need}"]) for need in NEEDS},
        agent_step=(
            frame["calls_tools"].fill_null(value=False) | frame["answers_tools"].fill_null(value=False)
        ).to_numpy(),
        stakes=_stakes(frame["stakes"]),
        day=frame["time"].dt.date().to_physical().fill_null(UNDATED).to_numpy(),
    )


def _languages(column: pl.Series) -> Flags:
    index = {name: position for position, name in enumerate(LANGUAGES)}
    found = column.cast(pl.String).replace_strict(index, default=NONE, return_dtype=pl.Int8)
    return found.fill_null(NONE).to_numpy()


def _counts(column: pl.Series) -> Ints:
    """Counts in 32 bits where they fit, and in no memory where there are none."""
    least, most = column.min() or 0, column.max() or 0
    assert isinstance(least, int)
    assert isinstance(most, int)
    if not (least or most):
        return np.broadcast_to(np.int32(0), len(column))
    counts = column.cast(pl.Int32 if least > -_SMALL and most < _SMALL else pl.Int64)
    return (counts.fill_null(0) if counts.null_count() else counts).to_numpy()


def _stakes(column: pl.Series) -> Codes:
    """Codes of what is at stake, in no memory where nothing is."""
    if column.null_count() == len(column):
        return np.broadcast_to(np.uint8(0), len(column))
    codes = {kind.value: code for code, kind in enumerate(Stakes, start=1)}
    found = column.cast(pl.String).replace_strict(codes, default=0, return_dtype=pl.UInt8)
    return found.fill_null(0).to_numpy()


def _flags(column: pl.Series) -> Bools:
    if not column.any():
        return np.broadcast_to(np.False_, len(column))
    return (column.fill_null(value=False) if column.null_count() else column).to_numpy()


def take(requests: Requests, rows: Rows) -> Requests:
    """Return the requests at ``rows``, in 64 bits to calculate with."""
    return Requests(
        used=requests.used[rows],
        category=requests.category[rows],
        language=requests.language[rows],
        difficulty=requests.difficulty[rows],
        board_language=requests.board_language[rows],
        chat=requests.chat[rows],
        judged=requests.judged[rows],
        priced=requests.priced[rows],
        cost=requests.cost[rows],
        per_call_cost=wide(requests.per_call_cost, rows),
        tokens={kind: wide(counts, rows) for kind, counts in requests.tokens.items()},
        reasoning_tokens=wide(requests.reasoning_tokens, rows),
        max_output=wide(requests.max_output, rows),
        needs={need: at(flags, rows) for need, flags in requests.needs.items()},
        agent_step=requests.agent_step[rows],
        stakes=at(requests.stakes, rows),
        day=requests.day[rows],
    )


def wide(counts: Ints, rows: Rows) -> Ints:
    """Counts at some rows in 64 bits; none stay in no memory."""
    some = at(counts, rows)
    return some.astype(np.int64, copy=False) if some.strides[0] else _repeated(_NOTHING, len(some))


def is_nothing(counts: Ints) -> bool:
    """Return whether all counts are zero; of a column that repeats one value, one is asked."""
    first = counts[:_FIRST]  # where there are any, there mostly are among these
    return not (first.any() or (counts.strides[0:1] != (0,) and counts.any()))


def joined(parts: Sequence[Requests]) -> Requests:
    """Return the requests of several parts, in their order."""

    def column(name: str) -> Any:
        return _chain([getattr(part, name) for part in parts])

    plain = [name for name in Requests.__struct_fields__ if name not in {"tokens", "needs"}]
    return Requests(
        **{name: column(name) for name in plain},
        tokens={kind: _chain([part.tokens[kind] for part in parts]) for kind in TOKEN_TYPES},
        needs={need: _chain([part.needs[need] for part in parts]) for need in NEEDS},
    )


def _chain(columns: Sequence[Column]) -> Column:
    """Columns after each other; nothing but zeros takes no memory."""
    if any(column.strides[0] for column in columns):
        return np.concatenate(columns)
    return np.broadcast_to(columns[0][:1], sum(len(column) for column in columns))


def at(values: Column, rows: Rows) -> Column:
    """Return the values at some rows; a column that repeats one value stays one that takes no memory."""
    if values.strides[0] or isinstance(rows, slice):
        return values[rows]
    return _repeated(values, int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows))


def _repeated(values: Column, count: int) -> Column:
    """Return the first value as a read-only column that takes no memory; ``broadcast_to`` is twenty times slower."""
    repeated: Column = np.ndarray((count,), values.dtype, values[:1], strides=(0,)) if count else values[:0]
    repeated.flags.writeable = False
    return repeated
