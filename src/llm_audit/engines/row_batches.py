"""Convert a batch of requests to Arrow columns of the ledger, and judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from llm_audit.classify.model import Judgement
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.features.text import TextFeatures
from llm_audit.ledger.arrow import ARROW_SCHEMA, TYPES
from llm_audit.ledger.columns import COLUMNS, ColumnType
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Abstention, Category, Judged, Stakes

MAX_NAME_CHARS = 256
"""Names are cut to this length: anything longer is content and not a name."""

_FIELDS = (
    "entry",
    "input",
    "line",
    "format",
    *TextFeatures.__struct_fields__,
    *Request.__struct_fields__,
    *Usage.__struct_fields__,
)
_HASHED = ("request_key", *TextFeatures.__struct_fields__)  # identifiers that are numbers already
_REASONS = [reason.value for reason in Abstention]
_CATEGORIES = [category.value for category in Category]
_STAKES = [None, *(stakes.value for stakes in Stakes)]
_ABSTAINED = Judged.ABSTAINED.value

Judge = Callable[[Sequence[str]], Judgement]
Harder = Callable[[Sequence[str | None], Sequence[int | None]], Sequence[float]]
"""What is added to difficulties, by category and template."""

Row = tuple[Any, ...]
"""The values of ``_FIELDS`` for one request."""


def ledger_row(position: tuple[int, int, int], name: str, request: Request, features: TextFeatures) -> Row:
    """Return a request without its text as a row for ``judged_table``.

    Args:
        position: The entry's position in its shard, the shard's position in its bundle, and the line.
        name: The format's name.
        request: The request without its messages and completion.
        features: The features of its text.
    """
    return (*position, name, *astuple(features), *astuple(request), *astuple(request.usage))


def judged_table(rows: Sequence[Row], judge: Judge, harder: Harder | None = None) -> pa.Table:
    """Judge the asks of the rows, each distinct one once, and return the rows as columns."""
    values = values_of(rows)
    values |= judgement_columns(values["ask"], values["judged"], values["abstention"], judge)
    if harder is not None:
        make_harder(values, values["template_hash"], harder)
    return pa.Table.from_arrays([column_of(name, values[name]) for name in COLUMNS], schema=ARROW_SCHEMA)


def values_of(rows: Sequence[Row]) -> dict[str, Sequence[Any]]:
    """Return the values of rows by column, but for what judging fills, and their asks."""
    values: dict[str, Sequence[Any]] = dict(zip(_FIELDS, zip(*rows, strict=True), strict=True))
    values["request_key"] = [None] * len(rows)  # which depends on the complete file
    values["time"] = values["time_us"]
    values["tags"] = joined_tags(values["tags"])
    return values


def in_order(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several tables in the order of their inputs and entries."""
    if len(tables) == 1:
        return tables[0]
    whole = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    order = np.lexsort((whole["entry"].to_numpy(), whole["input"].to_numpy()))
    columns = [_encoded(column.chunk(0)) for column in whole.take(order).combine_chunks().columns]
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def _encoded(column: pa.Array) -> pa.Array:
    """Return a column with the words of its dictionary in the order in which rows have them."""
    if not pa.types.is_dictionary(column.type):
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), column.type)
    return column.dictionary_decode().dictionary_encode()


def judgement_columns(
    asks: Sequence[str], judged: Sequence[str], abstention: Sequence[str | None], judge: Judge
) -> dict[str, Sequence[Any]]:
    """Return the columns that judging fills; the classifier may abstain where the selection of text did not."""
    index_of: dict[str, int] = {}
    indices = [index_of.setdefault(ask, len(index_of)) if ask else -1 for ask in asks]
    return judgement_of(list(index_of), indices, judged, abstention, judge)


def judgement_of(
    distinct: Sequence[str],
    indices: Sequence[int],
    judged: Sequence[str],
    abstention: Sequence[str | None],
    judge: Judge,
) -> dict[str, Sequence[Any]]:
    """Return the same of rows by the places of their asks among distinct ones; -1 for none."""
    judgement = judge(distinct)
    # An abstained text has no difficulty, which the classifier marks by NaN.
    difficulty = [None if value != value else value for value in judgement.difficulty.tolist()]  # noqa: PLR0124
    category = [_CATEGORIES[code] for code in judgement.category.tolist()]
    abstained = [_REASONS[code - 1] if code else None for code in judgement.abstention.tolist()]
    stakes = [_STAKES[code] for code in judgement.stakes.tolist()]
    for column in (difficulty, category, abstained, stakes):
        column.append(None)  # index -1: not judged
    reason = [own or abstained[index] for own, index in zip(abstention, indices, strict=True)]
    return {
        "difficulty": [difficulty[index] for index in indices],
        "category": [None if no else category[index] for index, no in zip(indices, reason, strict=True)],
        "language": [(judgement.language[index] if index >= 0 else None) for index in indices],
        "stakes": [stakes[index] for index in indices],
        "abstention": reason,
        "judged": [_ABSTAINED if no else own for own, no in zip(judged, reason, strict=True)],
    }


def make_harder(values: dict[str, Any], templates: Sequence[int | None], harder: Harder) -> None:
    """Add to difficulties what a calibration says of categories and templates."""
    added = harder(values["category"], templates)
    values["difficulty"] = [
        None if level is None else level + more for level, more in zip(values["difficulty"], added, strict=True)
    ]


def joined_tags(tags: Sequence[tuple[str, ...]]) -> list[str | None]:
    """Return the tags of each row as one text."""
    return [",".join(sorted(some)) or None if some else None for some in tags]


def column_of(name: str, values: Sequence[Any]) -> pa.Array:
    """Return values of a column; ids that are texts are hashed."""
    kind = COLUMNS[name]
    if values[0] is None and values.count(None) == len(values):
        return pa.nulls(len(values), ARROW_SCHEMA.field(name).type)
    if kind is ColumnType.NAME:
        return _names(values)
    if kind is ColumnType.NAMES or not isinstance(kind, ColumnType):
        return pa.array(values, pa.string()).dictionary_encode()
    if kind is ColumnType.ID and name not in _HASHED:
        values = [None if value is None else hash64(value) for value in values]
    try:
        return pa.array(values, TYPES[kind])
    except (OverflowError, pa.ArrowInvalid):
        limit = 1 << TYPES[kind].bit_width - 1
        # A number that does not fit its column is a mistake in the log: unknown, and no reason to lose the batch.
        return pa.array(
            [None if value is None or not -limit <= value < limit else value for value in values], TYPES[kind]
        )


def _names(values: Sequence[str | None]) -> pa.Array:
    names = pa.array(values, pa.string()).dictionary_encode()
    ends = np.frombuffer(names.dictionary.buffers()[1], np.int32, len(names.dictionary) + 1)
    if np.diff(ends).max() <= MAX_NAME_CHARS:  # a text has at least as many bytes as characters
        return names
    return pa.array([name and name[:MAX_NAME_CHARS] for name in values], pa.string()).dictionary_encode()
