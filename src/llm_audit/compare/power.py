"""The changes that a number of requests can show, and the number that a change needs.

A rule compares an interval of half-width z·s with its threshold, s being the standard error of the change. A true
change of (z + z_power)·s is told from none in a share ``POWER`` of all samples: the minimum detectable effect of a
two-sample comparison (Bloom 1995, "Minimum Detectable Effects", Evaluation Review 19). The variance of a mean or ratio
falls as 1 / n, which gives the requests that a threshold needs.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import msgspec

POWER = 0.8
"""Share of samples in which the smallest change that counts as shown would be found."""


class Sample(msgspec.Struct, kw_only=True, frozen=True):
    """The standard error of one side, in the unit of the change, and its requests."""

    stderr: float
    requests: int


class Needed(msgspec.Struct, kw_only=True, frozen=True):
    """Requests that would show a change: of this audit, or of each side where the baseline is too small as well."""

    requests: int
    each_side: bool


def margin(stderr: float, *, confidence: float) -> float:
    """Return the half-width of an interval.

    >>> round(margin(1.0, confidence=0.9), 3)
    1.645
    """
    return NormalDist().inv_cdf((1 + confidence) / 2) * stderr


def smallest_change(stderr: float, *, confidence: float) -> float:
    """Return the smallest change that a standard error can show.

    >>> round(smallest_change(1.0, confidence=0.9), 3)
    2.486
    """
    return margin(stderr, confidence=confidence) + NormalDist().inv_cdf(POWER) * stderr


def requests_needed(
    base: Sample, head: Sample, change: float, *, confidence: float, base_grows: bool = False
) -> Needed | None:
    """Return how many requests would show a change; None where no number would.

    Args:
        base: The baseline. Its requests stay as they are, unless it could not show the change itself.
        head: This audit.
        change: The change to be shown, in the unit of the errors.
        confidence: Of the interval.
        base_grows: Whether the baseline must always grow as well, as for a total.
    """
    if change <= 0:
        return None
    target = (change / smallest_change(1.0, confidence=confidence)) ** 2
    of_base, of_head = base.stderr**2, head.stderr**2
    if target > 2 * of_base and not base_grows:
        return Needed(requests=_rounded(head.requests * of_head / (target - of_base)), each_side=False)
    each = (base.requests * of_base + head.requests * of_head) / target
    return Needed(requests=_rounded(each), each_side=True)


def _rounded(number: float) -> int:
    """Round up to two significant digits.

    >>> _rounded(6023.1), _rounded(7.2)
    (6100, 8)
    """
    whole = math.ceil(number)
    step: int = 10 ** max(0, len(str(whole)) - 2)
    return -(-whole // step) * step
