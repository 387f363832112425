"""Shift of a model's ability in languages other than English.

``language_abilities.csv`` holds a line for each language, what a model of ability zero loses and how much less abler
ones do, and the deviations of models with results of their own; ``classify.training.languages`` fits it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, mean

Array = npt.NDArray[np.float64]
LEAST_ABILITY, MOST_ABILITY = -2.0, 3.0
"""Abilities between which the models with results by language lie; the lines are not followed beyond."""


class LanguageShifts(msgspec.Struct, frozen=True):
    """Shifts of ability in logits and their standard deviations, models by ``languages``."""

    languages: tuple[str, ...]
    shift: Array
    sd: Array


def language_shifts(models: pl.DataFrame) -> LanguageShifts:
    """Return what each model loses against English; zero where its abilities are unknown.

    A model without results by language has those of the line at its mean ability, with a wider standard deviation.

    Args:
        models: Catalogue rows with abilities.
    """
    table = _packaged()
    lines = table.filter(pl.col("model_id").is_null())
    columns = table.select("language", "model_id", "shift", "sd")
    own = {(language, model): (added, spread) for language, model, added, spread in columns.iter_rows()}
    names = models["ability_of"].to_list()
    general = models.select(mean(ABILITY_COLUMNS)).to_series().fill_null(float("nan")).to_numpy()
    bounded = np.clip(general, LEAST_ABILITY, MOST_ABILITY)
    shift, sd = [], []
    for language, level, slope, deviation in lines.select("language", "shift", "slope", "sd").iter_rows():
        line = (0.0, deviation)
        found = [line if name is None else own.get((language, name), line) for name in names]
        added, spread = np.array(found, dtype=np.float64).reshape(-1, 2).T
        shift.append(np.nan_to_num(np.minimum(level + slope * bounded + added, 0.0)))
        sd.append(spread)
    return LanguageShifts(tuple(lines["language"]), np.column_stack(shift), np.column_stack(sd))


def language_evidence() -> dict[str, str]:
    """Return the sources of each language's shift."""
    lines = _packaged().filter(pl.col("model_id").is_null())
    return dict(lines.select("language", "source").iter_rows())


@cache
def _packaged() -> pl.DataFrame:
    data = resources.files("llm_audit.catalog").joinpath("language_abilities.csv").read_bytes()
    return pl.read_csv(data)
