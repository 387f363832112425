"""A rule about a change: passed, failed or inconclusive, by the interval of the change.

The interval is in the unit of the rule's threshold: per cent of the baseline, percentage points, dollars or a count.
Wholly beyond the threshold it fails the rule, wholly within it passes; where it holds the threshold, the requests
cannot tell, and the rule is inconclusive. So noise alone fails nothing, and a true change beyond the threshold passes
in at most (1 - confidence) / 2 of all samples.
"""

from __future__ import annotations

import math

import msgspec

from llm_audit.compare.power import Needed, Sample, margin, requests_needed, smallest_change
from llm_audit.compare.rules import TOTALS, UNITS, GateRule
from llm_audit.compare.wording import about, show
from llm_audit.document.audit import Metric
from llm_audit.document.comparison import Outcome


class Change(msgspec.Struct, kw_only=True, frozen=True):
    """A change in the unit of a rule's threshold, with the errors of both sides in that unit."""

    value: float
    low: float
    high: float
    unit: str
    base: Sample
    head: Sample


class Judged(msgspec.Struct, kw_only=True, frozen=True):
    """A rule's outcome, and the sentences that give its reason.

    Attributes:
        outcome: The outcome.
        message: The reason.
        change: The change.
        smallest: The smallest change that these requests could have shown; with a sign.
        needed: How many requests would show the threshold.
    """

    outcome: Outcome
    message: str
    change: Change
    smallest: float | None = None
    needed: Needed | None = None


def judge(
    rule: GateRule, before: Metric, now: Metric, *, confidence: float, floor_usd: float, rate: float = 1.0
) -> Judged:
    """Evaluate a rule about a change.

    Args:
        rule: The rule.
        before: The metric in the baseline.
        now: The metric in this audit.
        confidence: Of the interval.
        floor_usd: A relative rule needs at least this change in the bill.
        rate: The share of all requests, which the bill is for, that the head's logs hold.
    """
    change = _change(rule, before, now, confidence=confidence)
    threshold = rule.threshold if before.known_value or rule.kind == "absolute" else 0.0
    sign = 1 if rule.rising else -1
    near, far = (change.low, change.high) if rule.rising else (-change.high, -change.low)
    message = _moved(before, now, change, sign * threshold, confidence=confidence)
    if far <= threshold:
        return Judged(outcome=Outcome.PASSED, message=message, change=change)
    failed = near > threshold
    most = change.value if failed else sign * far
    if rule.kind == "relative" and _bill(most * (abs(before.known_value) or 1), now) / rate < floor_usd:
        which = "That" if failed else "Even the far end"
        message += f" {which} is less than {show(floor_usd, 'USD')} of the bill, so it passes."
        return Judged(outcome=Outcome.PASSED, message=message, change=change)
    if failed:
        return Judged(outcome=Outcome.FAILED, message=message, change=change)
    smallest = smallest_change(math.hypot(change.base.stderr, change.head.stderr), confidence=confidence)
    if smallest <= threshold:
        message += " The interval holds the threshold: the change is too close to it to tell."
        return Judged(outcome=Outcome.INCONCLUSIVE, message=message, change=change, smallest=sign * smallest)
    needed = _needed(rule, change, confidence=confidence)
    message += f" {_too_few(before, now, change.unit, (sign * smallest, sign * threshold), needed)}"
    return Judged(outcome=Outcome.INCONCLUSIVE, message=message, change=change, smallest=sign * smallest, needed=needed)


def _change(rule: GateRule, before: Metric, now: Metric, *, confidence: float) -> Change:
    """Return the change; per cent of the baseline by the delta method, and a difference where the baseline is zero."""
    errors = before.stderr or 0.0, now.stderr or 0.0
    if rule.kind == "relative" and before.known_value:
        size = abs(before.known_value)
        value, unit = (now.known_value - before.known_value) / size, "percent"
        errors = errors[0] * abs(now.known_value / before.known_value) / size, errors[1] / size
    else:
        value, unit = now.known_value - before.known_value, "points" if now.unit == "share" else now.unit
    half = margin(math.hypot(*errors), confidence=confidence)
    return Change(
        value=value,
        low=value - half,
        high=value + half,
        unit=unit,
        base=Sample(stderr=errors[0], requests=before.requests),
        head=Sample(stderr=errors[1], requests=now.requests),
    )


def _needed(rule: GateRule, change: Change, *, confidence: float) -> Needed | None:
    """Return the requests that would show the threshold; a total in dollars grows with them, so it has no number."""
    total = rule.metric.partition("[")[0] in TOTALS
    if total and rule.kind == "absolute":
        return None
    return requests_needed(change.base, change.head, rule.threshold, confidence=confidence, base_grows=total)


def _moved(before: Metric, now: Metric, change: Change, threshold: float, *, confidence: float) -> str:
    old, new = show(before.known_value, now.unit), show(now.known_value, now.unit)
    moved = f"stayed at {new}" if old == new else f"{'rose' if change.value > 0 else 'fell'} from {old} to {new}"
    low, high, held = (show(value, change.unit, signed=True) for value in (change.low, change.high, threshold))
    relative = " of the baseline" if change.unit == "percent" and now.unit == "share" else ""
    return (
        f"{now.name} {moved} ({show(change.value, change.unit, signed=True)}{relative};"
        f" {confidence:.0%} interval {low} to {high}; threshold {held})."
    )


def _too_few(before: Metric, now: Metric, unit: str, changes: tuple[float, float], needed: Needed | None) -> str:
    smallest, threshold = (about(change, unit) if change else show(0.0, unit) for change in changes)
    at = f"{now.requests:,} requests"
    if needed is not None and needed.each_side and before.requests != now.requests:
        at += f" against {before.requests:,}"
    said = f"Too few requests to tell: the smallest change that they can show is about {smallest} at {at}"
    if needed is None:
        return f"{said}."
    return f"{said}; about {needed.requests:,}{' on each side' if needed.each_side else ''} would show {threshold}."


def _bill(change: float, now: Metric) -> float:
    """Return a change in dollars of the head's bill; infinite for what is no amount, so that no floor applies."""
    name = now.name.partition("[")[0]
    if UNITS.get(name) != "USD":
        return math.inf
    return abs(change) * (now.requests if name == "cost_per_request" else 1)
