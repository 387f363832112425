"""Convert rows that compiled code has read, and those that it left to Python between them, to columns of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import asdict

from llm_audit.engines import row_reader
from llm_audit.engines.features.text import TextFeatures
from llm_audit.engines.row_batches import (
    Harder,
    Judge,
    Row,
    column_of,
    joined_tags,
    judgement_of,
    make_harder,
    values_of,
)
from llm_audit.engines.row_reader import RowBatch
from llm_audit.ledger.arrow import ARROW_SCHEMA, array_of
from llm_audit.ledger.columns import COLUMNS
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Judged, Step, UsageSource

_WORDS = frozenset({"model", "status", "team", "app", "user"})
_NUMBERS = tuple(name for name in row_reader.COLUMNS if name in COLUMNS and name not in _WORDS)
_SAME: dict[str, Any] = {
    **dict.fromkeys((*COLUMNS, *TextFeatures.__struct_fields__)),
    **asdict(Request(model="")),
    **asdict(Usage(usage_source=UsageSource.REPORTED.value)),
    **dict.fromkeys(("needs_vision", "needs_audio", "needs_tools", "answers_tools"), False),
    "judged": Judged.SCORED.value,
    "step": Step.ASK.value,
}
"""The values that all requests have which compiled code reads, where it does not read them."""

Order = npt.NDArray[np.int64]


def compiled_table(
    batch: RowBatch, judge: Judge, harder: Harder | None = None, *, between: Sequence[Row] = ()
) -> pa.Table:
    """Judge the asks of rows, each distinct one once, and return the rows as columns, in order.

    Args:
        batch: The rows that compiled code has read.
        judge: Judges a batch of texts.
        harder: What a calibration adds to difficulties.
        between: Rows that it left to Python.
    """
    own = values_of(between) if between else dict.fromkeys((*COLUMNS, "ask"), ())
    entries, inputs = ([*batch.numbers(name).tolist(), *own[name]] for name in ("entry", "input"))
    order = np.lexsort((entries, inputs)) if between else None
    values: dict[str, Sequence[Any]] = {
        name: _in_order([*some, *own[name]], order) for name, some in _words(batch).items()
    }
    size = batch.rows + len(between)
    for name in ("judged", "abstention", "step"):
        values[name] = _in_order([*[_SAME[name]] * batch.rows, *own[name]], order)
    values |= _judgement(batch, own["ask"], order, values, judge)
    numbers = {name: _numbers(batch, name, own[name], order) for name in _NUMBERS}
    if harder is not None:
        make_harder(values, numbers["template_hash"].to_pylist(), harder)
    columns = []
    for name in COLUMNS:
        if name in numbers:
            columns.append(numbers[name])
        elif name in values:
            columns.append(column_of(name, values[name]))
        elif any(value != _SAME[name] for value in own[name]):
            columns.append(column_of(name, _in_order([*[_SAME[name]] * batch.rows, *own[name]], order)))
        else:
            columns.append(_repeated(name, size))
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def _words(batch: RowBatch) -> dict[str, list[Any]]:
    """Return the values of the columns of words that differ from row to row."""
    values = {"format": [batch.format] * batch.rows, "model": batch.values("model")}
    values["status"] = [word for word, _ in batch.values("status")]
    metadata = batch.values("metadata")
    for name in ("team", "app", "user"):
        of_column = batch.values(name)
        values[name] = [one or (found and getattr(found, name)) for one, found in zip(of_column, metadata, strict=True)]
    values["environment"] = [found and found.environment for found in metadata]
    values["tags"] = joined_tags([found.tags if found else () for found in metadata])
    return values


def _judgement(
    batch: RowBatch, more: Sequence[str], order: Order | None, values: dict[str, Sequence[Any]], judge: Judge
) -> dict[str, Sequence[Any]]:
    asks, places = batch.asks()
    index_of = {ask: place for place, ask in enumerate(asks)} if more else {}
    places += [index_of.setdefault(ask, len(index_of)) if ask else -1 for ask in more]
    indices = _in_order(places, order)
    return judgement_of(list(index_of) if more else asks, indices, values["judged"], values["abstention"], judge)


def _in_order(values: list[Any], order: Order | None) -> list[Any]:
    return values if order is None else [values[place] for place in order.tolist()]


def _numbers(batch: RowBatch, name: str, more: Sequence[Any], order: Order | None) -> pa.Array:
    """Return a column of numbers that compiled code has read, with those of the rows between."""
    bits, known, kind = batch.numbers(name), batch.known(name), ARROW_SCHEMA.field(name).type
    if pa.types.is_boolean(kind):
        values: npt.NDArray[Any] = bits.astype(np.bool_)
    else:
        values = bits.copy() if kind.bit_width == bits.itemsize * 8 else bits.astype(np.uint32)
    found = array_of(values, kind, known) if known.any() else pa.nulls(len(bits), kind)
    if order is None:
        return found
    return pa.concat_arrays([found, column_of(name, more)]).take(array_of(order, pa.int64()))


def _repeated(name: str, size: int) -> pa.Array:
    """Return a column of one value."""
    kind, value = ARROW_SCHEMA.field(name).type, _SAME[name]
    if value is None:
        return pa.nulls(size, kind)
    if pa.types.is_dictionary(kind):
        places = array_of(np.zeros(size, np.int32), pa.int32())
        return pa.DictionaryArray.from_arrays(places, pa.array([value], pa.string()))
    return pa.repeat(pa.scalar(value, kind), size)
