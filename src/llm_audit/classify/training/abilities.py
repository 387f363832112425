"""Abilities of models by category and reasoning effort, from published scores.

Each benchmark release ``k`` in category ``c`` is taken as ``logit(score) = slope[k] * (ability[m, c] - level[k])`` plus
the noise of its protocol. A model's ability in a category has a normal prior around the model's general ability, whose
own prior is wide; so a category nobody measured leans on the others and its standard deviation says so.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from llm_audit.model_names import canonical
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
PARENTS: Final = {
    Category.DATA: (Category.CODE,),
    Category.SCIENCE: (Category.REASONING,),
    Category.LAW: (Category.KNOWLEDGE, Category.REASONING),
    Category.MEDICINE: (Category.KNOWLEDGE, Category.REASONING),
    Category.FINANCE: (Category.REASONING, Category.MATH),
    Category.SUPPORT: (Category.INSTRUCTION, Category.WRITING),
    Category.EXTRACTION: (Category.INSTRUCTION,),
    Category.RETRIEVAL: (Category.INSTRUCTION, Category.REASONING),
    Category.TRANSLATION: (Category.WRITING, Category.KNOWLEDGE),
    Category.SUMMARISATION: (Category.WRITING, Category.INSTRUCTION),
    Category.CHAT: (Category.WRITING,),
}
"""Categories that no series of published scores measures: a model is taken to be as able as in these on average."""
BOARDS: Final = {
    "creative_writing": ("creative writing", Category.WRITING),
    "if": ("instruction following", Category.INSTRUCTION),
}
"""Subjects of the arena that measure a category."""
RATING_ORIGIN: Final = 1300.0
RATES: Final = ("acc", "pass@1", "pass@2", "win_rate", "judge_score(x10)")
MIN_FAMILIES: Final = 8
SLOPE: Final = (0.8, 0.15)
NOISE_SD: Final = 0.45
CATEGORY_SD: Final = 0.6
GENERAL_SD: Final = 2.0
PARENT_SD: Final = 0.3
"""Logits by which a category may differ from the mean of its ``PARENTS``, as they do from each other within a model."""
EFFORT_SD: Final = 0.8
MIN_EFFORT_SCORES: Final = 2
_CATEGORIES: Final = [category.value for category in Category if category not in PARENTS]
_ROUNDS: Final = 60
_EFFORT: Final = re.compile(r"\b(minimal|low|medium|high|xhigh|max)\b", re.IGNORECASE)
_NO_THINKING: Final = re.compile(r"no[ -]?think|non[ -]?think|non-reasoning|effort=no", re.IGNORECASE)
_SETTING: Final = re.compile(r"-(?:minimal|low|medium|high|xhigh|no-thinking|thinking(?:-\d+k)?)$")
_THINKING: Final = re.compile(r"think|reasoning on|reasoner|\d+k budget", re.IGNORECASE)


class Ability(msgspec.Struct, kw_only=True, frozen=True):
    """A row of ``abilities.csv``; abilities in logits, ``effort`` empty for all settings pooled."""

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


def arena_model(name: str) -> str:
    """Return the model line of a name in the arena, whatever its reasoning effort."""
    return canonical(_SETTING.sub("", name))


def rated(path: Path) -> pl.DataFrame:
    """Return an arena's ratings by subject as scores, in the columns of ``published``.

    A difference of d between two ratings means that the higher one is preferred in 1 / (1 + 10^(-d / 400)) of pairs, so
    that ratings are logits but for a factor. Ratings with style control are taken, of the subjects in ``BOARDS``.
    """
    frame = pl.read_parquet(path).filter(
        pl.col("board") == "style_control", pl.col("arena_category").is_in(list(BOARDS))
    )
    rows = [
        {
            "model_id": arena_model(name),
            "effort": effort(name.replace("-", " ")),
            "benchmark": f"LMArena {BOARDS[subject][0]}",
            "category": BOARDS[subject][1].value,
            "y": (rating - RATING_ORIGIN) / 400 * math.log(10),
        }
        for name, subject, rating in frame.select("arena_model", "arena_category", "rating").iter_rows()
    ]
    return (
        pl.DataFrame(rows)
        .group_by("model_id", "effort", "benchmark", "category")
        .agg(pl.col("y").mean())
        .sort("model_id", "effort", "benchmark")
    )


def fit(scores: pl.DataFrame) -> list[Ability]:
    """Fit abilities of every model and category, and of its efforts; see the module for the model.

    The scores of all efforts pooled make a model's row with an empty effort. An effort's abilities differ from those by
    one number, as likely as ``EFFORT_SD`` says; efforts with fewer than ``MIN_EFFORT_SCORES`` scores are left out.
    """
    pooled, models, names, fitted = _pooled(scores)
    origin = fitted.ability[models.index(REFERENCE)]
    out = []
    for i, model in enumerate(models):
        measured = pooled.filter(pl.col("model_id") == model)
        out += _rows(model, "", fitted.ability[i] - origin, fitted.sd[i], measured)
    efforts = scores.filter(pl.col("effort") != "")
    for (model, name), measured in sorted(efforts.group_by("model_id", "effort", maintain_order=True)):
        if len(measured) >= MIN_EFFORT_SCORES:
            i = models.index(model)
            k = _index(measured["benchmark"].to_list(), names)
            j = _index(measured["category"].to_list(), _CATEGORIES)
            implied = measured["y"].to_numpy() / fitted.slope[k] + fitted.level[k] - fitted.ability[i, j]
            weight = fitted.slope[k] ** 2 / NOISE_SD**2
            precision = float(weight.sum()) + 1 / EFFORT_SD**2
            shift = float((weight * implied).sum()) / precision
            sd = np.sqrt(fitted.sd[i] ** 2 + 1 / precision)
            out += _rows(str(model), str(name), fitted.ability[i] - origin + shift, sd, measured)
    order = list(Category)
    return sorted(out, key=lambda row: (row.model_id, row.effort, order.index(row.category)))


def levels(scores: pl.DataFrame) -> dict[str, float]:
    """Return the level of each benchmark: the ability that solves half of it, on the scale of ``fit``."""
    pooled, models, names, fitted = _pooled(scores)
    origin = fitted.ability[models.index(REFERENCE)]
    category = dict(pooled.select("benchmark", "category").rows())
    return {
        name: float(level) - float(origin[_CATEGORIES.index(category[name])])
        for name, level in zip(names, fitted.level, strict=True)
    }


def slopes(scores: pl.DataFrame) -> dict[str, float]:
    """Return for each benchmark the logits that its score gains with a logit of ability."""
    _, _, names, fitted = _pooled(scores)
    return dict(zip(names, fitted.slope.tolist(), strict=True))


def _pooled(scores: pl.DataFrame) -> tuple[pl.DataFrame, list[str], list[str], _Fit]:
    """The scores of all efforts pooled, the models and the benchmarks they name, and what is fitted to them."""
    pooled = scores.group_by("model_id", "benchmark", "category").agg(pl.col("y").mean()).sort("model_id", "benchmark")
    models = pooled["model_id"].unique(maintain_order=True).to_list()
    names = pooled["benchmark"].unique(maintain_order=True).to_list()
    fitted = _solve(
        _index(pooled["model_id"].to_list(), models),
        _index(pooled["category"].to_list(), _CATEGORIES),
        _index(pooled["benchmark"].to_list(), names),
        pooled["y"].to_numpy(),
        shape=(len(models), len(_CATEGORIES)),
    )
    return pooled, models, names, fitted


def _rows(model: str, effort_name: str, ability: Array, sd: Array, measured: pl.DataFrame) -> list[Ability]:
    by_category: dict[str, list[str]] = {}
    for benchmark, category in measured.select("benchmark", "category").sort("benchmark").rows():
        by_category.setdefault(category, []).append(benchmark)
    rows = [
        Ability(
            model_id=model,
            effort=effort_name,
            category=Category(name),
            ability=float(ability[j]),
            sd=float(sd[j]),
            scores=len(by_category.get(name, [])),
            source="; ".join(by_category.get(name, [])) or "prior: its other categories",
        )
        for j, name in enumerate(_CATEGORIES)
    ]
    return rows + [_child(category, [rows[_CATEGORIES.index(of)] for of in PARENTS[category]]) for category in PARENTS]


def _child(category: Category, parents: list[Ability]) -> Ability:
    """A category without scores, from those it is like."""
    return replace(
        parents[0],
        category=category,
        ability=sum(row.ability for row in parents) / len(parents),
        sd=float(np.sqrt(sum(row.sd**2 for row in parents) / len(parents) + PARENT_SD**2)),
        scores=0,
        source=f"prior: as {' and '.join(row.category for row in parents)}",
    )


def _index(values: Sequence[object], of: Sequence[object]) -> npt.NDArray[np.int64]:
    place = {value: index for index, value in enumerate(of)}
    return np.array([place[value] for value in values], np.int64)


class _Fit(msgspec.Struct, frozen=True):
    """Abilities and standard deviations, models by categories; slopes and levels of the benchmarks."""

    ability: Array
    sd: Array
    slope: Array
    level: Array


def _solve(
    m: npt.NDArray[np.int64], c: npt.NDArray[np.int64], k: npt.NDArray[np.int64], y: Array, *, shape: tuple[int, int]
) -> _Fit:
    """Alternate between benchmark lines and abilities."""
    benchmarks = int(k.max()) + 1
    ability: Array = np.zeros(shape)
    general: Array = np.zeros(shape[0])
    cell = m * shape[1] + c
    noise = 1 / NOISE_SD**2
    precision: Array = np.ones(shape)
    certainty: Array = np.ones(shape[0])
    slope, level = np.ones(benchmarks), np.zeros(benchmarks)
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
        precision = np.add(total, 1 / CATEGORY_SD**2)
        ability = (pull + general[:, None] / CATEGORY_SD**2) / precision
    shrink = 1 / CATEGORY_SD**2 / precision
    sd: Array = np.sqrt(1 / precision + shrink**2 / certainty[:, None])
    return _Fit(ability, sd, slope, level)


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
