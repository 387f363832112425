"""Hold an audit to rules: against a baseline where a rule is about change, by itself where it is about a level.

A rule about change trips on the near bound of the change's interval, not on its middle, so that noise alone does not
fail a build; a rule about a level holds what was really spent, which is no estimate. Too few requests are not a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from llm_audit.compare.rules import UNITS, GateRule
from llm_audit.document.audit import Document, Metric
from llm_audit.document.comparison import CheckResult, Comparison, MetricChange, Outcome, Rule


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Strictness of a comparison."""

    confidence: float = 0.9  # of the interval on a change
    min_samples: int = 30  # requests needed on each side
    min_change_usd: float = 1.0  # a relative rule needs at least this change in the head's bill


def metric_changes(base: Document, head: Document, *, confidence: float) -> list[MetricChange]:
    """Every metric both sides have, with the interval of its change at ``confidence``, in the head's order."""
    known = _by_name(base)
    return [
        _change(known[metric.name], metric, confidence=confidence)
        for metric in _by_name(head).values()
        if metric.name in known
    ]


def check(
    head: Document,
    rules: Sequence[GateRule],
    *,
    base: Document | None = None,
    comparison: Comparison | None = None,
    options: GateOptions | None = None,
) -> CheckResult:
    """Evaluate each rule, in the order given."""
    options = options or GateOptions()
    verdicts = [_evaluate(rule, head, base, comparison, options) for rule in rules]
    count = {outcome: sum(verdict.outcome is outcome for verdict in verdicts) for outcome in Outcome}
    return CheckResult(
        rules=verdicts,
        comparison=comparison,
        failed=count[Outcome.FAILED],
        passed=count[Outcome.PASSED],
        not_evaluated=count[Outcome.NOT_EVALUATED],
    )


def _by_name(document: Document) -> dict[str, Metric]:
    requests = document.requests
    rejected = Metric(
        name="rejected_share",
        unit="share",
        value=requests.rejected / requests.read if requests.read else 0.0,
        stderr=None,
        requests=requests.read,
        clusters=requests.read,
    )
    return {metric.name: metric for metric in (*document.metrics, rejected)}


def _change(base: Metric, head: Metric, *, confidence: float) -> MetricChange:
    margin = NormalDist().inv_cdf((1 + confidence) / 2) * math.hypot(base.stderr or 0.0, head.stderr or 0.0)
    change = head.value - base.value
    return MetricChange(
        metric=head.name,
        unit=head.unit,
        base=base.value,
        head=head.value,
        change=change,
        low=change - margin,
        high=change + margin,
    )


def _evaluate(
    rule: GateRule, head: Document, base: Document | None, comparison: Comparison | None, options: GateOptions
) -> Rule:
    now = _by_name(head).get(rule.metric)
    before = _by_name(base).get(rule.metric) if base else None
    if now is None:
        return _verdict(rule, Outcome.NOT_EVALUATED, f"{rule.metric} is not in the audit.", None, None)
    if rule.kind == "level":
        return _level(rule, now)
    if before is None:
        missing = "there is no baseline" if base is None else "the baseline does not have it"
        return _verdict(
            rule, Outcome.NOT_EVALUATED, f"{rule.metric} could not be compared: {missing}.", None, now.value
        )
    fewest = min(before.requests, now.requests)
    if fewest < options.min_samples:
        message = f"{rule.metric} has {fewest} requests on one side; {options.min_samples} are needed."
        return _verdict(rule, Outcome.NOT_EVALUATED, message, before.value, now.value)
    return _held(rule, before, now, comparison, options)


def _level(rule: GateRule, now: Metric) -> Rule:
    failed = now.value > rule.threshold
    is_or_within = "is above" if failed else "is within"
    message = f"{rule.metric} {show(now.value, now.unit)} {is_or_within} {show(rule.threshold, now.unit)}."
    return _verdict(rule, Outcome.FAILED if failed else Outcome.PASSED, message, None, now.value)


def _held(rule: GateRule, before: Metric, now: Metric, comparison: Comparison | None, options: GateOptions) -> Rule:
    change = _change(before, now, confidence=options.confidence)
    assert change.low is not None
    assert change.high is not None
    assert change.change is not None
    near = change.low if rule.rising else -change.high
    allowed = rule.threshold * abs(before.value) if rule.kind == "relative" else rule.threshold
    failed = near > allowed
    too_small = failed and rule.kind == "relative" and _bill(change.change, now) < options.min_change_usd
    words = "rose" if change.change >= 0 else "fell"
    message = (
        f"{rule.metric} {words} from {show(before.value, now.unit)} to {show(now.value, now.unit)}"
        f" ({_relative(change.change, before.value)}; {options.confidence:.0%} interval of the change"
        f" {show(change.low, now.unit, signed=True)} to {show(change.high, now.unit, signed=True)})."
    )
    if too_small:
        message += f" That is less than {show(options.min_change_usd, 'USD')} of the bill, so it passes."
    elif failed and comparison is not None:
        message += _culprits(comparison)
    outcome = Outcome.FAILED if failed and not too_small else Outcome.PASSED
    return _verdict(rule, outcome, message, before.value, now.value)


def _bill(change: float, now: Metric) -> float:
    """Return a change in dollars of the head's bill; infinite for what is no amount, so that no floor applies."""
    name = now.name.partition("[")[0]
    if UNITS.get(name) != "USD":
        return math.inf
    return abs(change) * (now.requests if name == "cost_per_request" else 1)


def _culprits(comparison: Comparison) -> str:
    """Return the model and app that moved the bill most, in the change's own direction."""
    sign = -1 if comparison.change.startswith("-") else 1
    named = []
    for group in ("model", "app", "team"):
        rows = [row for row in comparison.groups if row.group == group and sign * float(row.change) > 0]
        if rows:
            most = max(rows, key=lambda row: (sign * float(row.change), row.name))
            named.append(f"{group} {most.name} {show(float(most.change), 'USD', signed=True)}")
    return f" Most of it: {', '.join(named)}." if named else ""


def _relative(change: float, base: float) -> str:
    return f"{change / abs(base):+.1%}" if base else "from zero"


def _verdict(rule: GateRule, outcome: Outcome, message: str, base: float | None, head: float | None) -> Rule:
    return Rule(
        rule=rule.text,
        outcome=outcome,
        message=message,
        base=base,
        head=head,
        threshold=rule.threshold,
        unit=UNITS[rule.metric.partition("[")[0]],
        source=rule.source,
        line=rule.line,
    )


def show(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a figure for a sentence: dollars to the cent, or to four digits where smaller; shares in percent."""
    sign = "-" if value < 0 else "+" if signed else ""
    size = abs(value)
    if unit == "share":
        return f"{sign}{size:.1%}" if not signed else f"{sign}{size * 100:.1f} pp"
    if unit == "USD":
        return f"{sign}${size:,.2f}" if size >= 1 or size == 0 else f"{sign}${size:.4g}"
    return f"{sign}{size:,.0f}"
