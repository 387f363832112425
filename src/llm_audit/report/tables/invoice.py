"""The tie-out with an invoice, by provider and month, and the lines that are in no month."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.document.audit import Document, InvoiceMonth
from llm_audit.report.table import Cell, Column, ColumnKind, Priority, Table, money, table
from llm_audit.report.text import money as write_money
from llm_audit.report.text import plural


def tie_out(document: Document) -> Table:
    """List cost, discounts and computed cost beside what the log states and what was invoiced."""
    return table(
        "tie_out",
        "Invoiced and computed cost by provider and month",
        (
            Column("Provider"),
            Column("Month"),
            Column("Requests", ColumnKind.COUNT, sums=True, priority=Priority.SPARE),
            money("List"),
            money("Discounts"),
            money("Computed"),
            money("Stated"),
            money("Invoiced"),
            money("On days not in the log"),
            money("Difference"),
            Column("Likely cause", ColumnKind.PROSE),
        ),
        (_month(row) for row in (document.invoice.months if document.invoice else ())),
    )


def _month(row: InvoiceMonth) -> tuple[Cell, ...]:
    """Return a month's row; where none of its requests has a price, computed amounts are unknown and not zero."""
    unknown = row.requests > 0 and row.unpriced_requests == row.requests
    computed: tuple[Cell, ...] = (None,) * 3 if unknown else (row.listed, row.discount, row.computed)
    invoiced: tuple[Cell, ...] = ("", "", "")  # it does not apply
    if row.invoiced is not None:
        invoiced = (row.invoiced, row.uncovered, None if unknown else row.difference)
    return (
        row.provider, row.month or "no time", row.requests, *computed, row.stated or "",
        *invoiced, row.reason,
    )  # fmt: skip


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
    found = document.invoice
    if found is None:
        return ""
    known = [row for row in found.months if row.invoiced is not None]
    sums = [
        sum((Decimal(getattr(row, name) or 0) for row in known), Decimal(0))
        for name in ("invoiced", "uncovered", "computed", "difference")
    ]
    invoiced, uncovered, computed, difference = (write_money(f"{each:f}", currency=document.currency) for each in sums)
    return (
        f"{invoiced} was invoiced by {plural(len({row.provider for row in known}), 'provider')}; {computed} is computed"
        f" from the log for them, {uncovered} is on days not in the log, and {difference} is the difference. List"
        " less discounts is computed; invoiced less computed and less days not in the log is the difference. Months"
        " are in UTC. Stated is what the log itself says, for the requests that say it."
    )
