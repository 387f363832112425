"""Compare models by category, and set published claims about a pair beside their figures and sources.

``claims.csv`` has a row for each figure of a claim, ``router_claims.csv`` one for each router's saving, and
``parameters.csv`` the sizes that a developer states and a model's name does not.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Any, Final

import msgspec
import polars as pl

from llm_audit.catalog.ability_columns import CATEGORIES
from llm_audit.catalog.known_abilities import published_scores

_NINETY_PERCENT: Final = 1.6449
_SIZE = re.compile(r"(?:^|-)(\d+(?:\.\d+)?)b(?:-a(\d+(?:\.\d+)?)b)?(?=-|$)")


class Ability(msgspec.Struct, kw_only=True, frozen=True):
    """A model's ability in a category, in logits.

    Attributes:
        category: The category.
        mean: The ability; None where nothing is known.
        sd: Its standard deviation.
        measured: Whether published scores of the category, or a calibration, stand behind it.
        scores: Number of published scores.
        source: The benchmarks, or what the ability is inferred from.
    """

    category: str
    mean: float | None
    sd: float | None
    measured: bool
    scores: int
    source: str | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 90 % interval; None where the ability is unknown."""
        return None if self.mean is None or self.sd is None else _interval(self.mean, self.sd)

    def less(self, other: Ability) -> tuple[float, float, float] | None:
        """Return the difference from another model's ability with its 90 % interval; None where one is unknown."""
        if self.mean is None or self.sd is None or other.mean is None or other.sd is None:
            return None
        difference = self.mean - other.mean
        return difference, *_interval(difference, (self.sd**2 + other.sd**2) ** 0.5)


def abilities(model: dict[str, Any]) -> list[Ability]:
    """Return a model's abilities by category.

    Args:
        model: A row of the catalogue's frame.
    """
    rows = published_scores().filter(pl.col("ability_of").eq_missing(model["ability_of"])).rows_by_key("category")
    found = []
    for category in CATEGORIES:
        scores, source = rows[category][0][-2:] if category in rows else (0, None)
        measured = bool(model[f"measured_{category}"])
        found.append(
            Ability(
                category=category,
                mean=model[f"ability_{category}"],
                sd=model[f"ability_{category}_sd"],
                measured=measured,
                scores=scores if measured else 0,
                source=source or model["ability_source"],
            )
        )
    return found


def claims(small: str, large: str) -> list[dict[str, Any]]:
    """Return the figures of published claims about two models, in the order of ``claims.csv``."""
    rows = pl.read_csv(_data("claims.csv"))
    return rows.filter(pl.col("small").is_in([small, large]) & pl.col("large").is_in([small, large])).to_dicts()


def router_claim(policy: str) -> dict[str, Any] | None:
    """Return what is published about the saving of a router, by the preset that stands for it; None for other names.

    ``claimed_share`` is the saving as a share of the cost without the router: over a half for "over 2 times".
    """
    rows = pl.read_csv(_data("router_claims.csv")).filter(policy=policy).to_dicts()
    return rows[0] if rows else None


def parameters(model: str) -> tuple[float, float] | None:
    """Return a model's parameters and those active for a token, in billions; None where they were not published."""
    stated = pl.read_csv(_data("parameters.csv")).filter(model_id=model)
    if stated.height:
        return float(stated["billions"][0]), float(stated["active_billions"][0])
    if size := _SIZE.search(model):
        return float(size[1]), float(size[2] or size[1])
    return None


def _data(name: str) -> bytes:
    return resources.files("llm_audit.catalog").joinpath(name).read_bytes()


def _interval(mean: float, sd: float) -> tuple[float, float]:
    return mean - _NINETY_PERCENT * sd, mean + _NINETY_PERCENT * sd
