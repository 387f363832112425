"""The tie-out with an invoice, by provider and month, and the lines that are in no month."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from llm_audit.document.audit import Document, InvoiceMonth
from llm_audit.document.sampling import in_words
from llm_audit.report.table import Cell, Column, ColumnKind, Priority, Table, money, table
from llm_audit.report.text import money as write_money

_COMPUTED = (money("List"), money("Discounts"), money("Computed"), money("Stated"))


def tie_out(document: Document) -> Table:
    """List cost, discounts and computed cost beside what the log states and what was invoiced."""
    return table(
        "tie_out",
        "Invoiced and computed cost by provider and month",
        (
            Column("Provider"),
            Column("Month", ColumnKind.FIGURE),
            Column("Requests", ColumnKind.COUNT, sums=True, priority=Priority.SPARE),
            *_COMPUTED,
            money("Invoiced"),
            money("On days not in the log"),
            money("Difference"),
            Column("Likely cause", ColumnKind.PROSE),
        ),
        (
            (
                row.provider, row.month, row.requests, *_computed(row), row.invoiced, row.uncovered, row.difference,
                row.reason,
            )
            for row in _months(document, invoiced=True)
        ),
    )  # fmt: skip


def not_invoiced(document: Document) -> Table:
    """Months of providers that are not on the invoice, and requests without a time."""
    return table(
        "not_invoiced",
        "Computed cost that the invoice has no line for",
        (
            Column("Provider"),
            Column("Month", ColumnKind.FIGURE),
            Column("Requests", ColumnKind.COUNT, sums=True, priority=Priority.SPARE),
            *_COMPUTED,
            Column("Likely cause", ColumnKind.PROSE),
        ),
        (
            (row.provider, row.month or "no time", row.requests, *_computed(row), row.reason)
            for row in _months(document, invoiced=False)
        ),
    )


def _months(document: Document, *, invoiced: bool) -> list[InvoiceMonth]:
    months = document.invoice.months if document.invoice else []
    return [row for row in months if (row.invoiced is not None) == invoiced]


def _computed(row: InvoiceMonth) -> tuple[Cell, ...]:
    return row.listed, row.discount, row.computed, row.stated or ""


def _sum(amounts: Sequence[str | None]) -> str | None:
    """Add up the known amounts; None where there are some and none is known."""
    known = [Decimal(amount) for amount in amounts if amount is not None]
    return f"{sum(known, Decimal(0)):f}" if known or not amounts else None


def left_out(document: Document) -> Table:
    """Lines of the invoice without a day, a known provider or an amount in dollars."""
    lines = document.invoice.left_out if document.invoice else []
    return table(
        "invoice_left_out",
        "Lines of the invoice in no month",
        (Column("File"), Column("Line", ColumnKind.COUNT), money("Amount", sums=False), Column("Reason")),
        ((line.file, line.line, line.amount, line.reason) for line in lines),
    )


def lead(document: Document) -> str:
    """Say how the tables add up, and how much of the invoice the log explains."""
    if document.invoice is None:
        return ""
    known = _months(document, invoiced=True)
    names = ("invoiced", "uncovered", "computed", "difference")
    invoiced, uncovered, computed, difference = (
        write_money(_sum([getattr(row, name) for row in known]), currency=document.currency) for name in names
    )
    spent = f"the {write_money(document.cost.actual, currency=document.currency)} spent"
    if document.sampling_rate != 1:
        spent += f", scaled to all traffic from a sample of {in_words(document.sampling_rate)}"
    return (
        f"The invoice comes to {invoiced}, of which {uncovered} is for days that are not in the log. For the other days"
        f" the log's computed cost is {computed}, which leaves a difference of {difference}. List less discounts is the"
        f" computed cost; with that of requests which the invoice has no line for, it adds up to {spent}. Stated is"
        " what the log itself says, for the requests that say it. Months are in UTC."
    )
