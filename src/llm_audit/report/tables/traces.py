"""What traces change, where the policy stops paying, and what the log itself shows of routing."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.table import Column, ColumnKind, Priority, Table, count, money, share, table
from llm_audit.report.text import NONE, words


def routing(document: Document) -> Table:
    """Routing each request by itself against routing each trace as a whole."""
    found = document.trace_routing
    rows = () if found is None else (
        ("each request by itself", found.per_request, found.risk_per_request),
        ("each trace as a whole", found.per_trace, found.risk_per_trace),
    )  # fmt: skip
    columns = Column("Routed"), money("Flagship tax", sums=False), money("Cost of running again", sums=False)
    return table("trace_routing", "Routing by request and by trace", columns, rows)


def traces(document: Document) -> Table:
    """What the comparison of the two ways of routing rests on."""
    found = document.trace_routing
    rows = () if found is None else (
        ("traces", found.traces),
        ("requests in them", found.requests),
        ("decisions, a tool loop being one", found.decisions),
        ("links inferred from text passed on or the order of a conversation", found.inferred_edges),
    )  # fmt: skip
    return table("traces", "Traces", (Column("Of"), count("Count", sums=False)), rows)


def break_even(document: Document) -> Table:
    """The value of each assumption at which the policy stops paying."""
    return table(
        "break_even",
        "Where the policy stops paying",
        (
            Column("Assumption"),
            Column("Assumed", ColumnKind.FIGURE),
            Column("Stops paying at", ColumnKind.FIGURE),
            Column("What it is", ColumnKind.PROSE),
        ),
        (
            (
                words(row.assumption),
                f"{row.assumed:.2f}",
                _reach(row.break_even),
                row.detail,
            )
            for row in document.break_even
        ),
    )


def _reach(value: float | None) -> str:
    """Where a policy stops paying; below zero it does not pay even where the assumption adds nothing."""
    if value is None:
        return "never"
    return f"{value:.2f}" if value >= 0 else "pays at none"


def pairs(document: Document) -> Table:
    """Templates that two models served: the cheaper model's means as a part of the dearer one's."""
    return table(
        "observed_pairs",
        "Templates seen on two models",
        (
            Column("Template"),
            Column("App", priority=Priority.SPARE),
            Column("Dearer"),
            count("Its requests", sums=False),
            Column("Cheaper"),
            count("Requests", sums=False),
            share("Cost observed"),
            share("Cost expected"),
            share("Output observed"),
        ),
        (
            (
                row.template,
                row.app or NONE,
                row.dearer,
                row.requests_dearer,
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
    """Routers that the log shows at work, and what they saved against their dearest model."""
    return table(
        "observed_routers",
        "Routers seen at work",
        (
            Column("Router"),
            Column("Dearest model"),
            count("Requests"),
            count("Sent elsewhere"),
            money("Actual cost"),
            money("Cost on the dearest"),
            money("Saved"),
            share("Saved share"),
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
