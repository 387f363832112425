"""Waste unrelated to routing, with the tools or templates that cause most of it."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.document.audit import Document, Waste
from llm_audit.report.table import Column, ColumnKind, Table, count, money, table
from llm_audit.report.text import plain
from llm_audit.report.text import share as share_of


def waste(document: Document) -> Table:
    """Waste unrelated to routing."""
    return table(
        "waste",
        "Waste unrelated to routing",
        (Column("Waste", ColumnKind.PROSE), money("Amount"), count("Requests"), Column("Detail", ColumnKind.PROSE)),
        ((w.title, w.amount, w.requests, f"{w.detail}{_parts(w)}") for w in document.waste),
    )


def _parts(waste: Waste) -> str:
    """Name the largest parts of a kind of waste, with their shares of all that has a name."""
    total = sum(Decimal(part.amount) for part in waste.parts)
    if not total:
        return ""
    named = (
        f"{f'{part.others:,} others' if part.name is None else plain(part.name, limit=40)} "
        f"{share_of(float(Decimal(part.amount) / total))}"
        for part in waste.parts
    )
    return f" Largest: {', '.join(named)}."
