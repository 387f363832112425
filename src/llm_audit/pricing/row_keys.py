"""DistinctKeys keys of many rows: small integers for combinations of columns, by table look-ups instead of hashing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.int64]

_TABLE_SIZE = 1 << 22
"""Up to this many possible values, a table of them is cheaper than sorting the rows."""
_DENSE_ENOUGH = 1 << 10
"""Codes of a single column below this are used with their gaps."""


class EncodedRows(msgspec.Struct, frozen=True):
    """Rows as integers from 0 to below ``bound``, equal for equal values; not every integer need occur."""

    codes: Codes
    bound: int


class DistinctKeys(EncodedRows, frozen=True):
    """Rows numbered by key; every integer from 0 to below ``bound`` occurs."""

    def first_rows(self) -> Codes:
        """Return the first row of each key."""
        rows = np.empty(self.bound, dtype=np.int64)
        rows[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)  # of equal keys, the last written stays
        return rows


def distinct_keys(columns: Sequence[pl.Series | EncodedRows]) -> DistinctKeys:
    """Number the distinct combinations of columns of equal length; null counts as a value.

    Args:
        columns: Categorical, enum, text, integer or hash columns, or rows that are already encoded.
    """
    coded = [column if isinstance(column, EncodedRows) else _code(column) for column in columns]
    packed = EncodedRows(np.zeros(len(coded[0].codes), dtype=np.int64), 1)
    for column in coded:
        packed = _pair(packed, column)
    return _renumber(packed)


def _pair(left: EncodedRows, right: EncodedRows) -> EncodedRows:
    if left.bound == 1 or right.bound == 1:
        return right if left.bound == 1 else left
    if left.bound * right.bound > _TABLE_SIZE:
        left, right = _renumber(left), _renumber(right)
    return EncodedRows(left.codes + right.codes * left.bound, left.bound * right.bound)


def _code(column: pl.Series) -> EncodedRows:
    nulls = column.null_count()
    if nulls == len(column):
        return EncodedRows(np.zeros(len(column), dtype=np.int64), 1)
    ranked = column.dtype in (pl.String, pl.UInt64)  # text, and hashes that may not fit in 64 bits with a sign
    codes = column.rank("dense") if ranked else column.to_physical()
    low, high = codes.min(), codes.max()
    assert isinstance(low, int)
    assert isinstance(high, int)
    if low == high and not nulls:
        return EncodedRows(np.zeros(len(column), dtype=np.int64), 1)
    known = codes.cast(pl.Int64)
    values = (known.fill_null(low - 1) if nulls else known).to_numpy()
    coded = EncodedRows(values - (low - 1 if nulls else low), high - low + 2)
    return coded if coded.bound <= _DENSE_ENOUGH else _renumber(coded)


def _renumber(coded: EncodedRows) -> DistinctKeys:
    """Number the codes that occur, in ascending order."""
    if isinstance(coded, DistinctKeys):
        return coded
    if coded.bound > _TABLE_SIZE:
        present, codes = np.unique(coded.codes, return_inverse=True)
        return DistinctKeys(codes.astype(np.int64), len(present))
    seen = np.zeros(coded.bound, dtype=np.bool_)
    seen[coded.codes] = True
    present = np.flatnonzero(seen)
    if len(present) == coded.bound:
        return DistinctKeys(coded.codes, coded.bound)
    number = np.empty(coded.bound, dtype=np.int64)  # of the codes that occur alone: a table may be far larger
    number[present] = np.arange(len(present))
    return DistinctKeys(number[coded.codes], len(present))
