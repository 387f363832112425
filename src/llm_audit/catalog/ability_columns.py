"""The catalogue's ability columns, by category."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import polars as pl

from llm_audit.vocabulary import Category

CATEGORIES: tuple[str, ...] = tuple(category.value for category in Category)
ABILITY_COLUMNS: tuple[str, ...] = tuple(f"ability_{category}" for category in CATEGORIES)
SD_COLUMNS: tuple[str, ...] = tuple(f"{column}_sd" for column in ABILITY_COLUMNS)
MEASURED_COLUMNS: tuple[str, ...] = tuple(f"measured_{category}" for category in CATEGORIES)


def mean(columns: Sequence[str]) -> pl.Expr:
    """Return the mean of a model's columns, added in their order.

    ``pl.mean_horizontal`` adds in an order that depends on the number of threads, and so do its last digits.
    """
    return reduce(add, map(pl.col, columns)) / len(columns)
