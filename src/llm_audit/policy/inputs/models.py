"""The catalog as arrays: what routing asks of a model, by index."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Flags, Floats, Ints
from llm_audit.ledger.schema import Category

CATEGORIES: tuple[str, ...] = tuple(category.value for category in Category)
NONE = -1
"""Index of no model."""

_REASONS_UNASKED = re.compile(
    r"o[1-9]|gpt-[5-9]|gpt-oss|gemini-2\.5-(?:pro|flash$)|gemini-[3-9]|grok-[4-9]|qwq|magistral|minimax-m|.*-(?:r1|reason|think)"
)
"""Models that reason at their default settings; Claude, Nova and others think only when asked to."""

STILL_OFFERED = np.iinfo(np.int64).max
"""The day on which a model retires that has no such day."""

NOTICE_DAYS = 90
"""A model that goes within so many days of a request is no place to move it to."""

CAPABILITIES: tuple[str, ...] = ("vision", "audio", "tools", "json_schema", "reasoning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The catalog's models by index; unknown numbers are NaN, capabilities 1 (yes), 0 (no) or -1 (unknown)."""

    ids: tuple[str, ...]
    tier: tuple[str, ...]
    family: tuple[str, ...]
    developer: tuple[str, ...]
    home_provider: tuple[str | None, ...]
    price: Floats  # dollars per million tokens of three input to one output, to compare models by
    ability: Floats  # models x categories
    ability_sd: Floats  # models x categories
    context_window: Floats
    max_output: Floats
    released: Ints  # days since 1970, the least integer where unknown: an unknown date is no reason to wait
    retired: Ints  # days since 1970, the greatest integer where unknown or still on offer
    capability: dict[str, Flags]
    reasons_unasked: Bools  # reasons without being told to

    def index(self) -> dict[str, int]:
        """Return each model's index by its id."""
        return {model: position for position, model in enumerate(self.ids)}


def read_models(catalog: pl.DataFrame) -> Models:
    """Make the arrays of a catalog frame (see ``docs/architecture.md``)."""
    return Models(
        ids=tuple(catalog["model_id"].cast(pl.String)),
        tier=tuple(catalog["tier"].cast(pl.String).fill_null("unknown")),
        family=tuple(catalog["family"].cast(pl.String).fill_null("")),
        developer=tuple(catalog["developer"].cast(pl.String).fill_null("")),
        home_provider=tuple(catalog["home_provider"].cast(pl.String)),
        price=_numbers((3 * catalog["input_usd_per_mtok"] + catalog["output_usd_per_mtok"]) / 4),
        ability=_by_category(catalog, ""),
        ability_sd=_by_category(catalog, "_sd"),
        context_window=_numbers(catalog["context_window"]),
        max_output=_numbers(catalog["max_output"]),
        released=_days(catalog["released"]).fill_null(np.iinfo(np.int64).min).to_numpy(),
        retired=_days(catalog["retired"]).fill_null(STILL_OFFERED).to_numpy(),
        reasons_unasked=np.array([bool(_REASONS_UNASKED.match(model)) for model in catalog["model_id"]], dtype=bool),
        capability={name: catalog[name].cast(pl.Int8).fill_null(-1).to_numpy() for name in CAPABILITIES},
    )


def _by_category(catalog: pl.DataFrame, suffix: str) -> Floats:
    columns = [_numbers(catalog[f"ability_{category}{suffix}"]) for category in CATEGORIES]
    return np.column_stack(columns)


def _days(column: pl.Series) -> pl.Series:
    return column.cast(pl.Date).to_physical().cast(pl.Int64)


def _numbers(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
