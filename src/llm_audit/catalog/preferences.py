"""How much readers prefer one model's answers to another's, by subject and language.

``preferences.csv`` has each model's points above a reference model on the boards of an arena where people choose
between two answers; ``scripts/build_preferences.py`` derives it. The model with d points more is preferred in
1 / (1 + 10^(-d / 400)) of pairs, ties split, so that the share who prefer it, net of those who prefer the other, is
tanh(d ln 10 / 800): ties cancel.
"""

from __future__ import annotations

import functools
import math
from importlib import resources
from typing import Final

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Flags, Floats, Index, Ints
from llm_audit.vocabulary import Category

OVERALL: Final = "overall"
SUBJECTS: Final[dict[Category, str]] = {
    Category.CODE: "code",
    Category.MATH: "math",
    Category.WRITING: "writing",
    Category.INSTRUCTION: "instruction",
    Category.LONG_CONTEXT: "long_context",
    Category.DATA: "code",
    Category.SCIENCE: "science",
    Category.LAW: "law",
    Category.MEDICINE: "medicine",
    Category.FINANCE: "finance",
}
"""The board of a category's subject; others have none of their own."""
UNRATED: Final = (Category.TOOL_USE,)
"""Categories whose answers nobody reads, so that no board tells which are preferred."""
LANGUAGES: Final = ("en", "de", "fr", "es", "ru", "zh", "ja", "ko")
"""Languages with a board, which has the language's code as its name."""
BOARDS: Final = (OVERALL, *dict.fromkeys(SUBJECTS.values()), *LANGUAGES)
_NINETY_PERCENT: Final = 1.6449
_NONE: Final = -1
_SCALE: Final = math.log(10) / 800
_CATEGORIES: Final = tuple(Category)


class Gap(msgspec.Struct, kw_only=True, frozen=True):
    """The share of readers who prefer a model's answer, net of those who prefer another's, with its 90 % interval."""

    share: float
    low: float
    high: float


class Terms(msgspec.Struct, kw_only=True, frozen=True):
    """Boards whose differences add up to a pair's points: one entry a pair, in each array.

    Points are those of ``subject``, plus those of ``language``, minus those of ``common``; ``_NONE`` adds nothing.
    """

    subject: Index
    language: Index
    common: Index

    def signed(self) -> tuple[tuple[int, Index], ...]:
        """Return the boards with their signs."""
        return (1, self.subject), (1, self.language), (-1, self.common)


class Preferences(msgspec.Struct, kw_only=True, frozen=True):
    """Points by model and board, NaN where a model was not rated, and their standard deviations.

    Attributes:
        points: Models x boards.
        sd: Models x boards.
    """

    points: Floats
    sd: Floats

    def terms(self, first: Index, second: Index, *, category: Index, language: Index | Flags) -> Terms:
        """Return the boards that each pair is compared on.

        A board counts where it rated both models. The subject's stands for the overall one; the language's adds what
        readers of that language differ by from all.

        Args:
            first: Models, as rows of ``points``.
            second: The models they are compared with.
            category: Index into ``Category``, -1 where it is unknown.
            language: Index into ``LANGUAGES``, -1 for others.
        """
        overall = BOARDS.index(OVERALL)
        rated = np.isfinite(self.points[first]) & np.isfinite(self.points[second])
        pair = np.arange(len(first))
        subject = np.where(category == _NONE, overall, _SUBJECT_OF[category])
        subject = np.where(rated[pair, subject], subject, overall)
        own = np.where(language == _NONE, overall, _LANGUAGE_OF[language])
        own = np.where(rated[pair, own] & (own != overall), own, _NONE)
        known = rated[:, overall] & ~((category != _NONE) & _IS_UNRATED[category])
        return Terms(
            subject=np.where(known, subject, _NONE).astype(np.int32),
            language=np.where(known, own, _NONE).astype(np.int32),
            common=np.where(known & (own != _NONE), overall, _NONE).astype(np.int32),
        )

    def difference(self, first: Index, second: Index, terms: Terms) -> Floats:
        """Return the points of the first models above the second ones; NaN where they are unknown."""
        total = np.where(terms.subject == _NONE, np.nan, 0.0)
        for sign, board in terms.signed():
            points = self.points[first, board] - self.points[second, board]
            total += np.where(board == _NONE, 0.0, sign * points)
        return total

    def shares(self, first: Index, second: Index, *, category: Index, language: Index | Flags) -> Floats:
        """Return the net share of readers who prefer each first model's answer; NaN where it is unknown."""
        return net_share(
            self.difference(first, second, self.terms(first, second, category=category, language=language))
        )

    def mean_gap(
        self, first: Index, second: Index, *, category: Index, language: Index | Flags, count: Ints
    ) -> Gap | None:
        """Return the mean over pairs, each ``count`` times; those that are unknown count for nothing.

        An error of a model's rating on a board is the same wherever that rating is used, so the interval is not
        narrowed by repeating a pair. Errors of ratings are taken as independent.

        Returns:
            The mean with its interval; None where no pair is known.
        """
        terms = self.terms(first, second, category=category, language=language)
        known = (terms.subject != _NONE) & (count > 0)
        if not known.any():
            return None
        difference = np.where(known, self.difference(first, second, terms), 0.0)
        weight = np.where(known, count, 0) / count[known].sum()
        share = np.where(first == second, 0.0, net_share(difference))
        slope = weight * _SCALE * (1 - share**2) * (first != second)
        effect = np.zeros_like(self.points)
        for sign, board in terms.signed():
            used = board != _NONE
            np.add.at(effect, (first[used], board[used]), sign * slope[used])
            np.add.at(effect, (second[used], board[used]), -sign * slope[used])
        mean = float(weight @ share)
        margin = _NINETY_PERCENT * float(np.sqrt(np.nansum((effect * self.sd) ** 2)))
        return Gap(share=mean, low=max(mean - margin, -1.0), high=min(mean + margin, 1.0))


