"""Addition of what parts of a log sum up to: the result depends on neither their number nor their order."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, TypeVar

import msgspec
import numpy as np

from llm_audit.arrays import Floats

T = TypeVar("T")


def add_all(parts: Iterable[T]) -> T:
    """Return the sum of at least one part: see ``add``."""
    return reduce(add, parts)


def add(one: T, other: T) -> T:
    """Add two parts of a kind.

    Whole numbers are added, flags and sets united, mappings and structs added item by item; None is nothing. Sums
    of floating-point numbers would depend on their order, and are refused.
    """
    added: T = _added(one, other)
    return added


def _added(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, bool | frozenset):
        return one | other
    if isinstance(one, int):
        return one + other
    if isinstance(one, dict):
        return one | {key: _added(one.get(key), value) for key, value in other.items()}
    if isinstance(one, msgspec.Struct):
        return type(one)(**{name: _added(getattr(one, name), getattr(other, name)) for name in one.__struct_fields__})
    raise TypeError(f"{type(one).__name__} does not add up in any order")


NANO = 10**9


def nano(values: Floats) -> int:
    """Return the sum of numbers in whole billionths, each rounded by itself, so that no order matters."""
    return int(np.rint(values * NANO).astype(np.int64).sum())
