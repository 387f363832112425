"""Check an audit against rules: a rule about a change needs a baseline, a rule about a level needs none.

A rule about a level is about what was really spent, which is no estimate, but for a budget where the logs are a sample.
``changes`` says how a change is judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from llm_audit.compare.changes import judge
from llm_audit.compare.power import margin
from llm_audit.compare.rules import FORECAST, TOTALS, UNITS, GateRule
from llm_audit.compare.wording import show
from llm_audit.document.audit import Document, Metric
from llm_audit.document.comparison import CheckResult, Comparison, InconclusiveIs, MetricChange, Outcome, Rule
from llm_audit.document.sampling import in_words


class GateOptions(msgspec.Struct, frozen=True):
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
    inconclusive: InconclusiveIs = InconclusiveIs.WARNING,
) -> CheckResult:
    """Evaluate each rule, in the order given; ``inconclusive`` is what an inconclusive one counts as."""
    options = options or GateOptions()
    verdicts = [_evaluate(rule, head, base, comparison, options) for rule in rules]
    count = {outcome: sum(verdict.outcome is outcome for verdict in verdicts) for outcome in Outcome}
    return CheckResult(
        rules=verdicts,
        comparison=comparison,
        failed=count[Outcome.FAILED],
        passed=count[Outcome.PASSED],
        inconclusive=count[Outcome.INCONCLUSIVE],
        not_evaluated=count[Outcome.NOT_EVALUATED],
        inconclusive_is=inconclusive,
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
    half = margin(math.hypot(base.stderr or 0.0, head.stderr or 0.0), confidence=confidence)
    change = None if base.value is None or head.value is None else head.value - base.value
    return MetricChange(
        metric=head.name,
        unit=head.unit,
        base=base.value,
        head=head.value,
        change=change,
        low=None if change is None else change - half,
        high=None if change is None else change + half,
    )


def _evaluate(
    rule: GateRule, head: Document, base: Document | None, comparison: Comparison | None, options: GateOptions
) -> Rule:
    if rule.metric == FORECAST:
        return _forecast(rule, head)
    now = _by_name(head).get(rule.metric)
    if now is None:
        return _verdict(rule, Outcome.NOT_EVALUATED, f"{rule.metric} is not in the audit.", None, None)
    undated = "the budget is for a span of time, and no request has a time" if rule.days == 0 else None
    if (reason := undated or _unknown(head, now)) is not None:
        return _verdict(rule, Outcome.NOT_EVALUATED, f"{rule.metric} is not known: {reason}.", None, None)
    if rule.kind != "level":
        return _change_rule(rule, head, base, comparison, options)
    sampled = rule.metric.partition("[")[0] in TOTALS and head.sampling_rate != 1
    if sampled and rule.of_all_traffic:
        return _budget(rule, now, head.sampling_rate, options)
    return _level(rule, now, f" in the logs, a sample of {in_words(head.sampling_rate)}," if sampled else "")


def _unknown(document: Document, metric: Metric) -> str | None:
    """Return why a metric is unknown: a tax is where nothing, or nothing of its group, could be judged."""
    if metric.value is not None:
        return None
    if metric.name.startswith("flagship_tax") and document.cost.priced_requests:
        return "no priced request could be judged and routed"
    return "none of its requests has a price"


def _change_rule(
    rule: GateRule, head: Document, base: Document | None, comparison: Comparison | None, options: GateOptions
) -> Rule:
    now, before = _by_name(head)[rule.metric], _by_name(base).get(rule.metric) if base else None
    total = rule.metric.partition("[")[0] in TOTALS
    missing = None
    if base is None or before is None:
        missing = "there is no baseline" if base is None else "the baseline does not have it"
    elif (reason := _unknown(base, before)) is not None:
        missing = f"of the baseline, {reason}"
    elif total and base.sampling_rate != head.sampling_rate:
        missing = f"the baseline has {in_words(base.sampling_rate)}, this audit {in_words(head.sampling_rate)}"
    if before is None or missing is not None:
        message = f"{rule.metric} could not be compared: {missing}."
        return _verdict(rule, Outcome.NOT_EVALUATED, message, before.value if before else None, now.value)
    fewest = min(before.requests, now.requests)
    if fewest < options.min_samples:
        message = f"{rule.metric} has {fewest:,} requests on one side; {options.min_samples:,} are needed to tell."
        return _verdict(rule, Outcome.INCONCLUSIVE, message, before.value, now.value)
    return _held(rule, before, now, comparison, options, rate=head.sampling_rate)


def _forecast(rule: GateRule, head: Document) -> Rule:
    """Check a month's projected cost: it fails, passes or is inconclusive by its interval, as a change does."""
    rate = head.run_rate
    end = None if rate is None else rate.month_end
    if end is None or rate is None:
        reason = rate.reason if rate is not None else "the audit has no run rate"
        return _verdict(rule, Outcome.NOT_EVALUATED, f"forecast is unknown: {reason}.", None, None)
    amount, low, high, spent = (float(figure) for figure in (end.amount, end.low, end.high, end.spent))
    limit = show(rule.threshold, "USD")
    message = (
        f"{end.month} is projected to cost {show(amount, 'USD')} ({rate.confidence:.0%} interval {show(low, 'USD')} to"
        f" {show(high, 'USD')}; {show(spent, 'USD')} spent; limit {limit}{_scaled(head.sampling_rate)})."
    )
    return _estimated(rule, message, amount, (low, high))


