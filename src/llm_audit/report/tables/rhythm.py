"""The run rate, and days whose spend departs from the log's rhythm."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.rhythm import owners
from llm_audit.report.table import Cell, Column, ColumnKind, Priority, Table, money, table
from llm_audit.report.text import words

_PARTS = ("requests", "model_mix", "tokens_per_request", "price")


def run_rate(document: Document) -> Table:
    """Spend and flagship tax a month and a year at the log's rhythm, and the end of the month."""
    rate = document.run_rate
    rows: list[tuple[Cell, ...]] = []
    if rate is not None and rate.monthly is not None and rate.annual is not None:
        rows = [
            ("a month", rate.monthly.amount, rate.monthly.low, rate.monthly.high, rate.tax_monthly),
            ("a year", rate.annual.amount, rate.annual.low, rate.annual.high, rate.tax_annual),
        ]
        if (end := rate.month_end) is not None:
            title = f"{end.month}: {end.expected_days} days expected" if end.expected_days else f"{end.month}, whole"
            rows.append((title, end.amount, end.low, end.high, ""))
    columns = (
        Column("Span"),
        *(money(title, sums=False) for title in ("Spend", "Low", "High", "Flagship tax")),
    )
    note = "" if document.sampling_rate == 1 else "Scaled from a sample to all traffic."
    return table("run_rate", "Run rate at the log's weekly rhythm", columns, rows, note=note)


def departures(document: Document) -> Table:
    """Spikes, drops and shifts, by date, with parts that add up to their difference."""
    spare = Priority.SPARE
    columns = (
        Column("What", priority=Priority.ESSENTIAL),
        Column("From", priority=Priority.ESSENTIAL),
        Column("To"),
        Column("Spent", ColumnKind.MONEY),
        Column("Usual", ColumnKind.MONEY),
        Column("Difference", ColumnKind.MONEY, priority=Priority.ESSENTIAL),
        *(Column(words(name).capitalize(), ColumnKind.MONEY, priority=spare) for name in _PARTS),
        Column("Most of it", ColumnKind.PROSE),
    )
    parts = [{part.name: part.amount for part in one.parts} for one in document.departures]
    return table(
        "departures",
        "Unusual days",
        columns,
        (
            (
                one.kind, one.start, one.end, one.cost, one.usual_cost, one.amount,
                *(found.get(name, "") for name in _PARTS), owners(one, document.currency),
            )
            for one, found in zip(document.departures, parts, strict=True)
        ),
    )  # fmt: skip
