"""Days that depart from a log's weekly rhythm: spikes and drops, and shifts of its level.

The rhythm is multiplicative: a day is its level times the factor of its day of the week. The factor is the median ratio
of such days to the mean of the seven days around them (classical decomposition, with medians so that a spike does not
move it; Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., 3.4). A level is a median; the
spread is 1.4826 times the median absolute deviation, the standard deviation of normal errors (Rousseeuw and Croux
1993).

A shift is the split that leaves the least absolute deviation, where the two medians differ by ``_SHIFT`` standard
errors and a fifth. A spike is a run of days that lie ``_SPIKE`` spreads and a third of it,
and of a mean day, above their expected spend; a drop is such a run below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from llm_audit.arrays import Floats, Ints
from llm_audit.audit.rhythm.days import WEEK

LEAST_DAYS = 2 * WEEK
_BY_DAY = 4 * WEEK
"""Days from which each day of the week has a factor of its own; before, workdays share one and weekends another."""
_WEEKEND = 5
_MAD = 1.4826
_MEDIAN_ERROR = 1.2533  # of a median, in standard errors of a mean
_SHIFT, _LEAST_SHIFT, _LEAST_SPREAD_OF_LEVEL = 5.0, 0.2, 0.02
_SPIKE, _LEAST_SPIKE, _LEAST_SPREAD = 5.0, 1 / 3, 0.05
_QUIET = 0.25
"""Days of the week below this factor say little about a level, and are measured against this part of it."""
_MOST_SHIFTS = 3


class Found(msgspec.Struct, kw_only=True, frozen=True):
    """A departure: its days, and the level before or around it whose other days are comparable.

    Attributes:
        kind: ``spike``, ``drop`` or ``shift``.
        start: The first day; of a shift, also where that day itself is a spike or a drop.
        days: The days.
        usual: The comparable days.
    """

    kind: str
    start: int
    days: tuple[int, ...]
    usual: tuple[int, ...]


def detect(weekdays: Sequence[int], spend: Sequence[float]) -> list[Found]:
    """Find the departures of consecutive days, by their first day; none in fewer than ``LEAST_DAYS``."""
    if len(spend) < LEAST_DAYS or not any(spend):
        return []
    day, amounts = np.asarray(weekdays), np.asarray(spend, dtype=np.float64)
    factors = _factors(day, amounts)[day]
    bounds = [0, *_splits(amounts, factors, 0, len(amounts), _MOST_SHIFTS), len(amounts)]
    levels = [_level(amounts, factors, start, end) for start, end in pairwise(bounds)]
    level = np.repeat(levels, np.diff(bounds))
    apart = _apart(amounts, factors, level)
    ordinary = [tuple(index for index in range(start, end) if not apart[index]) for start, end in pairwise(bounds)]
    shifts = [
        Found(kind="shift", start=start, days=after, usual=before)
        for start, (before, after) in zip(bounds[1:-1], pairwise(ordinary), strict=True)
        if before and after
    ]
    spikes = [
        Found(
            kind="spike" if apart[run[0]] > 0 else "drop",
            start=run[0],
            days=run,
            usual=ordinary[int(np.searchsorted(bounds, run[0], side="right")) - 1],
        )
        for run in _runs(apart)
    ]
    return sorted((found for found in (*shifts, *spikes) if found.usual), key=lambda found: (found.days[0], found.kind))


def comparable(weekdays: Sequence[int], day: int, usual: Sequence[int]) -> tuple[int, ...]:
    """Return the usual days of one's day of the week; of its part of the week, or all, where there are under two."""
    mine = weekdays[day]
    same = tuple(index for index in usual if weekdays[index] == mine)
    alike = tuple(index for index in usual if (weekdays[index] >= _WEEKEND) == (mine >= _WEEKEND))
    return next((days for days in (same, alike) if len(days) > 1), tuple(usual))


def _factors(day: np.ndarray, amounts: Floats) -> Floats:
    """Return the factor of each day of the week; they add up to seven."""
    around = np.convolve(amounts, np.full(WEEK, 1 / WEEK), mode="valid")
    centre = slice(WEEK // 2, len(amounts) - WEEK // 2)
    known = around > 0
    ratios = amounts[centre][known] / around[known]
    group = day if len(amounts) >= _BY_DAY else (day >= _WEEKEND).astype(int)
    of_week = np.arange(WEEK) if len(amounts) >= _BY_DAY else (np.arange(WEEK) >= _WEEKEND).astype(int)
    groups = group[centre][known]
    found = np.array([np.median(ratios[groups == one]) if (groups == one).any() else 1.0 for one in of_week])
    return found * WEEK / found.sum() if found.sum() else np.ones(WEEK)


def _level(amounts: Floats, factors: Floats, start: int, end: int) -> float:
    part = slice(start, end)
    busy = factors[part] >= _QUIET
    return float(np.median(amounts[part][busy] / factors[part][busy])) if busy.any() else 0.0


def _splits(amounts: Floats, factors: Floats, start: int, end: int, most: int) -> list[int]:
    """Return where the level shifts, at most ``most`` times, in order."""
    if most < 1 or end - start < 2 * WEEK:
        return []
    busy = np.flatnonzero(factors[start:end] >= _QUIET) + start
    adjusted = amounts[busy] / factors[busy]
    best: tuple[float, int, bool] | None = None
    for split in range(start + WEEK, end - WEEK + 1):
        before, after = adjusted[busy < split], adjusted[busy >= split]
        if len(before) < WEEK // 2 or len(after) < WEEK // 2:
            continue
        first, second = float(np.median(before)), float(np.median(after))
        errors = np.concatenate([np.abs(before - first), np.abs(after - second)])
        spread = max(_MAD * float(np.median(errors)), _LEAST_SPREAD_OF_LEVEL * max(first, second))
        stderr = _MEDIAN_ERROR * spread * (1 / len(before) + 1 / len(after)) ** 0.5
        moved = abs(second - first)
        shifted = moved > _SHIFT * stderr and moved > _LEAST_SHIFT * max(first, second)
        fitted = factors[start:end] * np.where(np.arange(start, end) < split, first, second)
        left = float(np.abs(amounts[start:end] - fitted).sum())
        if best is None or left < best[0]:
            best = left, split, shifted
    if best is None or not best[2]:
        return []
    split = best[1]
    earlier = _splits(amounts, factors, start, split, most - 1)
    return [*earlier, split, *_splits(amounts, factors, split, end, most - 1 - len(earlier))]


def _apart(amounts: Floats, factors: Floats, level: Floats) -> Ints:
    """Return 1 for days apart above their expected spend, -1 for those below it and 0 for others."""
    known = level > 0
    expected = level * factors
    unit = np.where(known, np.maximum(expected, _QUIET * level), 1.0)
    errors = np.where(known, (amounts - expected) / unit, 0.0)
    spread = max(_MAD * float(np.median(np.abs(errors[known]))) if known.any() else 0.0, _LEAST_SPREAD)
    matters = known & (np.abs(amounts - expected) > _LEAST_SPIKE * np.maximum(expected, level))
    return np.where((np.abs(errors) > _SPIKE * spread) & matters, np.sign(errors), 0).astype(np.int64)


def _runs(apart: Ints) -> list[tuple[int, ...]]:
    """Return the runs of consecutive days that are apart in one direction."""
    runs: list[tuple[int, ...]] = []
    for index in np.flatnonzero(apart).tolist():
        if runs and runs[-1][-1] == index - 1 and apart[index - 1] == apart[index]:
            runs[-1] = (*runs[-1], index)
        else:
            runs.append((index,))
    return runs
