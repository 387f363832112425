"""Distinct keys of many rows: small integers for combinations of columns, by table look-ups instead of hashing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.int64]

_TABLE_SIZE = 1 << 22
"""Up to this many possible values a table of them is cheaper than sorting the rows."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """Rows numbered by key: ``codes`` are from 0 to below ``size``, and each of these numbers occurs."""

    codes: Codes
    size: int

    def first(self) -> Codes:
        """The first row of each key."""
        rows = np.empty(self.size, dtype=np.int64)
        rows[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)  # of equal keys, the last written stays
        return rows


def distinct(columns: Sequence[pl.Series | Distinct]) -> Distinct:
    """Number the distinct combinations of columns of equal length; null is a value like any other.

    Args:
        columns: Categorical, enum, text or integer columns, or keys numbered before.
    """
    height = len(columns[0].codes if isinstance(columns[0], Distinct) else columns[0])
    packed, radix = np.zeros(height, dtype=np.int64), 1
    for column in columns:
        known = column if isinstance(column, Distinct) else _column(column)
        if known.size > 1:
            if radix * known.size > _TABLE_SIZE:
                merged = _number(packed, radix)
                packed, radix = merged.codes, merged.size
            packed = packed + known.codes * radix
            radix *= known.size
    return _number(packed, radix)


def _column(column: pl.Series) -> Distinct:
    if column.null_count() == len(column):
        return Distinct(np.zeros(len(column), dtype=np.int64), min(1, len(column)))
    codes = column.rank("dense") if column.dtype == pl.String else column.to_physical()
    low, high = codes.to_frame("c").select(low=pl.col("c").min(), high=pl.col("c").max()).row(0)
    shifted = codes.cast(pl.Int64) - (low - 1)
    return _number((shifted.fill_null(0) if shifted.null_count() else shifted).to_numpy(), high - low + 2)


def _number(values: Codes, bound: int) -> Distinct:
    """Number the values, which are from 0 to below ``bound``, in ascending order."""
    if bound > _TABLE_SIZE:
        present, codes = np.unique(values, return_inverse=True)
        return Distinct(codes.astype(np.int64), len(present))
    seen = np.zeros(bound, dtype=np.bool_)
    seen[values] = True
    size = int(np.count_nonzero(seen))
    return Distinct(values if size == bound else (np.cumsum(seen) - 1)[values], size)
