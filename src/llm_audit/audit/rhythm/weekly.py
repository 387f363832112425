"""A weekly rhythm fitted to daily spend, and the interval of what further days will cost.

Spend of a day is the mean of its day of the week plus an error. Over H further days, h_w of them on weekday w, the sum
has the variance k·s²·(Σ h_w² / n_w + H): the error of the means and that of the days themselves (prediction in a linear
model; Weisberg, "Applied Linear Regression"), with s² the residual variance on n - p degrees of freedom. Errors of
neighbouring days are alike, which k = (1 + r) / (1 - r) allows for (Bayley and Hammersley 1946, "The Effective Number
of Independent Observations in an Autocorrelated Time Series"), r being the residuals' lag-1 autocorrelation, its bias
of -(1 + 3·r) / n removed (Kendall 1954).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist, fmean

import msgspec

from llm_audit.audit.rhythm.days import WEEK

_WEEKEND = 5
_MOST_ALIKE = 0.8
"""The largest autocorrelation allowed for; beyond it a few weeks say nothing."""


class Rhythm(msgspec.Struct, kw_only=True, frozen=True):
    """Mean spend by day of the week.

    Attributes:
        name: ``day_of_week``, or ``workday_weekend`` where there are fewer than two weeks.
        means: From Monday to Sunday.
        counts: Days that each mean is over.
        groups: Weekdays that share a mean have one number.
        variance: Of the days' errors, with what their likeness adds.
        freedom: Degrees of freedom of the variance.
    """

    name: str
    means: tuple[float, ...]
    counts: tuple[int, ...]
    groups: tuple[int, ...]
    variance: float
    freedom: int

    def expected(self, days: Sequence[float]) -> float:
        """Return the spend of so many days of each day of the week."""
        return sum(count * mean for count, mean in zip(days, self.means, strict=True))

    def margin(self, days: Sequence[float], *, confidence: float) -> float:
        """Return the half-width of the interval of the spend of so many days of each day of the week."""
        shared = [0.0] * (max(self.groups) + 1)
        for group, count in zip(self.groups, days, strict=True):
            shared[group] += count
        sizes = dict(zip(self.groups, self.counts, strict=True))
        of_means = sum(count * count / sizes[group] for group, count in enumerate(shared) if count)
        return student((1 + confidence) / 2, self.freedom) * math.sqrt(self.variance * (of_means + sum(days)))


def fit(weekdays: Sequence[int], spend: Sequence[float]) -> Rhythm:
    """Fit the rhythm of consecutive days, at least a week of them.

    Args:
        weekdays: The day of the week of each; 0 is Monday.
        spend: What was spent on each.
    """
    by_day = len(spend) >= 2 * WEEK
    groups = tuple(range(WEEK)) if by_day else tuple(int(day >= _WEEKEND) for day in range(WEEK))
    means, counts = [], []
    for day in range(WEEK):
        mine = [amount for weekday, amount in zip(weekdays, spend, strict=True) if groups[weekday] == groups[day]]
        means.append(fmean(mine))
        counts.append(len(mine))
    residuals = [amount - means[weekday] for weekday, amount in zip(weekdays, spend, strict=True)]
    freedom = len(spend) - len(set(groups))
    variance = sum(error * error for error in residuals) / freedom
    alike = _autocorrelation(residuals)
    return Rhythm(
        name="day_of_week" if by_day else "workday_weekend",
        means=tuple(means),
        counts=tuple(counts),
        groups=groups,
        variance=variance * (1 + alike) / (1 - alike),
        freedom=freedom,
    )


def _autocorrelation(residuals: Sequence[float]) -> float:
    squares = sum(error * error for error in residuals)
    if not squares:
        return 0.0
    lagged = sum(first * second for first, second in pairwise(residuals)) / squares
    unbiased = lagged + (1 + 3 * lagged) / len(residuals)
    return min(_MOST_ALIKE, max(0.0, unbiased))


def student(share: float, freedom: int) -> float:
    """Return a quantile of Student's t, by its expansion about the normal (Abramowitz and Stegun, 26.7.5).

    >>> round(student(0.95, 5), 2), round(student(0.95, 21), 3)
    (2.01, 1.721)
    """
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / math.pow(freedom, power) for power, term in enumerate(terms, start=1))
