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
    Places,
    Row,
    column_of,
    cut,
    joined_tags,
    judged_columns,
    own_codes,
    places_of,
    values_of,
)
from llm_audit.engines.row_reader import RowBatch
from llm_audit.ledger.arrow import ARROW_SCHEMA, array_of, column_of_bits, narrowed, numpy_of, words_of
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

_SCORED = {"judged": (_SAME["judged"],), "abstention": (None,)}


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
    entries, inputs = (np.append(batch.numbers(name), np.array(own[name], np.uint64)) for name in ("entry", "input"))
    order = np.lexsort((entries, inputs)) if between else None
    found = {name: _numbers(batch, name, own[name], order) for name in _NUMBERS}
    for name, (codes, words) in _words(batch).items():
        places = np.append(codes, len(words) + np.arange(len(own[name])))
        found[name] = words_of(_in_order(places, order), cut(name, [*words, *own[name]]))
    asks, places = batch.asks()
    places = _in_order(np.append(places, places_of(own["ask"], asks)), order)
    judged, reasons = (
        _in_order(np.append(np.repeat(same, batch.rows), more), order)
        for same, more in zip(own_codes(_SCORED), own_codes(own), strict=True)
    )
    templates = found["template_hash"].to_pylist() if harder is not None else ()
    found |= judged_columns(judge(asks), places, (judged, reasons), templates, harder)
    size = batch.rows + len(between)
    for name in COLUMNS.keys() - found:
        if order is not None and any(value != _SAME[name] for value in own[name]):
            values = [*[_SAME[name]] * batch.rows, *own[name]]
            found[name] = column_of(name, [values[place] for place in order.tolist()])
        else:
            found[name] = _repeated(name, size)
    return pa.Table.from_arrays([found[name] for name in COLUMNS], schema=ARROW_SCHEMA)


def _words(batch: RowBatch) -> dict[str, tuple[Places, list[Any]]]:
    """Return the columns of words that differ from row to row, as places among their words."""
    statuses, outcomes = batch.places("status")
    places, metadata = batch.places("metadata")
    found: dict[str, tuple[Places, list[Any]]] = {
        "format": (np.zeros(batch.rows, np.int64), [batch.format]),
        "model": batch.places("model"),
        "status": (statuses, [word for word, _ in outcomes]),
        "environment": (places, [one.environment for one in metadata]),
        "tags": (places, joined_tags([one.tags for one in metadata])),
    }
    for name in ("team", "app", "user"):
        of_column, names = batch.places(name)
        is_named = np.array([*map(bool, names), False])[of_column]
        of_metadata = np.where(places < 0, places, places + len(names))
        found[name] = np.where(is_named, of_column, of_metadata), [*names, *(getattr(one, name) for one in metadata)]
    return found


def _in_order(values: npt.NDArray[Any], order: Places | None) -> npt.NDArray[Any]:
    return values if order is None else values[order]


def _numbers(batch: RowBatch, name: str, more: Sequence[Any], order: Places | None) -> pa.Array:
    """Return a column of numbers that compiled code has read, with those of the rows between."""
    bits, known, kind = batch.numbers(name), batch.known(name), ARROW_SCHEMA.field(name).type
    if order is None:
        return column_of_bits(bits, known, kind)
    own, own_known = numpy_of(column_of(name, more))
    values, known = np.append(narrowed(bits, kind), own)[order], np.append(known, own_known)[order]
    return array_of(values, kind, known) if known.any() else pa.nulls(len(values), kind)


def _repeated(name: str, size: int) -> pa.Array:
    """Return a column of one value."""
    kind, value = ARROW_SCHEMA.field(name).type, _SAME[name]
    if value is None:
        return pa.nulls(size, kind)
    if pa.types.is_dictionary(kind):
        places = array_of(np.zeros(size, np.int32), pa.int32())
        return pa.DictionaryArray.from_arrays(places, pa.array([value], pa.string()))
    return pa.repeat(pa.scalar(value, kind), size)
