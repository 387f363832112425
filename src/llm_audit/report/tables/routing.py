"""The policy's estimates, findings, routes, sensitivity and coverage."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.document.audit import DEPARTURES, Document, Finding, Owner
from llm_audit.report.decisions import measure_of, outcome, source
from llm_audit.report.table import Column, ColumnKind, Priority, Table, blank, count, money, score, share, table
from llm_audit.report.text import share as share_text
from llm_audit.report.text import words

_COMMANDS = ("llm-audit sample ", "llm-audit policy export ")
"""Beginnings of a finding's commands: to try it, and to enforce it."""


def estimates(document: Document) -> Table:
    """The three estimates of the flagship tax, largest first."""
    tax = document.flagship_tax
    rows = [
        ("ceiling: the same tokens at the smaller model's price", tax.ceiling, "", ""),
        (
            "expected: including caches, escalations, output length and steps",
            tax.expected,
            tax.expected.low,
            tax.expected.high,
        ),
        ("floor: all assumptions at their pessimistic ends at once", tax.floor, "", ""),
    ]
    return table(
        "estimates",
        "Three estimates of the flagship tax",
        (
            Column("Estimate", ColumnKind.PROSE),
            money("Flagship tax", sums=False),
            share("of actual cost"),
            money("Low", sums=False),
            money("High", sums=False),
            money("Policy cost", sums=False),
        ),
        ((name, e.amount, e.share, low, high, e.policy_cost) for name, e, low, high in rows),
    )


def interval(document: Document) -> Table:
    """The interval that each source of error would give on its own."""
    return table(
        "interval",
        "Interval by source of error",
        (Column("Source of error"), money("Low", sums=False), money("High", sums=False)),
        ((source(p.source), p.low, p.high) for p in document.flagship_tax.expected.parts),
    )


def findings(document: Document) -> Table:
    """Findings with their savings: those that share no request first."""
    return table(
        "findings",
        "Findings",
        (
            Column("Finding", ColumnKind.PROSE),
            Column("Action", ColumnKind.PROSE),
            money("Amount", sums=False),
            money("Low", sums=False),
            money("High", sums=False),
            count("Requests", sums=False),
            Column("P(suffices)", ColumnKind.SCORE, priority=Priority.SPARE),
            Column("Detail", ColumnKind.PROSE, priority=Priority.SPARE),
        ),
        (
            (f.title, f.action, f.amount, f.low or "", f.high or "", f.requests, blank(f.p_suffices), f.detail)
            for f in document.findings
            if f.kind not in DEPARTURES
        ),
    )


def actions(document: Document) -> Table:
    """Who can carry each finding out, at what effort and risk, and how."""
    return table(
        "actions",
        "How to carry the findings out",
        (
            Column("Finding", ColumnKind.PROSE),
            Column("Owners, by their share of the moved cost", ColumnKind.PROSE),
            Column("Effort"),
            money("Saves a month", sums=False),
            Column("Answers lost in 1,000", ColumnKind.SCORE),
            Column("Would have to be true", ColumnKind.PROSE),
            Column("To try it", ColumnKind.PROSE),
            Column("To enforce it", ColumnKind.PROSE),
        ),
        (
            (
                f.title,
                owners(f),
                f.effort or "",
                f.monthly or "",
                blank(None if f.quality is None else f.quality.lost_per_1000),
                f.condition or "",
                *(" ".join(c for c in f.commands if c.startswith(start)) for start in _COMMANDS),
            )
            for f in document.findings
            if f.kind not in DEPARTURES
        ),
    )


def owners(finding: Finding) -> str:
    """Write a finding's owners with their shares: ``search of core (62%), chat of care (38%)``."""
    named = [
        f"{_owner(owner)} ({share_text(owner.share)})" if owner.share is not None else _owner(owner)
        for owner in finding.owners
    ]
    return ", ".join([*named, *([f"and {finding.further_owners:,} more"] if finding.further_owners else [])])


def _owner(owner: Owner) -> str:
    if owner.app is None:
        return f"team {owner.team}, no app named" if owner.team else "no app named"
    return f"{owner.app} of {owner.team}" if owner.team else owner.app


def routes(document: Document) -> Table:
    """Routes from the model used to the model assigned."""
    return table(
        "routes",
        "Routes",
        (
            Column("Used"),
            Column("Assigned"),
            count("Requests"),
            money("Actual cost"),
            money("Policy cost"),
            money("Difference"),
            score("P(suffices)"),
            share("Preference gap"),
        ),
        (
            (
                r.from_model,
                "kept" if r.from_model == r.to_model else r.to_model,
                r.requests,
                r.actual_cost,
                r.policy_cost,
                f"{Decimal(r.actual_cost) - Decimal(r.policy_cost):f}",
                blank(r.p_suffices),
                "" if r.preference is None else r.preference.gap,
            )
            for r in document.routes
        ),
    )


def tornado(document: Document) -> Table:
    """The flagship tax with each assumption at its two ends."""
    return table(
        "tornado",
        "Sensitivity to assumptions",
        (
            Column("Assumption"),
            Column("Low end"),
            money("Tax at low end", sums=False),
            Column("High end"),
            money("Tax at high end", sums=False),
        ),
        (
            (words(b.assumption), b.low_value, b.tax_at_low, b.high_value, b.tax_at_high)
            for b in document.sensitivity.tornado
        ),
    )


def coverage(document: Document) -> Table:
    """Requests and cost by what the policy could do with them."""
    return table(
        "coverage",
        "Coverage",
        (Column("Outcome"), count("Requests"), money("Cost"), share("of cost", sums=True)),
        (
            (outcome(c.outcome), c.requests, *((None, None) if c.outcome == "unpriced" else (c.cost, c.cost_share)))
            for c in document.coverage
        ),
    )


def gates(document: Document) -> Table:
    """Requests that a gate kept on their model."""
    return table(
        "gates",
        "Savings blocked by gates",
        (Column("Gate"), count("Requests"), money("Cost"), money("Saving blocked")),
        ((words(g.reason), g.requests, g.cost, g.kept_back) for g in document.gates),
    )


def categories(document: Document) -> Table:
    """Requests by category of task."""
    return table(
        "categories",
        "Task categories",
        (Column("Category"), count("Requests"), money("Cost"), score("Mean difficulty")),
        (
            (words(c.category), c.requests, c.cost, blank(c.mean_difficulty))
            for c in document.classification.by_category
        ),
    )


def judged(document: Document) -> Table:
    """Requests by how they were judged, and by the reason for those that were not."""
    how = document.classification
    rows = [("scored", how.scored), ("inherited from an earlier turn", how.inherited)]
    rows += [(f"abstained: {words(a.reason)}", a.count) for a in how.abstentions]
    return table("judged", "How requests were judged", (Column("Judgement"), count("Requests")), rows)


def policy(document: Document) -> Table:
    """The policy: ladders, gates and assumptions."""
    info = document.policy
    decided = measure_of(document)
    target = [] if info.target is None else [(decided.meaning, decided.write(info.target))]
    rows = [
        ("policy", info.name),
        *target,
        *((f"ladder {name}", " → ".join(models)) for name, models in info.ladders.items()),
        ("gates", ", ".join(words(gate) for gate in info.gates)),
        *((words(name), value) for name, value in info.assumptions.items()),
    ]
    return table("policy", "Policy", (Column("Setting"), Column("Value", ColumnKind.PROSE)), rows)
