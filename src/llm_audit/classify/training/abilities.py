"""Abilities of models by category and reasoning effort, from published scores.

Each benchmark release ``k`` in category ``c`` is taken as ``logit(score) = slope[k] * (ability[m, c] - level[k])`` plus
the noise of its protocol. A model's ability in a category has a normal prior around the model's general ability, whose
own prior is wide; so a category nobody measured leans on the others and its standard deviation says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
REFERENCE: Final = "gpt-4o-mini"
CATEGORY: Final = {
    "code": Category.CODE,
    "math": Category.MATH,
    "reasoning": Category.REASONING,
    "knowledge": Category.KNOWLEDGE,
    "writing_chat": Category.WRITING,
    "instruction_following": Category.INSTRUCTION,
    "tool_use": Category.TOOL_USE,
    "long_context": Category.LONG_CONTEXT,
}
"""Our category of a published benchmark's."""
RATES: Final = ("acc", "pass@1", "pass@2", "win_rate", "judge_score(x10)")
MIN_FAMILIES: Final = 8
SLOPE: Final = (0.8, 0.15)
NOISE_SD: Final = 0.45
CATEGORY_SD: Final = 0.6
GENERAL_SD: Final = 2.0
_ROUNDS: Final = 60
_EFFORT: Final = re.compile(r"\b(minimal|low|medium|high|xhigh|max)\b", re.IGNORECASE)
_NO_THINKING: Final = re.compile(r"no[ -]?think|non[ -]?think|non-reasoning|effort=no", re.IGNORECASE)
_THINKING: Final = re.compile(r"think|reasoning on|reasoner|\d+k budget", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ability:
    """A row of ``abilities.csv``; abilities in logits, ``effort`` empty for the setting most often measured."""

    model_id: str
    effort: str
    category: Category
    ability: float
    sd: float
    scores: int
    source: str


def effort(setting: str | None) -> str:
    """The reasoning effort a published setting names: ``none``, ``low``, …, ``thinking``, or empty."""
    text = setting or ""
    if _NO_THINKING.search(text):
        return "none"
    named = _EFFORT.search(text)
    if named:
        return named.group(1).lower()
    return "thinking" if _THINKING.search(text) else ""


def published(path: Path) -> pl.DataFrame:
    """Licence-clear scores of categories we know, one row a (model, effort, benchmark).

    Columns: ``model_id``, ``effort``, ``benchmark``, ``category``, ``y`` (logit of the score), ``source``.
    """
    frame = pl.read_parquet(path).filter(
        pl.col("licence_clear"), pl.col("metric").is_in(RATES), pl.col("category").is_in(list(CATEGORY))
    )
    widely = frame.group_by("benchmark").agg(pl.col("family").n_unique()).filter(pl.col("family") >= MIN_FAMILIES)
    share = pl.col("score").clip(1.0, 99.0) / 100
    return (
        frame.join(widely.select("benchmark"), on="benchmark")
        .with_columns(
            effort=pl.col("shots_or_setting").map_elements(effort, return_dtype=pl.String, skip_nulls=False),
            category=pl.col("category").replace_strict({k: v.value for k, v in CATEGORY.items()}),
            y=(share / (1 - share)).log(),
        )
        .group_by(model_id="family", effort="effort", benchmark="benchmark", category="category")
        .agg(pl.col("y").mean())
        .sort("model_id", "effort", "benchmark")
    )


def fit(scores: pl.DataFrame) -> list[Ability]:
    """Fit abilities of every (model, effort) and category; see the module for the model.

    The scores of all efforts pooled make a model's row with an empty effort.
    """
    pooled = scores.group_by("model_id", "benchmark", "category").agg(pl.col("y").mean(), effort=pl.lit(""))
    table = pl.concat([pooled.select(scores.columns), scores.filter(pl.col("effort") != "")])
    table = table.sort("model_id", "effort", "benchmark")
    models = table.select("model_id", "effort").unique(maintain_order=True).rows()
    categories = [category.value for category in Category]
    m = _index(table.select("model_id", "effort").rows(), models)
    c = _index(table["category"].to_list(), categories)
    names = table["benchmark"].unique(maintain_order=True).to_list()
    k = _index(table["benchmark"].to_list(), names)
    ability, sd = _solve(m, c, k, table["y"].to_numpy(), shape=(len(models), len(categories)))
    ability -= ability[models.index((REFERENCE, ""))]
    measured: dict[tuple[int, int], list[str]] = {}
    for i, j, name in zip(m.tolist(), c.tolist(), table["benchmark"].to_list(), strict=True):
        measured.setdefault((i, j), []).append(name)
    return [
        Ability(
            row[0],
            row[1],
            Category(name),
            float(ability[i, j]),
            float(sd[i, j]),
            len(known := measured.get((i, j), [])),
            "; ".join(known) or "prior: its other categories",
        )
        for i, row in enumerate(models)
        for j, name in enumerate(categories)
    ]


def _index(values: Sequence[object], of: Sequence[object]) -> npt.NDArray[np.int64]:
    place = {value: index for index, value in enumerate(of)}
    return np.array([place[value] for value in values], np.int64)


def _solve(
    m: npt.NDArray[np.int64], c: npt.NDArray[np.int64], k: npt.NDArray[np.int64], y: Array, *, shape: tuple[int, int]
) -> tuple[Array, Array]:
    """Alternate between benchmark lines and abilities; return abilities and their standard deviations."""
    benchmarks = int(k.max()) + 1
    ability: Array = np.zeros(shape)
    general: Array = np.zeros(shape[0])
    cell = m * shape[1] + c
    noise = 1 / NOISE_SD**2
    precision: Array = np.ones(shape)
    certainty: Array = np.ones(shape[0])
    for _ in range(_ROUNDS):
        slope, level = _lines(ability.ravel()[cell], k, y, benchmarks)
        seen = slope[k] ** 2 * noise
        total = np.bincount(cell, seen, minlength=ability.size).reshape(shape)
        pull = np.bincount(cell, seen * (y / slope[k] + level[k]), minlength=ability.size).reshape(shape)
        # the general ability, with each category's own deviation integrated out
        share = total / (total * CATEGORY_SD**2 + 1)
        mean = np.divide(pull, total, out=np.zeros(shape), where=total > 0)
        certainty = share.sum(1) + 1 / GENERAL_SD**2
        general = (share * mean).sum(1) / certainty
        precision = total + 1 / CATEGORY_SD**2
        ability = (pull + general[:, None] / CATEGORY_SD**2) / precision
    shrink = 1 / CATEGORY_SD**2 / precision
    sd: Array = np.sqrt(1 / precision + shrink**2 / certainty[:, None])
    return ability, sd


def _lines(x: Array, k: npt.NDArray[np.int64], y: Array, benchmarks: int) -> tuple[Array, Array]:
    """Fit each benchmark's line with a prior on its slope; return slopes and the abilities where it scores half."""
    n = np.bincount(k, minlength=benchmarks)
    mx, my = np.bincount(k, x, benchmarks) / n, np.bincount(k, y, benchmarks) / n
    weight = (NOISE_SD / SLOPE[1]) ** 2
    xx = np.bincount(k, (x - mx[k]) ** 2, benchmarks) + weight
    xy = np.bincount(k, (x - mx[k]) * (y - my[k]), benchmarks) + weight * SLOPE[0]
    slope = np.maximum(xy / xx, 0.2)
    return slope, mx - my / slope


def to_csv(abilities: list[Ability]) -> bytes:
    """The shipped file, sorted by model, effort and category."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["model_id", "effort", "category", "ability", "sd", "scores", "source"])
    for row in abilities:
        writer.writerow(
            [row.model_id, row.effort, row.category, f"{row.ability:.3f}", f"{row.sd:.3f}", row.scores, row.source]
        )
    return out.getvalue().encode()
