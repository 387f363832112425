"""Distinct keys of many rows: small integers for combinations of columns, by table look-ups instead of hashing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.int64]

_TABLE_SIZE = 1 << 22
"""Up to this many possible values, a table of them is cheaper than sorting the rows."""
_DENSE_ENOUGH = 1 << 10
"""Codes of a single column below this are used with their gaps."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Rows as numbers from 0 to below ``bound``, equal for equal values; not every number need occur."""

    codes: Codes
    bound: int


@dataclass(frozen=True, slots=True)
class Distinct(Coded):
    """Rows numbered by key: each number from 0 to below ``bound`` occurs."""

    def first(self) -> Codes:
        """The first row of each key."""
        rows = np.empty(self.bound, dtype=np.int64)
        rows[self.codes[::-1]] = np.arange(len(self.codes) - 1, -1, -1)  # of equal keys, the last written stays
        return rows


def distinct(columns: Sequence[pl.Series | Coded]) -> Distinct:
    """Number the distinct combinations of columns of equal length; null is a value like any other.

    Args:
        columns: Categorical, enum, text or integer columns, or codes made before.
    """
    coded = [column if isinstance(column, Coded) else _code(column) for column in columns]
    packed = Coded(np.zeros(len(coded[0].codes), dtype=np.int64), 1)
    for column in coded:
        packed = _pair(packed, column)
    return _number(packed)


def _pair(left: Coded, right: Coded) -> Coded:
    if left.bound == 1 or right.bound == 1:
        return right if left.bound == 1 else left
    if left.bound * right.bound > _TABLE_SIZE:
        left, right = _number(left), _number(right)
    return Coded(left.codes + right.codes * left.bound, left.bound * right.bound)


def _code(column: pl.Series) -> Coded:
    nulls = column.null_count()
    if nulls == len(column):
        return Coded(np.zeros(len(column), dtype=np.int64), 1)
    codes = column.rank("dense") if column.dtype == pl.String else column.to_physical()
    low, high = codes.to_frame("c").select(low=pl.col("c").min(), high=pl.col("c").max()).row(0)
    if low == high and not nulls:
        return Coded(np.zeros(len(column), dtype=np.int64), 1)
    shifted = (codes.cast(pl.Int64) - (low - 1)).fill_null(0) if nulls else codes.cast(pl.Int64) - low
    coded = Coded(shifted.to_numpy(), high - low + 2)
    return coded if coded.bound <= _DENSE_ENOUGH else _number(coded)


def _number(coded: Coded) -> Distinct:
    """Number the codes that occur, in ascending order."""
    if isinstance(coded, Distinct):
        return coded
    if coded.bound > _TABLE_SIZE:
        present, codes = np.unique(coded.codes, return_inverse=True)
        return Distinct(codes.astype(np.int64), len(present))
    seen = np.zeros(coded.bound, dtype=np.bool_)
    seen[coded.codes] = True
    size = int(np.count_nonzero(seen))
    return Distinct(coded.codes if size == coded.bound else (np.cumsum(seen) - 1)[coded.codes], size)
