"""Rows of a batch as Arrow columns of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from llm_audit.classify.model import Judgement
from llm_audit.engines.digest import Digest
from llm_audit.engines.hashing import hash64
from llm_audit.ledger.arrow import ARROW_SCHEMA, TYPES
from llm_audit.ledger.columns import COLUMNS, Kind
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Abstention, Category, Judged

MAX_NAME_CHARS = 256
"""Names are cut here: something longer is content and not a name."""

_FIELDS = (
    "request_key",
    "input",
    "line",
    "format",
    *Digest._fields,
    *Request.__struct_fields__,
    *Usage.__struct_fields__,
)
_HASHED = ("request_key", *Digest._fields)  # identifiers that are numbers already
_REASONS = [reason.value for reason in Abstention]
_CATEGORIES = [category.value for category in Category]
_ABSTAINED = Judged.ABSTAINED.value


Judge = Callable[[Sequence[str]], Judgement]
Row = tuple[Any, ...]
"""What ``row`` makes of a request: ``_FIELDS``."""


def row(place: tuple[int, int, int], name: str, request: Request, digest: Digest) -> Row:
    """A request without its text as a row of ``table``.

    Args:
        place: The entry's place in its shard, the shard, and the line.
        name: Of the format.
        request: Without its messages and completion.
        digest: What is kept of them.
    """
    return (*place, name, *digest, *astuple(request), *astuple(request.usage))


def table(rows: Sequence[Row], judge: Judge) -> pa.Table:
    """Judge the rows' asks, each distinct one once, and lay the rows out as columns."""
    values: dict[str, Sequence[Any]] = dict(zip(_FIELDS, zip(*rows, strict=True), strict=True))
    values["time"] = values["time_us"]
    values["tags"] = [",".join(sorted(tags)) or None if tags else None for tags in values["tags"]]
    values |= judged_columns(values["ask"], values["judged"], values["abstention"], judge)
    return pa.Table.from_arrays([_column(name, values[name]) for name in COLUMNS], schema=ARROW_SCHEMA)


def judged_columns(
    asks: Sequence[str], judged: Sequence[str], abstention: Sequence[str | None], judge: Judge
) -> dict[str, Sequence[Any]]:
    """The columns that judging fills: the classifier may abstain where the choice of text did not."""
    place: dict[str, int] = {}
    chosen = [place.setdefault(ask, len(place)) if ask else -1 for ask in asks]
    verdict = judge(list(place))
    # An abstained text has no difficulty, which the classifier marks by NaN.
    difficulty = [None if value != value else value for value in verdict.difficulty.tolist()]  # noqa: PLR0124
    category = [_CATEGORIES[code] for code in verdict.category.tolist()]
    why = [_REASONS[code - 1] if code else None for code in verdict.abstention.tolist()]
    for column in (difficulty, category, why):
        column.append(None)  # what index -1 finds: not judged
    reason = [own or why[index] for own, index in zip(abstention, chosen, strict=True)]
    return {
        "difficulty": [difficulty[index] for index in chosen],
        "category": [None if no else category[index] for index, no in zip(chosen, reason, strict=True)],
        "language": [(verdict.language[index] if index >= 0 else None) for index in chosen],
        "abstention": reason,
        "judged": [_ABSTAINED if no else own for own, no in zip(judged, reason, strict=True)],
    }


def _column(name: str, found: Sequence[Any]) -> pa.Array:
    kind = COLUMNS[name]
    if found[0] is None and found.count(None) == len(found):
        return pa.nulls(len(found), ARROW_SCHEMA.field(name).type)
    if kind is Kind.NAME:
        return _names(found)
    if not isinstance(kind, Kind):
        return pa.array(found, pa.string()).dictionary_encode()
    if kind is Kind.ID and name not in _HASHED:
        found = [None if value is None else hash64(value) for value in found]
    try:
        return pa.array(found, TYPES[kind])
    except (OverflowError, pa.ArrowInvalid):
        most = 1 << TYPES[kind].bit_width - 1
        # A number that no column holds is a mistake in the log: unknown, and no reason to lose the batch.
        return pa.array([None if value is None or not -most <= value < most else value for value in found], TYPES[kind])


def _names(found: Sequence[str | None]) -> pa.Array:
    names = pa.array(found, pa.string()).dictionary_encode()
    ends = np.frombuffer(names.dictionary.buffers()[1], np.int32, len(names.dictionary) + 1)
    if np.diff(ends).max() <= MAX_NAME_CHARS:  # bytes are no fewer than characters
        return names
    return pa.array([name and name[:MAX_NAME_CHARS] for name in found], pa.string()).dictionary_encode()