def _budget(rule: GateRule, now: Metric, rate: float, options: GateOptions) -> Rule:
    """Check a cost scaled from a sample, which is an estimate with an interval."""
    amount = now.known_value / rate
    half = margin((now.stderr or 0.0) * math.sqrt(1 - rate) / rate, confidence=options.confidence)
    low, high = max(now.known_value, amount - half), amount + half  # the logs' own cost is spent
    message = (
        f"{rule.metric} is estimated at {show(amount, 'USD')} ({options.confidence:.0%} interval {show(low, 'USD')} to"
        f" {show(high, 'USD')}; limit {show(rule.threshold, 'USD')}{_days(rule)}{_scaled(rate)})."
    )
    return _estimated(rule, message, amount, (low, high))


def _days(rule: GateRule) -> str:
    return "" if rule.days is None else f" for {rule.days:,} day{'' if rule.days == 1 else 's'}"


def _scaled(rate: float) -> str:
    return "" if rate == 1 else f"; scaled to all traffic from a sample of {in_words(rate)}"


def _estimated(rule: GateRule, message: str, amount: float, interval: tuple[float, float]) -> Rule:
    """Return the outcome of a limit on an estimate, by its interval."""
    low, high = interval
    if low > rule.threshold:
        return _verdict(rule, Outcome.FAILED, message, None, amount)
    if high <= rule.threshold:
        return _verdict(rule, Outcome.PASSED, message, None, amount)
    return _verdict(rule, Outcome.INCONCLUSIVE, f"{message} The interval holds the limit.", None, amount)


def _level(rule: GateRule, now: Metric, where: str) -> Rule:
    failed = now.known_value > rule.threshold
    is_or_within = "is above" if failed else "is within"
    limit = f"{show(rule.threshold, now.unit)}{_days(rule)}"
    message = f"{rule.metric} {show(now.known_value, now.unit)}{where} {is_or_within} {limit}."
    return _verdict(rule, Outcome.FAILED if failed else Outcome.PASSED, message, None, now.known_value)


def _held(
    rule: GateRule,
    before: Metric,
    now: Metric,
    comparison: Comparison | None,
    options: GateOptions,
    *,
    rate: float,
) -> Rule:
    found = judge(rule, before, now, confidence=options.confidence, floor_usd=options.min_change_usd, rate=rate)
    failed = found.outcome is Outcome.FAILED
    message = found.message + (_culprits(comparison) if failed and comparison is not None else "")
    return msgspec.structs.replace(
        _verdict(rule, found.outcome, message, before.value, now.known_value),
        change_unit=found.change.unit,
        low=found.change.low,
        high=found.change.high,
        smallest_change=found.smallest,
        requests_needed=None if found.needed is None else found.needed.requests,
    )


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
