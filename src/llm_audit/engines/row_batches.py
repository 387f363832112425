"""Convert a batch of requests to Arrow columns of the ledger, and judge them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import asdict, astuple

from llm_audit.classify.model import Judgement
from llm_audit.engines.hashing import hash64
from llm_audit.engines.row_reader import COLUMNS as COMPILED_COLUMNS
from llm_audit.engines.row_reader import RowBatch
from llm_audit.engines.text_features import TextFeatures
from llm_audit.ledger.arrow import ARROW_SCHEMA, TYPES
from llm_audit.ledger.columns import COLUMNS, ColumnType
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Abstention, Category, Judged, Stakes, Step, UsageSource

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
_NUMBERS = tuple(
    name for name in COMPILED_COLUMNS if name in COLUMNS and name not in {"model", "status", "team", "app", "user"}
)
_NO_TEXT = dict.fromkeys(TextFeatures.__struct_fields__)
_PLAIN = {
    **_NO_TEXT, "needs_vision": False, "needs_audio": False, "needs_tools": False, "answers_tools": False,
    "judged": Judged.SCORED.value, "step": Step.ASK.value,
}  # fmt: skip
_PLAIN_ROW = {
    **dict.fromkeys(COLUMNS),
    **asdict(Request(model="")),
    **asdict(Usage(usage_source=UsageSource.REPORTED.value)),
    **_PLAIN,
}
"""The values of a request that compiled code has read, but for those that it reads."""


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
    values: dict[str, Sequence[Any]] = dict(zip(_FIELDS, zip(*rows, strict=True), strict=True))
    values["request_key"] = [None] * len(rows)  # which depends on the complete file
    values["time"] = values["time_us"]
    values["tags"] = _joined(values["tags"])
    values |= judgement_columns(values["ask"], values["judged"], values["abstention"], judge)
    if harder is not None:
        _make_harder(values, values["template_hash"], harder)
    return _table(values)


def compiled_table(batch: RowBatch, judge: Judge, harder: Harder | None = None) -> pa.Table:
    """Judge the asks of rows that compiled code has read, each distinct one once, and return the rows as columns."""
    count = batch.rows
    values: dict[str, Any] = {name: [value] * count for name, value in _PLAIN_ROW.items()}
    values |= {name: _numbers(batch, name) for name in _NUMBERS}
    values["format"] = [batch.format] * count
    values["model"] = batch.values("model")
    values["status"] = [word for word, _ in batch.values("status")]
    of = batch.values("metadata")
    for name in ("team", "app", "user"):
        own = batch.values(name)
        values[name] = [mine or (other and getattr(other, name)) for mine, other in zip(own, of, strict=True)]
    values["environment"] = [other and other.environment for other in of]
    values["tags"] = _joined([other.tags if other else () for other in of])
    asks, places = batch.asks()
    values |= _judgement(asks, places, values["judged"], values["abstention"], judge)
    if harder is not None:
        _make_harder(values, values["template_hash"].to_pylist(), harder)
    return _table(values)


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
    return _judgement(list(index_of), indices, judged, abstention, judge)


def _judgement(
    distinct: Sequence[str],
    indices: Sequence[int],
    judged: Sequence[str],
    abstention: Sequence[str | None],
    judge: Judge,
) -> dict[str, Sequence[Any]]:
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


def _make_harder(values: dict[str, Any], templates: Sequence[int | None], harder: Harder) -> None:
    added = harder(values["category"], templates)
    values["difficulty"] = [
        None if level is None else level + more for level, more in zip(values["difficulty"], added, strict=True)
    ]


def _joined(tags: Sequence[tuple[str, ...]]) -> list[str | None]:
    return [",".join(sorted(some)) or None if some else None for some in tags]


def _table(values: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_arrays([_column(name, values[name]) for name in COLUMNS], schema=ARROW_SCHEMA)


def _numbers(batch: RowBatch, name: str) -> pa.Array:
    """Return a column of numbers that compiled code has read."""
    bits, known, kind = batch.numbers(name), batch.known(name), ARROW_SCHEMA.field(name).type
    if not known.any():
        return pa.nulls(len(bits), kind)
    if pa.types.is_timestamp(kind):
        return pa.array(bits.view("M8[us]"), kind, mask=~known)
    width = bits.view(np.float64 if pa.types.is_floating(kind) else np.int64)
    values = bits if pa.types.is_uint64(kind) else width.astype(kind.to_pandas_dtype(), copy=False)
    return pa.array(values, kind, mask=~known)


def _column(name: str, values: Sequence[Any] | pa.Array) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
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
