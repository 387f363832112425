"""The catalog as arrays: what routing asks of a model, by index."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Flags, Floats, Index, Ints
from llm_audit.errors import UsageError
from llm_audit.ledger.schema import Category
from llm_audit.policy.file.model import Policy

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
        """Each model's index by its id."""
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


def ladder_rows(
    policy: Policy, models: Models, ladders: Mapping[str, Sequence[str]], *, period: tuple[int, int] | None
) -> Index:
    """The candidates of each model used, as indexes in ladder order.

    The catalog's ladders hold every model a family ever offered. Those not on offer in the period are left out, and so
    are those that another, on offer throughout, beats: no dearer, as able in every category and as capable.

    Args:
        policy: Its own ladders come first; one named ``any`` serves every model that is in no other.
        models: The catalog.
        ladders: The catalog's ladders, models cheapest first, by family.
        period: First and last day of the requests, in days since 1970; None where none has a time: then the latest.

    Returns:
        A row a model used, ``NONE`` after the ladder's last; all ``NONE`` where the model has no ladder.

    Raises:
        UsageError: The policy's ladder names a model that the catalog does not know.
    """
    index = models.index()
    if policy.ladders:
        chosen = _own(policy.ladders, index)
    else:
        steps = {
            family: _worth_having(models, [index[model] for model in ladder if model in index], period)
            for family, ladder in ladders.items()
        }
        if policy.across_families:
            every = sorted({step for ladder in steps.values() for step in ladder})
            chosen = dict.fromkeys(range(len(models.ids)), _worth_having(models, every, period))
        else:
            chosen = _by_family(models, ladders, steps, index)
    width = max((len(ladder) for ladder in chosen.values()), default=1)
    rows = np.full((len(models.ids), width), NONE, dtype=np.int32)
    for used, ladder in chosen.items():
        rows[used, : len(ladder)] = ladder
    return rows


def worth_having(models: Models, ladder: Sequence[str], *, day: int) -> list[str]:
    """The models of a ladder that are on offer on a day, stay for a while, and are beaten by no other."""
    index = models.index()
    return [models.ids[step] for step in _worth_having(models, [index[model] for model in ladder], (day, day))]


def _own(ladders: dict[str, tuple[str, ...]], index: dict[str, int]) -> dict[int, list[int]]:
    chosen: dict[int, list[int]] = {}
    for name, ladder in ladders.items():
        unknown = [model for model in ladder if model not in index]
        if unknown:
            raise UsageError(
                f"The policy's ladder {name!r} names {unknown[0]!r}, which the catalog does not know. "
                "`llm-audit models` lists the known ones; add an alias for a name of your own."
            )
        for model in ladder:
            chosen.setdefault(index[model], [index[step] for step in ladder])
    if "any" in ladders:
        for used in index.values():
            chosen.setdefault(used, [index[step] for step in ladders["any"]])
    return chosen


def _by_family(
    models: Models, ladders: Mapping[str, Sequence[str]], steps: Mapping[str, list[int]], index: dict[str, int]
) -> dict[int, list[int]]:
    """The ladder that names the model, or else the one of its family or developer."""
    chosen: dict[int, list[int]] = {}
    by_family: dict[str, list[int]] = {}
    by_developer: dict[str, list[int]] = {}
    for name, ladder in ladders.items():
        for model in ladder:
            step = index[model]
            chosen.setdefault(step, steps[name])
            by_family.setdefault(models.family[step], steps[name])
            by_developer.setdefault(models.developer[step], steps[name])
    for used in index.values():
        relatives = by_family.get(models.family[used]) or by_developer.get(models.developer[used])
        if relatives and models.developer[used]:
            chosen.setdefault(used, relatives)
    return chosen


def _worth_having(models: Models, steps: list[int], period: tuple[int, int] | None) -> list[int]:
    if period is None:
        offered = lasting = [step for step in steps if models.retired[step] == STILL_OFFERED]
    else:
        first, last = period
        stays = [int(day) - NOTICE_DAYS for day in models.retired]
        offered = [step for step in steps if models.released[step] <= last and stays[step] > first]
        lasting = [step for step in offered if models.released[step] <= first and stays[step] > last]
    return [
        step
        for place, step in enumerate(offered)
        if not any(_beats(models, other, step, earlier=other in offered[:place]) for other in lasting if other != step)
    ]


def _beats(models: Models, other: int, step: int, *, earlier: bool) -> bool:
    """Whether ``other`` costs no more, is as able everywhere, and can do all that ``step`` can."""
    if models.price[other] > models.price[step] or not np.all(models.ability[other] >= models.ability[step]):
        return False
    same = models.price[other] == models.price[step] and np.all(models.ability[other] == models.ability[step])
    capable = all(flags[other] >= flags[step] for flags in models.capability.values())
    roomy = not (
        models.context_window[other] < models.context_window[step] or models.max_output[other] < models.max_output[step]
    )
    return bool(capable and roomy and (earlier or not same))


def _by_category(catalog: pl.DataFrame, suffix: str) -> Floats:
    columns = [_numbers(catalog[f"ability_{category}{suffix}"]) for category in CATEGORIES]
    return np.column_stack(columns)


def _days(column: pl.Series) -> pl.Series:
    return column.cast(pl.Date).to_physical().cast(pl.Int64)


def _numbers(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
