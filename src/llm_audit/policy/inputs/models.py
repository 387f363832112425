"""The catalog as arrays: what routing asks of a model, by index."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Flags, Floats, Index, Ints
from llm_audit.catalog import Catalog, LanguageShifts, language_shifts
from llm_audit.ledger.schema import Category

CATEGORIES: tuple[str, ...] = tuple(category.value for category in Category)
NONE = -1
"""Index of no model."""

TOOL_USE = CATEGORIES.index(Category.TOOL_USE.value)
SKILLS: tuple[str, ...] = (*CATEGORIES, *(f"{category}+{Category.TOOL_USE.value}" for category in CATEGORIES))
"""What a request in English asks of a model: a category, or a step of a tool loop in it, which also takes tool use.

``Models.skills`` has them in the other languages as well.
"""

_REASONS_UNASKED = re.compile(
    r"o[1-9]|gpt-[5-9]|gpt-oss|gemini-2\.5-(?:pro|flash$)|gemini-[3-9]|grok-[4-9]|qwq|magistral|minimax-m|.*-(?:r1|reason|think)"
)
"""Models that reason at their default settings; Claude, Nova and others think only when asked to."""

STILL_OFFERED = np.iinfo(np.int64).max
"""The day on which a model retires that has no such day."""

NOTICE_DAYS = 90
"""A model that goes within so many days of a request is no place to move it to."""

CAPABILITIES: tuple[str, ...] = ("vision", "audio", "tools", "json_schema", "reasoning")


class Models(msgspec.Struct, kw_only=True, frozen=True, dict=True):  # for the cached properties
    """The catalog's models by index; unknown numbers are NaN, capabilities 1 (yes), 0 (no) or -1 (unknown)."""

    ids: tuple[str, ...]
    tier: tuple[str, ...]
    family: tuple[str, ...]
    developer: tuple[str, ...]
    home_provider: tuple[str | None, ...]
    price: Floats  # dollars per million tokens of three input to one output, to compare models by
    ability: Floats  # models x categories
    ability_sd: Floats  # models x categories
    by_language: LanguageShifts  # what is added to the ability outside English
    measured: Bools  # models x categories: whether published scores or a calibration stand behind the ability
    context_window: Floats
    max_output: Floats
    released: Ints  # days since 1970, the least integer where unknown: an unknown date is no reason to wait
    retired: Ints  # days since 1970, the greatest integer where unknown or still on offer
    capability: dict[str, Flags]
    reasons_unasked: Bools  # reasons without being told to

    @property
    def skills(self) -> tuple[str, ...]:
        """``SKILLS``, then the same in each language that has a shift (``code@de``)."""
        languages = self.by_language.languages
        return (*SKILLS, *(f"{skill}@{language}" for language in languages for skill in SKILLS))

    def limiting_category(self) -> Ints:
        """Return the category whose ability each skill takes, models x skills: of a tool loop's two, the lower one."""
        own = np.broadcast_to(np.arange(len(CATEGORIES)), self.ability.shape)
        lower = np.where(self.ability[:, [TOOL_USE]] < self.ability, TOOL_USE, own)
        return np.concatenate([own, lower], axis=1)

    def by_skill(self, values: Floats) -> Floats:
        """Return values by category, such as ``ability``, as those of each skill: models x skills."""
        return np.take_along_axis(values, self.limiting_category(), axis=1)

    @cached_property
    def skill_ability(self) -> Floats:
        """The ability in each of ``skills``: models x skills."""
        english = self.by_skill(self.ability)
        return np.concatenate([english, *(english + shift[:, None] for shift in self.by_language.shift.T)], axis=1)

    @cached_property
    def skill_ability_sd(self) -> Floats:
        """The standard deviations of ``skill_ability``."""
        english = self.by_skill(self.ability_sd)
        return np.concatenate([english, *(np.hypot(english, sd[:, None]) for sd in self.by_language.sd.T)], axis=1)

    def measured_in(self, model: Index, skill: Index) -> Bools:
        """Return whether each model was measured in all that a skill takes."""
        english = skill % len(SKILLS)
        measured: Bools = self.measured[model, english % len(CATEGORIES)]
        return np.asarray(measured & (self.measured[model, TOOL_USE] | (english < len(CATEGORIES))))

    def index(self) -> dict[str, int]:
        """Return each model's index by its id."""
        return {model: position for position, model in enumerate(self.ids)}


@lru_cache(maxsize=4)
def models_of(catalog: Catalog) -> Models:
    """Return the arrays of a catalog, made once."""
    return read_models(catalog.frame)


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
        by_language=language_shifts(catalog),
        measured=np.column_stack([catalog[f"measured_{category}"].to_numpy() for category in CATEGORIES]),
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
