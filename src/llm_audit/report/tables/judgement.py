"""What was asked: stakes and languages."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.table import Column, Table, count, money, score, table
from llm_audit.report.text import UNKNOWN


def stakes(document: Document) -> Table:
    """Requests by what a wrong answer could harm, and what the policy's limits for them cost."""
    return table(
        "stakes",
        "Stakes",
        (
            Column("At stake"),
            count("Requests"),
            money("Cost"),
            count("Moved"),
            count("Held by limits"),
            money("Further saving without"),
            score("Answers lost without"),
        ),
        (
            (
                row.stakes,
                row.requests,
                row.cost,
                row.moved_requests,
                row.held_requests,
                row.further_saving,
                row.further_lost_answers,
            )
            for row in (document.stakes.rows if document.stakes else [])
        ),
    )


def languages(document: Document) -> Table:
    """Requests by language, and those that could not be judged."""
    return table(
        "languages",
        "Languages",
        (
            Column("Language"),
            count("Requests"),
            money("Cost"),
            count("Not judged"),
            money("Cost not judged"),
        ),
        (
            (row.language or UNKNOWN, row.requests, row.cost, row.abstained_requests, row.abstained_cost)
            for row in document.languages
        ),
    )
