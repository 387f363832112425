"""Estimate the abilities of unmeasured models from family, size, price and date.

A ridge regression over the measured chat models of the catalogue: a category's ability on the logarithm of the output
price, the release date, the logarithm of the parameters that a name states, whether the model reasons, and whether
each of these is known; then the mean residual of its family, shrunk towards zero. The standard deviation is
that of leave-one-out errors, widened, since unmeasured models differ from measured ones.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, SD_COLUMNS

Array = npt.NDArray[np.float64]
ESTIMATED: Final = "prior: from its family, size, price and date"
"""The ``ability_source`` of an estimate."""
PENALTY: Final = 0.5
NOISE_VARIANCE: Final = 0.25
"""Residual variance, in squared logits, added to a measured ability's own variance."""
FAMILY_PRIOR: Final = 3.0
"""Number of pseudo-observations at zero that shrink a family's effect."""
OUTSIDE_SD: Final = 0.5
"""Standard deviation, in logits, of the difference between unmeasured and measured models."""
_DIGITS: Final = 3
_KNOWN_FACTS: Final = 3
_PARAMETERS: Final = r"(?:^|[- ])(\d+(?:\.\d+)?)b(?:$|[- ])"


def with_estimates(frame: pl.DataFrame) -> pl.DataFrame:
    """Estimate the abilities of chat models that have none, where the release date and the price or size are known.

    Without a date nothing is estimated: abilities rise by some half a logit a year, and a new flagship mistaken for an
    old one would make any small model seem sufficient.

    Args:
        frame: Catalogue rows with abilities; see ``known_abilities.with_abilities``.
    """
    chat = frame.filter(kind="chat")
    measured = chat.filter(pl.col("ability_source").str.starts_with("published scores"))
    unknown = chat.filter(pl.col("ability_source").is_null())
    facts, wanted = _facts(measured), _facts(unknown)
    usable = ~np.isnan(wanted[:, 1]) & ~np.isnan(wanted[:, [0, 2]]).all(axis=1)
    unknown, wanted = unknown.filter(pl.Series(usable)), wanted[usable]
    centre = np.nanmean(facts[:, :_KNOWN_FACTS], axis=0)
    design, wanted_design = _design(facts, centre), _design(wanted, centre)
    columns = {}
    for ability, sd in zip(ABILITY_COLUMNS, SD_COLUMNS, strict=True):
        weight = 1 / (measured[sd].to_numpy() ** 2 + NOISE_VARIANCE)
        fitted, deviation, residual = _fit(design, measured[ability].to_numpy(), weight)
        estimate = np.einsum("ij,j->i", wanted_design, fitted) + _family_effects(
            measured["family"], residual, unknown["family"]
        )
        columns[ability] = np.round(estimate, _DIGITS)
        columns[sd] = np.full(len(estimate), round(math.hypot(deviation, OUTSIDE_SD), _DIGITS))
    estimates = unknown.select("model_id").with_columns(
        *(pl.Series(name, values) for name, values in columns.items()), ability_source=pl.lit(ESTIMATED)
    )
    return frame.update(estimates, on="model_id", how="left")


def _facts(models: pl.DataFrame) -> Array:
    """Return log price, years since 2024, log billions of parameters and whether it reasons; NaN where unknown."""
    return (
        models.select(
            pl.when(pl.col("output_usd_per_mtok") > 0).then(pl.col("output_usd_per_mtok").log10()),
            (pl.col("released") - pl.date(2024, 1, 1)).dt.total_days() / 365.25,
            pl.col("model_id").str.extract(_PARAMETERS, 1).cast(pl.Float64).log10(),
            pl.col("reasoning").fill_null(value=False).cast(pl.Float64),
        )
        .cast(pl.Float64)
        .fill_null(float("nan"))
        .to_numpy()
    )


def _design(facts: Array, centre: Array) -> Array:
    """Return the design matrix: a constant, the centred facts with 0 for unknown ones, and which are unknown."""
    unknown = np.isnan(facts[:, :_KNOWN_FACTS])
    centred = np.where(unknown, 0.0, facts[:, :_KNOWN_FACTS] - centre)
    return np.column_stack([np.ones(len(facts)), centred, facts[:, _KNOWN_FACTS:], unknown])


def _fit(design: Array, target: Array, weight: Array) -> tuple[Array, float, Array]:
    """Return the coefficients, the standard deviation of leave-one-out errors, and the residuals."""
    square = np.einsum("ij,i,ik->jk", design, weight, design) + PENALTY * np.eye(design.shape[1])
    fitted = np.linalg.solve(square, np.einsum("ij,i,i->j", design, weight, target))
    residual = target - np.einsum("ij,j->i", design, fitted)
    leverage = weight * np.einsum("ij,ji->i", design, np.linalg.solve(square, design.T))
    error = residual / (1 - leverage)
    return fitted, float(np.sqrt((weight * error**2).sum() / weight.sum())), residual


def _family_effects(families: pl.Series, residual: Array, wanted: pl.Series) -> Array:
    effects = (
        pl.DataFrame({"family": families, "residual": residual})
        .group_by("family")
        .agg(effect=pl.col("residual").sum() / (pl.len() + FAMILY_PRIOR))
    )
    return (
        pl.DataFrame({"family": wanted})
        .join(effects, on="family", how="left", maintain_order="left")["effect"]
        .fill_null(0.0)
        .to_numpy()
    )
