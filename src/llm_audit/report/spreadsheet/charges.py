"""Charges by day, model, owner and token type: the rows of FOCUS files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import polars as pl

from llm_audit.ledger.columns import TOKEN_TYPES
from llm_audit.vocabulary import COVERED

_KEYS = (
    "provider", "model", "model_id", "developer", "family", "service_tier", "region", "team", "app", "environment",
    "price_id", "billing_basis",
)  # fmt: skip
_KINDS = (*TOKEN_TYPES, "per_call")


class Charge(msgspec.Struct, kw_only=True, frozen=True):
    """One token type, or the charges per call, of a day's requests with the same model, owner and price row.

    Costs are exact, in pico-dollars. ``list_cost`` is at published prices, ``cost`` with the user's price files; they
    are equal where no price file applies, or where nobody publishes a price.
    """

    day: date
    keys: dict[str, str | None]
    kind: str  # a token type, or "per_call"
    quantity: int
    cost: int
    list_cost: int
    policy_cost: int | None  # None where it is unknown
    requests: int


def charges(requests: pl.DataFrame, *, undated: date) -> Iterator[Charge]:
    """Yield the charges of the priced requests, by day and keys. A request without a time counts towards ``undated``.

    The policy's cost of a group is divided among its charges by cost, exactly.
    """
    for group in _groups(requests, undated):
        used = [kind for kind in _KINDS if group[f"cost_{kind}_pico"] or group.get(f"{kind}_tokens")]
        spread = 0
        for index, kind in enumerate(used):
            cost, total = group[f"cost_{kind}_pico"], group["cost_pico"]
            last = index == len(used) - 1
            policy = group["expected_pico"] - spread if last else group["expected_pico"] * cost // total if total else 0
            spread += policy
            yield Charge(
                day=group["day"],
                keys={key: group[key] for key in _KEYS},
                kind=kind,
                quantity=group["tool_calls_billed"] if kind == "per_call" else group[f"{kind}_tokens"],
                cost=cost,
                list_cost=group[f"list_{kind}_pico"],
                policy_cost=policy if group["judged"] else None,
                requests=group["requests"],
            )


def _groups(requests: pl.DataFrame, undated: date) -> Iterator[dict[str, Any]]:
    """Sum the priced requests by day and keys."""
    frame = requests.filter(pl.col("cost_pico").is_not_null())
    keys = [
        (pl.col(key) if key in frame.columns else pl.lit(None)).cast(pl.String).alias(key)  # saved by an older version
        for key in _KEYS
    ]
    sums = [pl.col(f"cost_{kind}_pico").cast(pl.Int128).sum() for kind in _KINDS]
    listed = [_list_cost(kind, frame).cast(pl.Int128).sum().alias(f"list_{kind}_pico") for kind in _KINDS]
    return (
        frame.with_columns(*keys, day=pl.col("time").dt.date().fill_null(undated))
        .group_by("day", *_KEYS)
        .agg(
            *sums,
            *listed,
            *(pl.col(f"{kind}_tokens").sum() for kind in TOKEN_TYPES),
            pl.col("tool_calls_billed").sum(),
            pl.col("cost_pico").cast(pl.Int128).sum(),
            pl.col("expected_pico").cast(pl.Int128).sum(),
            judged=knows_tax(),
            requests=pl.len(),
        )
        .sort("day", *_KEYS, nulls_last=True)
        .iter_rows(named=True)
    )


def knows_tax() -> pl.Expr:
    """Return whether the policy's cost of a group of requests is known: see ``rollups.judged``."""
    priced = pl.col("cost_pico").is_not_null()
    covered = pl.col("outcome").cast(pl.String).is_in(COVERED)
    routed = covered | (pl.col("expected_pico") != pl.col("cost_pico"))
    return priced.any() & (routed.filter(priced).any() | pl.col("certain").filter(priced).all())


def _list_cost(kind: str, frame: pl.DataFrame) -> pl.Expr:
    """Return the cost at published prices; where there is none, the cost."""
    cost, listed = pl.col(f"cost_{kind}_pico"), f"list_cost_{kind}_pico"
    return pl.coalesce(listed, cost) if listed in frame.columns else cost