def net_share(points: Floats) -> Floats:
    """Return the share who prefer a model that many points above another, net of those who prefer the other."""
    return np.asarray(np.tanh(points * _SCALE))


def preference_gap(first: str, second: str, *, category: str | None = None, language: str | None = None) -> Gap | None:
    """Return the share of readers who prefer the first model's answer, net; None where one of the two was not rated.

    Args:
        first: The id of a model.
        second: The id of the model it is compared with.
        category: The kind of task; without it, the overall board decides.
        language: ISO 639-1 code of the prompt's language.
    """
    ids = tuple(dict.fromkeys((first, second)))
    return preferences_of(ids).mean_gap(
        np.array([0], dtype=np.int32),
        np.array([ids.index(second)], dtype=np.int32),
        category=np.array([_NONE if category is None else _CATEGORIES.index(Category(category))], dtype=np.int32),
        language=np.array([LANGUAGES.index(language) if language in LANGUAGES else _NONE], dtype=np.int32),
        count=np.array([1]),
    )


@functools.lru_cache(maxsize=8)
def preferences_of(ids: tuple[str, ...]) -> Preferences:
    """Return the points of some models, which may not be written to."""
    points = np.full((len(ids), len(BOARDS)), np.nan)
    sd = np.full((len(ids), len(BOARDS)), np.nan)
    table = _packaged()
    for row, model in enumerate(ids):
        for board, value, deviation in table.get(model, ()):
            points[row, BOARDS.index(board)], sd[row, BOARDS.index(board)] = value, deviation
    for array in (points, sd):
        array.flags.writeable = False
    return Preferences(points=points, sd=sd)


def rated_as(model: str) -> str | None:
    """Return the arena's name of the rated model, with its snapshot and effort; None where it was not rated."""
    found = _table().filter(model_id=model)["rated_as"]
    return str(found[0]) if len(found) else None


@functools.cache
def _table() -> pl.DataFrame:
    data = resources.files("llm_audit.catalog").joinpath("preferences.csv").read_bytes()
    return pl.read_csv(data, schema_overrides={"points": pl.Float64, "sd": pl.Float64})


@functools.cache
def _packaged() -> dict[str, tuple[tuple[str, float, float], ...]]:
    rows = _table().select("model_id", "board", "points", "sd").rows_by_key("model_id")
    return {model: tuple(boards) for model, boards in rows.items()}


_SUBJECT_OF: Final = np.array([BOARDS.index(SUBJECTS.get(category, OVERALL)) for category in Category])
_LANGUAGE_OF: Final = np.array([BOARDS.index(language) for language in LANGUAGES])
_IS_UNRATED: Final = np.array([category in UNRATED for category in Category])
