"""Spend by billing basis."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.table import Column, ColumnKind, Priority, Table, count, money, table
from llm_audit.report.text import words
from llm_audit.vocabulary import API_EQUIVALENT

_NOTE = "Billed and API-equivalent dollars do not add up, so the table has no total."
_SCALED = "The plan is paid for all traffic: for the leverage, the cost of this sample is scaled to it."
_UNDECLARED = "No basis is declared, so every request is taken as paid by use: declare others under [billing]."


def by_basis(document: Document) -> Table:
    """Requests by billing basis and declaration: what is billed by use first."""
    billing = document.billing
    planned = billing is not None and any(row.plan_cost is not None for row in billing.rows)
    columns = (
        Column("Billing basis", priority=Priority.ESSENTIAL),
        Column("Declared by"),
        Column("Dollars", priority=Priority.ESSENTIAL),
        count("Requests"),
        *(money(title, sums=False) for title in ("Cost", "Policy cost", "Flagship tax")),
        *((money("Plan cost", sums=False), Column("Leverage", ColumnKind.FIGURE)) if planned else ()),
    )
    if billing is None:
        return table("by_billing_basis", "By billing basis", columns, ())
    rows = []
    for row in billing.rows:
        dollars = "API-equivalent" if row.basis in API_EQUIVALENT else "billed"
        leverage = "" if row.leverage is None else f"{row.leverage:.2f} to 1"
        rows.append(
            (
                words(row.basis), row.declared_by or "", dollars if billing.declared else "", row.requests, row.cost,
                row.policy_cost, row.flagship_tax, *((row.plan_cost or "", leverage) if planned else ()),
            )
        )  # fmt: skip
    notes = [_NOTE if billing.declared else _UNDECLARED]
    if planned and document.sampling_rate != 1:
        notes.append(_SCALED)
    return table("by_billing_basis", "By billing basis", columns, rows, note=" ".join(notes))
