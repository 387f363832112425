"""Known sets of tasks near a difficulty: "about as hard as a HumanEval task"."""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from llm_audit.vocabulary import Category

NEAR_LOGITS: Final = 0.75
"""Distance within which a set of the same category is named before a nearer one of another category."""


class KnownSet(msgspec.Struct, frozen=True):
    """A set of tasks whose level published scores give.

    ``example`` names one of its tasks in words; ``level`` is in logits, on the scale of the difficulties.
    """

    example: str
    category: Category
    level: float


@cache
def known_sets() -> tuple[KnownSet, ...]:
    """Read the sets shipped with the package, easiest first."""
    text = resources.files("llm_audit.classify").joinpath("known_sets.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return tuple(KnownSet(row["example"], Category(row["category"]), float(row["level"])) for row in rows)


def nearest(difficulty: float, category: Category | None = None) -> KnownSet:
    """Return the known set whose level is nearest to a difficulty, preferring those of a category.

    Args:
        difficulty: In logits.
        category: Sets of this category win where one is within ``NEAR_LOGITS``.
    """
    of_category = [one for one in known_sets() if one.category is category]
    near = [one for one in of_category if abs(one.level - difficulty) <= NEAR_LOGITS]
    return min(near or known_sets(), key=lambda one: (abs(one.level - difficulty), one.example))
