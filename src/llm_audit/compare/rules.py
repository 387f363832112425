"""Gate rules as users write them: ``METRIC:THRESHOLD``.

``cost_per_request:+10%`` fails when the metric rose by more than a tenth, ``flagship_tax:+2pp`` when a share rose by
more than two percentage points, ``total_cost:+50USD`` when an amount rose by more than fifty dollars,
``cache_read_share:-5pp`` when it fell by more; without a sign the head itself is held: ``total_cost:500USD``,
``unpriced_share:1%``. A selector names a tier, model, team or app: ``model_share[frontier]:+5pp``,
``cost_per_request[team=search]:+10%``; or for costs a user or a tag: ``total_cost[tag:customer=acme]:50USD``.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec

from llm_audit.errors import UsageError
from llm_audit.suggestions import did_you_mean

UNITS = {
    "total_cost": "USD",
    "forecast": "USD",
    "cost_per_request": "USD",
    "flagship_tax_amount": "USD",
    "flagship_tax": "share",
    "tokens_per_request": "count",
    "model_share": "share",
    "cost_share": "share",
    "cache_read_share": "share",
    "failed_share": "share",
    "abstained_share": "share",
    "unpriced_share": "share",
    "rejected_share": "share",
}
"""Every metric a rule can name, with its unit."""

TOTALS = frozenset({"total_cost", "flagship_tax_amount"})
"""Metrics that grow with the number of requests."""

FORECAST = "forecast"
"""The projected cost of the calendar month of the last request."""

_RULE = re.compile(
    r"(?P<metric>[a-z_]+)(?P<selector>\[[^\]]+\])?:(?P<sign>[+-]?)(?P<number>\d+(?:\.\d+)?)(?P<unit>%|pp|USD)?"
)
_BUDGET = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*USD(?:/(?P<per>day|week|month))?")
_HIGHEST = re.compile(r"\d+(?:\.\d+)?(?P<unit>%|USD)")
_SPANS: dict[str, Callable[[dt.date], Fraction]] = {
    "day": lambda _: Fraction(1),
    "week": lambda _: Fraction(1, 7),
    "month": lambda day: Fraction(1, calendar.monthrange(day.year, day.month)[1]),
}
"""The part of its span that a day is, of its own calendar month."""
_OF_PEOPLE = ("total_cost", "cost_per_request")
"""Metrics of users and tags."""
_NEEDS_SELECTOR = ("model_share", "cost_share")


class GateRule(msgspec.Struct, frozen=True):
    """One rule. ``kind``: ``level`` holds the head, ``relative`` and ``absolute`` hold its change."""

    text: str
    metric: str  # with its selector, as ``Metric.name``
    kind: str
    rising: bool
    threshold: float  # dollars, a count, or a fraction of one
    source: str | None = None
    line: int | None = None
    of_all_traffic: bool = False  # the head is scaled from a sample first
    days: int | None = None  # that the threshold is for, of an amount a day, week or month


def parse(text: str, *, source: str | None = None, line: int | None = None) -> GateRule:
    """Read one rule.

    Raises:
        UsageError: It is not a rule, names no known metric, or its threshold does not fit the metric's unit.
    """
    found = _RULE.fullmatch(text.strip())
    if not found:
        raise UsageError(
            f"{text!r} is not a rule. Write METRIC:THRESHOLD, such as cost_per_request:+10% or total_cost:500USD."
        )
    metric, selector, sign = found["metric"], found["selector"] or "", found["sign"]
    if metric not in UNITS:
        hint = did_you_mean(metric, UNITS) or f" Known metrics: {', '.join(UNITS)}."
        raise UsageError(f"Unknown metric {metric!r} in {text!r}.{hint}")
    if metric in _NEEDS_SELECTOR and not selector:
        raise UsageError(f"{text!r} does not name a tier or model. Write {metric}[frontier]:… or a model's name.")
    group = selector[1:].partition("=")[0]
    if (group == "user" or group.startswith("tag:")) and metric not in _OF_PEOPLE:
        raise UsageError(f"{text!r} is not a rule: users and tags have {' and '.join(_OF_PEOPLE)} alone.")
    if metric == FORECAST and (sign or selector or found["unit"] == "%"):
        raise UsageError(f"{text!r} is not a rule: forecast takes an amount for the month alone, such as 2000USD.")
    kind, threshold = _threshold(text, UNITS[metric], sign, float(found["number"]), found["unit"] or "")
    return GateRule(
        text=text.strip(),
        metric=metric + selector,
        kind=kind,
        rising=sign != "-",
        threshold=threshold,
        source=source,
        line=line,
    )


def highest_flagship_tax(text: str) -> GateRule:
    """Read the value of ``--max-flagship-tax``: a share such as ``30%``, or an amount such as ``500USD``.

    Raises:
        UsageError: It is neither.
    """
    found = _HIGHEST.fullmatch(text.strip())
    if not found:
        number = text.strip() if re.fullmatch(r"\d+(?:\.\d+)?", text.strip()) else None
        forms = f"{number}% or {number}USD" if number else "a share, such as 30%, or an amount, such as 500USD"
        problem = "has no unit" if number else "is neither a share nor an amount"
        raise UsageError(f"--max-flagship-tax {text} {problem}. Give {forms}.")
    return parse(f"{'flagship_tax' if found['unit'] == '%' else 'flagship_tax_amount'}:{text.strip()}")


def budget(
    selector: str, text: str, *, days: Sequence[dt.date], source: str | None = None, line: int | None = None
) -> GateRule:
    """Return a budget as a rule on the head's cost: the amount for its days, or for the audited period as it is.

    Of logs that are a sample, the cost is scaled to all traffic, which a budget is for.

    Args:
        selector: ``team=NAME``, ``app=NAME``, ``user=NAME`` or ``tag:KEY=VALUE``, or ``total`` for all.
        text: ``500USD``, or an amount a ``/day``, ``/week`` or ``/month``; each day is its part of its calendar month.
        days: Calendar days audited, those without requests included.
        source: The file that holds it.
        line: Its line there.

    Raises:
        UsageError: The selector or the amount is neither.
    """
    found = _BUDGET.fullmatch(text.strip())
    group, _, name = selector.partition("=")
    if not found or not (selector == "total" or (_budgeted(group) and name)):
        raise UsageError(f'Budget {selector!r} = {text!r} is not valid. Write "team=search" = "500USD/month".')
    length = found["per"]
    spans = sum(map(_SPANS[length], days), Fraction(0)) if length else Fraction(1)
    metric = "total_cost" if selector == "total" else f"total_cost[{selector}]"
    return GateRule(
        text=f"budget {selector}: {text.strip()}",
        metric=metric,
        kind="level",
        rising=True,
        threshold=float(Fraction(found["number"]) * spans),
        source=source,
        line=line,
        of_all_traffic=True,
        days=len(days) if length else None,
    )


def _budgeted(group: str) -> bool:
    return group in {"team", "app", "user"} or (len(group) > len("tag:") and group.startswith("tag:"))


def _threshold(text: str, metric_unit: str, sign: str, number: float, unit: str) -> tuple[str, float]:
    if unit == "%" and sign:
        return "relative", number / 100
    if unit == "%" and metric_unit == "share":
        return "level", number / 100
    if unit == "pp" and sign and metric_unit == "share":
        return "absolute", number / 100
    if unit in {"", "USD"} and metric_unit in {"USD", "count"} and not (unit == "USD" and metric_unit == "count"):
        return ("absolute" if sign else "level"), number
    fits = {"share": "+10%, +2pp or 5%", "USD": "+10%, +50USD or 500USD", "count": "+10%, +200 or 4000"}[metric_unit]
    raise UsageError(f"The threshold of {text!r} does not fit: this metric takes {fits}.")
