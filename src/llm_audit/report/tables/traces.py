"""Routing by trace, break-even values, and routing observed in the logs."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.table import Column, ColumnKind, Priority, Table, count, money, share, table
from llm_audit.report.text import NONE, words


def routing(document: Document) -> Table:
    """Routing each request on its own against routing each trace as a unit."""
    found = document.trace_routing
    rows = () if found is None else (
        ("each request on its own", found.per_request, found.risk_per_request),
        ("each trace as a unit", found.per_trace, found.risk_per_trace),
    )  # fmt: skip
    columns = Column("Routing"), money("Flagship tax", sums=False), money("Cost of reruns", sums=False)
    return table("trace_routing", "Routing by request and by trace", columns, rows)


def traces(document: Document) -> Table:
    """Counts of the traces that the two ways of routing are compared on."""
    found = document.trace_routing
    rows = () if found is None else (
        ("traces", found.traces),
        ("requests in traces", found.requests),
        ("decisions (a tool loop is one)", found.decisions),
        ("links inferred from reused text or the order of a conversation", found.inferred_edges),
    )  # fmt: skip
    return table("traces", "Traces", (Column("Item"), count("Count", sums=False)), rows)


def break_even(document: Document) -> Table:
    """The value of each assumption at which the policy stops saving money."""
    return table(
        "break_even",
        "Break-even assumptions",
        (
            Column("Assumption"),
            Column("Assumed", ColumnKind.FIGURE),
            Column("Break-even", ColumnKind.FIGURE),
            Column("Meaning", ColumnKind.PROSE),
        ),
        (
            (
                words(row.assumption),
                f"{row.assumed:.2f}",
                _break_even(row.break_even),
                row.detail,
            )
            for row in document.break_even
        ),
    )


def _break_even(value: float | None) -> str:
    """Write a break-even value; below zero, nothing is saved even where the assumption adds no cost."""
    if value is None:
        return "always saves"
    return f"{value:.2f}" if value >= 0 else "never saves"


def pairs(document: Document) -> Table:
    """Templates served by two models: the cheaper model's means as shares of the more expensive model's."""
    return table(
        "observed_pairs",
        "Templates served by two models",
        (
            Column("Template"),
            Column("App", priority=Priority.SPARE),
            Column("Costlier model"),
            count("Requests on it", sums=False),
            Column("Cheaper model"),
            count("Requests on it", sums=False),
            share("Observed cost ratio"),
            share("Expected cost ratio"),
            share("Observed output ratio"),
        ),
        (
            (
                row.template,
                row.app or NONE,
                row.costlier,
                row.requests_costlier,
                row.cheaper,
                row.requests_cheaper,
                row.observed_cost_ratio,
                "" if row.expected_cost_ratio is None else row.expected_cost_ratio,
                row.observed_output_ratio,
            )
            for row in document.observed_pairs
        ),
    )


def routers(document: Document) -> Table:
    """Routers observed in the logs, and what they saved against their most expensive model."""
    return table(
        "observed_routers",
        "Routers observed in the logs",
        (
            Column("Router"),
            Column("Most expensive model"),
            count("Requests"),
            count("On other models"),
            money("Actual cost"),
            money("Cost without routing"),
            money("Saved"),
            share("of that cost"),
        ),
        (
            (
                row.router,
                row.fallback,
                row.requests,
                row.requests_elsewhere,
                row.actual_cost,
                row.fallback_cost,
                row.saved,
                row.saved_share,
            )
            for row in document.observed_routers
        ),
    )
