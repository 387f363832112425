"""Cells of tables: shares, means, amounts and names."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from llm_audit.audit.aggregate.rollups import NANO, judged
from llm_audit.money import usd

UNNAMED = "(none)"
"""Group of requests that name no team, app or the like."""

STATED = ("stated_requests", "stated_cost_pico")
SPENT = ("requests", "priced", "tokens", "cost_pico")


def share(part: int, whole: int) -> float | None:
    """Return a fraction to six decimals; None where the whole is nothing."""
    return round(part / whole, 6) if whole else None


def mean(nano: int, count: int) -> float | None:
    """Return the mean of summed integers of 10^-9, to six decimals."""
    return round(nano / count / NANO, 6) if count else None


def known(row: Mapping[str, int], column: str) -> str | None:
    """Return the amount of a row of sums; None where none of its requests has a price."""
    return usd(row[column]) if row["priced"] else None


def routed(row: Mapping[str, int], column: str) -> str | None:
    """Return an amount of the policy, of a row of sums; None where it is unknown, see ``judged``."""
    return usd(row[column]) if judged(row) else None


def template_name(column: pl.Expr) -> pl.Expr:
    """Return a template's short name: the first eight hexadecimal digits of its hash."""
    digits = [((column // 16 ** (15 - place)) % 16).cast(pl.UInt8) for place in range(8)]
    letters = [digit.replace_strict(dict(enumerate("0123456789abcdef")), return_dtype=pl.String) for digit in digits]
    return pl.concat_str(pl.lit("template "), *letters)
