"""The figures that gates can hold, each with the standard error of its cluster sampling.

A ratio R = Σy / Σx over clusters c has the linearised variance Σ (y_c - R·x_c)² / (Σx)², and a total Σy the variance
Σ y_c² of a Poisson number of clusters (Cochran, "Sampling Techniques", 3rd ed., 6.3 and 9.2). Both need one pass and
depend on no order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from llm_audit.audit.document import Metric
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import PICO_PER_USD

TIERS = ("small", "mid", "frontier", "unknown")
GROUPS = ("team", "app")
LARGEST = 20
"""Models, teams and apps with metrics of their own, by requests; a gate on a smaller one is not evaluated."""

_INPUT_TYPES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input")
_RATIOS = (
    ("cost_per_request", "USD", "cost", "priced"),
    ("tokens_per_request", "count", "tokens", "requests"),
    ("flagship_tax", "share", "tax", "cost"),
    ("cache_read_share", "share", "cache_read", "input_side"),
    ("failed_share", "share", "failed", "requests"),
    ("abstained_share", "share", "abstained", "requests"),
    ("unpriced_share", "share", "unpriced", "requests"),
)


def metrics(frame: pl.DataFrame) -> list[Metric]:
    """Metrics over all requests, by tier and model, and by the largest teams and apps.

    Args:
        frame: Routed requests: the ledger's columns with ``cluster``, ``tier``, ``model_label``, ``cost_pico`` and
            ``expected_pico``.
    """
    models = _largest(frame, "model_label")
    sums = _sums(frame, ["cluster"], models=models)
    found = list(_metrics(sums, selector=""))
    found += [_ratio(sums, f"model_share[{tier}]", "share", f"tier {tier}", "requests") for tier in TIERS]
    found += [_ratio(sums, f"cost_share[{tier}]", "share", f"cost of {tier}", "cost") for tier in TIERS]
    found += [_ratio(sums, f"model_share[{model}]", "share", f"model {model}", "requests") for model in models]
    for group in GROUPS:
        by_group = _sums(frame, [group, "cluster"], models=[])
        for name in _largest(frame, group):
            of_group = by_group.filter(pl.col(group).cast(pl.String) == name)
            found += _metrics(of_group, selector=f"[{group}={name}]")
    return found


def _largest(frame: pl.DataFrame, column: str) -> list[str]:
    counts = frame.select(pl.col(column).cast(pl.String)).drop_nulls().group_by(column).len()
    names: list[str] = counts.sort(["len", column], descending=[True, False])[column].head(LARGEST).to_list()
    return names


def _sums(frame: pl.DataFrame, keys: list[str], *, models: list[str]) -> pl.DataFrame:
    cost = pl.col("cost_pico").cast(pl.Float64).fill_null(0) / PICO_PER_USD
    columns = {
        "requests": pl.lit(1.0),
        "cost": cost,
        "tax": (pl.col("cost_pico") - pl.col("expected_pico")).cast(pl.Float64).fill_null(0) / PICO_PER_USD,
        "priced": pl.col("cost_pico").is_not_null(),
        "unpriced": pl.col("cost_pico").is_null(),
        "tokens": _tokens(TOKEN_TYPES),
        "cache_read": _tokens(("cache_read",)),
        "input_side": _tokens(_INPUT_TYPES),
        "failed": pl.col("status").cast(pl.String) == "error",
        "abstained": pl.col("judged").cast(pl.String) == "abstained",
    }
    for tier in TIERS:
        of_tier = (pl.col("tier").cast(pl.String) == tier).cast(pl.Float64)
        columns |= {f"tier {tier}": of_tier, f"cost of {tier}": of_tier * cost}
    columns |= {f"model {model}": pl.col("model_label").cast(pl.String) == model for model in models}
    named = [column.cast(pl.Float64).fill_null(0).alias(name) for name, column in columns.items()]
    return frame.select(*keys, *named).group_by(keys).agg(pl.col(list(columns)).sum())


def _tokens(kinds: tuple[str, ...]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(f"{kind}_tokens").cast(pl.Float64).fill_null(0) for kind in kinds)


def _metrics(sums: pl.DataFrame, *, selector: str) -> Iterator[Metric]:
    yield _total(sums, f"total_cost{selector}", "cost")
    yield _total(sums, f"flagship_tax_amount{selector}", "tax")
    for name, unit, above, below in _RATIOS:
        yield _ratio(sums, f"{name}{selector}", unit, above, below)


def _total(sums: pl.DataFrame, name: str, column: str) -> Metric:
    # fsum makes the figure the same whatever the order of the clusters.
    values = sums[column].to_numpy()
    return _metric(sums, name, "USD", (math.fsum(values), math.sqrt(math.fsum(values * values))))


def _ratio(sums: pl.DataFrame, name: str, unit: str, above: str, below: str) -> Metric:
    over, under = sums[above].to_list(), sums[below].to_list()
    whole = math.fsum(under)
    if whole <= 0:
        return _metric(sums, name, unit, (0.0, None))
    ratio = math.fsum(over) / whole
    residuals = sums[above].to_numpy() - ratio * sums[below].to_numpy()
    variance = math.fsum((residuals * residuals).tolist())
    return _metric(sums, name, unit, (ratio, math.sqrt(variance) / whole))


def _metric(sums: pl.DataFrame, name: str, unit: str, estimate: tuple[float, float | None]) -> Metric:
    value, stderr = estimate
    return Metric(
        name=name,
        unit=unit,
        value=_significant(value),
        stderr=None if stderr is None else _significant(stderr),
        requests=int(sums["requests"].sum()),
        clusters=sums.height,
    )


def _significant(value: float) -> float:
    """Nine significant digits: more than any gate needs, fewer than the last bits that a sum's order could touch."""
    return float(f"{value:.9g}")
