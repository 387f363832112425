"""The cause of a departure: a difference between days and their usual spend, split into parts that add up exactly.

Within each team's app, cost is taken from usual to actual through the number of requests, the mix of models, the tokens
a request takes and the cost of a token (rates, and how tokens split between types), so nothing is left over: the
sequential variance of management accounting, as in ``compare.variance``. An app that is new enters as requests, a new
model as mix.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec
import polars as pl

from llm_audit.document.rhythm import CauseOwner, CausePart
from llm_audit.money import usd

PARTS = ("requests", "model_mix", "tokens_per_request", "price")
_OWNER = ("team", "app")
_OWNERS = 3
_LEAST_SHARE = 20  # an owner that is named has at least a twentieth of the difference
_SUMS = ("priced", "tokens", "cost_pico")
Key = tuple[str | None, str | None, str]


class Use(msgspec.Struct, kw_only=True, frozen=True):
    """Requests, tokens and pico-dollars of one model in one app, on usual days (0) and on the days in question (1)."""

    n0: Fraction
    t0: Fraction
    c0: Fraction
    n1: Fraction
    t1: Fraction
    c1: Fraction


class Cause(msgspec.Struct, kw_only=True, frozen=True):
    """A difference in pico-dollars, and what makes it up."""

    cost_pico: int
    difference_pico: int
    parts: list[CausePart]
    owners: list[CauseOwner]


def daily_use(sums: pl.DataFrame) -> pl.DataFrame:
    """Sum priced requests by date, team, app and model; see ``rollups`` for the sums by day."""
    return (
        sums.filter(pl.col("date").is_not_null() & (pl.col("priced") > 0))
        .with_columns(label=pl.coalesce("model_id", "model", pl.lit("unknown")))
        .group_by("date", *_OWNER, "label")
        .agg(pl.col(name).sum() for name in _SUMS)
        .sort("date", *_OWNER, "label", nulls_last=True)
    )


def cause(use: pl.DataFrame, days: Sequence[dt.date], usual: Mapping[dt.date, Fraction]) -> Cause:
    """Explain the difference between days and usual ones.

    Args:
        use: Of ``daily_use``.
        days: The days in question.
        usual: Usual days with their weights, which add up to the number of days in question.
    """
    found = _uses(use, days, usual)
    parts = dict.fromkeys(PARTS, Fraction(0))
    apps: dict[tuple[str | None, str | None], list[Use]] = {}
    for (team, app, _), one in found.items():
        apps.setdefault((team, app), []).append(one)
    for models in apps.values():
        _add_parts(parts, models)
    cost = sum((one.c1 for one in found.values()), Fraction(0))
    difference = round(cost - sum((one.c0 for one in found.values()), Fraction(0)))
    return Cause(
        cost_pico=int(cost),
        difference_pico=difference,
        parts=[CausePart(name=name, amount=usd(amount)) for name, amount in _whole(parts, difference).items()],
        owners=_owners(found, difference),
    )


def _uses(use: pl.DataFrame, days: Sequence[dt.date], usual: Mapping[dt.date, Fraction]) -> dict[Key, Use]:
    sums: dict[Key, list[Fraction]] = {}
    wanted = set(days)
    for date, team, app, label, *amounts in use.filter(pl.col("date").is_in([*wanted, *usual])).iter_rows():
        mine = sums.setdefault((team, app, label), [Fraction(0)] * 6)
        for index, amount in enumerate(amounts):
            mine[index] += int(amount) * usual.get(date, Fraction(0))
            mine[index + 3] += int(amount) if date in wanted else 0
    return {key: Use(n0=n0, t0=t0, c0=c0, n1=n1, t1=t1, c1=c1) for key, (n0, t0, c0, n1, t1, c1) in sums.items()}


def _add_parts(parts: dict[str, Fraction], models: Sequence[Use]) -> None:
    """Add the parts of one team's app."""
    before, after = sum(one.n0 for one in models), sum(one.n1 for one in models)
    usual = sum((one.c0 for one in models), Fraction(0))
    if not before:
        parts["requests"] += sum((one.c1 for one in models), Fraction(0))
        return
    growth = Fraction(after, before)
    parts["requests"] += usual * (growth - 1)
    for one in models:
        if not one.n0:
            parts["model_mix"] += one.c1
            continue
        kept = one.c0 * one.n1 / one.n0  # what these requests would usually have cost
        parts["model_mix"] += kept - one.c0 * growth
        tokens = (one.t1 - one.t0 * one.n1 / one.n0) * one.c0 / one.t0 if one.t0 else Fraction(0)
        parts["tokens_per_request"] += tokens
        parts["price"] += one.c1 - kept - tokens


def _whole(parts: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """Round parts so that they add up to their total; the largest takes what rounding leaves."""
    whole = {name: round(amount) for name, amount in parts.items()}
    largest = max(whole, key=lambda name: abs(whole[name]))
    whole[largest] += total - sum(whole.values())
    return whole


def _owners(found: Mapping[Key, Use], total: int) -> list[CauseOwner]:
    """Return what moved most in the direction of the difference, and the sum of the others."""
    sign = -1 if total < 0 else 1
    moved = {key: round(one.c1 - one.c0) for key, one in found.items()}
    ranked = sorted(moved, key=lambda key: (-sign * moved[key], *(name or "" for name in key)))
    most = [key for key in ranked if sign * moved[key] * _LEAST_SHARE > sign * total > 0][:_OWNERS]
    owners = [
        CauseOwner(team=team, app=app, model=model, amount=usd(moved[team, app, model])) for team, app, model in most
    ]
    rest = total - sum(moved[key] for key in most)
    return [*owners, CauseOwner(team=None, app=None, model=None, amount=usd(rest))] if rest else owners
