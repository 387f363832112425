"""A comparison and its gates as tables."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from llm_audit.document.comparison import CheckResult, Comparison
from llm_audit.report.rounding import steps_note
from llm_audit.report.table import Column, ColumnKind, Priority, Table, money, table
from llm_audit.report.text import MINUS, NONE, UNKNOWN, words
from llm_audit.report.text import count as write_count
from llm_audit.report.text import money as write_money
from llm_audit.report.text import share as write_share


def value(number: float | None, unit: str) -> str:
    """Write a metric's value in its unit: USD, share or count."""
    if number is None:
        return UNKNOWN
    if unit == "USD":
        return write_money(str(number))
    if unit == "share":
        return write_share(number)
    return write_count(number) if abs(number) >= 100 else f"{number:.3g}".replace("-", MINUS)


def outcomes(check: CheckResult) -> str:
    """Write how many gates failed, and how many have no answer."""
    said = f"{check.failed:,} of {len(check.rules):,} gates failed" if check.failed else "No gate failed"
    if check.inconclusive:
        said += f", {check.inconclusive:,} inconclusive"
    return f"{said}, {check.not_evaluated:,} not evaluated" if check.not_evaluated else said


def _figure(title: str) -> Column:
    return Column(title, ColumnKind.FIGURE)


def rules(check: CheckResult) -> Table:
    """Every gate with its outcome."""
    return table(
        "rules",
        "Gates",
        (Column("Gate"), Column("Outcome"), _figure("Baseline"), _figure("Now"), Column("Reason", ColumnKind.PROSE)),
        (
            (
                r.rule,
                words(r.outcome),
                "" if r.base is None else value(r.base, r.unit),
                value(r.head, r.unit),
                r.message,
            )
            for r in check.rules
        ),
    )


def sides(comparison: Comparison) -> Table:
    """The two audits."""
    return table(
        "sides",
        "The two audits",
        (
            Column("Audit"),
            Column("From"),
            Column("To"),
            Column("Requests", ColumnKind.COUNT),
            Column("Priced", ColumnKind.COUNT),
            _dollars("Cost"),
            _dollars("Flagship tax"),
            Column("of cost", ColumnKind.SHARE),
        ),
        (
            (
                s.label,
                _day(s.start),
                _day(s.end),
                s.requests,
                s.priced_requests,
                s.cost,
                s.flagship_tax,
                s.flagship_tax_share,
            )
            for s in (comparison.base, comparison.head)
        ),
    )


def _dollars(title: str) -> Column:
    """Make a column of a comparison's amounts, which are dollars whatever the document shows."""
    return money(title, sums=False, currency="USD")


def _day(time: str | None) -> str:
    return "" if time is None else time[:10]


def variance(comparison: Comparison) -> Table:
    """The parts of the change in cost and in flagship tax."""
    rows = [("baseline", comparison.base.cost, comparison.base.flagship_tax)]
    taxes = {part.name: part.amount for part in comparison.tax_parts}
    names = [part.name for part in comparison.parts]
    costs = {part.name: part.amount for part in comparison.parts}
    names += [name for name in taxes if name not in costs]
    rows += [(words(name), costs.get(name, ""), taxes.get(name, "")) for name in names]
    rows.append(("now", comparison.head.cost, comparison.head.flagship_tax))
    columns = (Column("Part"), _dollars("Actual cost"), _dollars("Flagship tax"))
    return table("variance", "What changed", columns, rows, note=steps_note(rows))


def groups(comparison: Comparison) -> Table:
    """The change of each model, team and app."""
    return table(
        "variance_groups",
        "What changed, by group",
        (
            Column("Group"),
            Column("Name"),
            _dollars("Baseline cost"),
            _dollars("Cost now"),
            _dollars("Change"),
            replace(_dollars("Baseline tax"), priority=Priority.SPARE),
            replace(_dollars("Tax now"), priority=Priority.SPARE),
        ),
        (
            (g.group, g.name or NONE, g.base_cost, g.head_cost, g.change, g.base_flagship_tax, g.head_flagship_tax)
            for g in comparison.groups
        ),
    )


def realised(comparison: Comparison) -> str | None:
    """Write what a rollout has saved and what had been estimated, as a sentence."""
    if comparison.realised is None or comparison.estimated is None:
        return None
    saved, estimated = Decimal(comparison.realised), write_money(comparison.estimated)
    amount = write_money(f"{abs(saved):f}")
    since = f"cost {amount} {'more' if saved < 0 else 'less'}" if saved else "cost the same"
    return f"At this volume, the baseline's policy was estimated to save {estimated}; requests have since {since}."


def metrics(comparison: Comparison) -> Table:
    """The metrics on both sides, with the interval of their change."""
    columns = (Column("Metric"), *(_figure(title) for title in ("Baseline", "Now", "Change", "Low", "High")))

    def change(number: float | None, unit: str) -> str:
        return points(number) if unit == "share" else value(number, unit)

    return table(
        "metrics",
        "Metrics",
        columns,
        (
            (
                m.metric,
                *(value(number, m.unit) for number in (m.base, m.head)),
                *(change(number, m.unit) for number in (m.change, m.low, m.high)),
            )
            for m in comparison.metrics
        ),
    )


def mix(comparison: Comparison) -> Table:
    """The change of the model mix: each tier's and model's share of requests, and each tier's share of cost."""
    figures = ("Baseline", "Now", "Change", "Low", "High")
    columns = (Column("Share of"), Column("Tier or model"), *(_figure(title) for title in figures))
    of = {"model_share": "requests", "cost_share": "cost"}
    found = ((m, *m.metric.partition("[")[::2]) for m in comparison.metrics)
    return table(
        "variance_mix",
        "What changed in the model mix",
        columns,
        (
            (
                of[name], selector.removesuffix("]"),
                *(value(number, m.unit) for number in (m.base, m.head)),
                *(points(number) for number in (m.change, m.low, m.high)),
            )
            for m, name, selector in found
            if name in of and (m.base or m.head)
        ),
    )  # fmt: skip


def points(difference: float | None) -> str:
    """Write a difference of two shares in percentage points.

    >>> points(0.0493), points(0.0004)
    ('+4.9 pp', '+0.0 pp')
    """
    if difference is None:
        return UNKNOWN
    sign = "\u2212" if difference < 0 else "+"
    return f"{sign}{abs(difference) * 100:.1f} pp"


def everything(check: CheckResult) -> tuple[Table, ...]:
    """Every table of a check, also the empty ones."""
    if check.comparison is None:
        return (rules(check),)
    return (rules(check), *(make(check.comparison) for make in (sides, variance, groups, mix, metrics)))
