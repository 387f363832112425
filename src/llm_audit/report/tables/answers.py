"""Answers expected to be lost for the saving, at the policy's own limit and at others, and unmeasured models."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.decisions import measure_of
from llm_audit.report.table import Column, ColumnKind, Table, blank, count, money, score, share, table


def answers(document: Document) -> Table:
    """Answers expected to be lost and gained beyond a second run of the model used, and the saving for each lost."""
    found, moved = document.flagship_tax.quality, document.flagship_tax.moved_requests
    return table(
        "answers",
        "Answers expected to be lost and gained",
        (
            count("Moved", sums=False),
            score("Lost"),
            score("Gained"),
            score("Lost in 1,000"),
            score("Low"),
            score("High"),
            money("Saved per lost answer", sums=False),
        ),
        []
        if found is None
        else [
            (
                moved,
                found.lost_answers,
                found.gained_answers,
                found.lost_per_1000,
                found.lost_per_1000_low,
                found.lost_per_1000_high,
                found.saved_per_lost_answer or "",
            )
        ],
    )


def unmeasured(document: Document) -> Table:
    """The further saving if models that nobody measured hold up; no part of any estimate."""
    found = document.flagship_tax.unmeasured
    return table(
        "unmeasured",
        "Further saving if unmeasured models hold up",
        (
            Column("Models", ColumnKind.PROSE),
            count("Requests", sums=False),
            money("Further saving", sums=False),
        ),
        [] if found is None else [(", ".join(found.models), found.requests, found.amount)],
    )


def frontier(document: Document) -> Table:
    """The policy's cost and the answers expected to be lost at each value of what it decides by."""
    decided = measure_of(document)
    return table(
        "frontier",
        f"Cost and answers lost by {decided.name}",
        (
            Column(f"{decided.meaning[0].upper()}{decided.meaning[1:]}"),
            money("Policy cost", sums=False),
            money("Flagship tax", sums=False),
            share("of actual cost"),
            count("Moved", sums=False),
            score("Answers lost"),
            score("Gained"),
        ),
        (
            (
                decided.write(p.target) + (" (in use)" if p.in_use else ""),
                p.policy_cost,
                p.flagship_tax,
                p.share,
                p.moved_requests,
                blank(p.lost_answers),
                blank(p.gained_answers),
            )
            for p in document.sensitivity.frontier
        ),
    )
