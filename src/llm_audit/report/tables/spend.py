"""Spend by tier, model, day, team and app; tokens; and waste."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal

from llm_audit.document.audit import Day, Document, GroupRow
from llm_audit.ledger.columns import TOKEN_TYPES
from llm_audit.report.names import ambiguous, model_names
from llm_audit.report.table import Cell, Column, ColumnKind, Priority, Table, blank, count, money, share, table
from llm_audit.report.text import NONE, plain, words
from llm_audit.report.text import count as count_of
from llm_audit.vocabulary import TIERS

_NAMED = 5
"""Models named in a note; the rest are counted."""


def tiers(document: Document) -> Table:
    """The model mix summed by tier."""
    rows = []
    for tier in TIERS:
        models = [m for m in document.model_mix if m.tier == tier]
        if models:
            costs = [Decimal(m.cost) for m in models if m.cost is not None]
            rows.append(
                (
                    tier,
                    sum(m.requests for m in models),
                    sum(m.request_share for m in models),
                    sum(m.token_share for m in models),
                    f"{sum(costs, Decimal(0)):f}" if costs else None,
                    sum(m.cost_share or 0.0 for m in models) if costs else None,
                )
            )
    columns = (
        Column("Tier"), count("Requests"), share("of requests"), share("of tokens"), money("Cost"), share("of cost"),
    )  # fmt: skip
    return table("tiers", "Model mix by tier", columns, rows)


def model_mix(document: Document) -> Table:
    """Requests, tokens and cost by model."""
    return table(
        "model_mix",
        "Model mix",
        (
            Column("Model", priority=Priority.ESSENTIAL),
            Column("Provider", priority=Priority.NORMAL if ambiguous(document) else Priority.SPARE),
            Column("Tier"),
            Column("Requests", ColumnKind.COUNT, sums=True, priority=Priority.ESSENTIAL),
            Column("of requests", ColumnKind.SHARE, sums=True, priority=Priority.SPARE),
            Column("Tokens", ColumnKind.COUNT, sums=True, priority=Priority.SPARE),
            share("of tokens", sums=True),
            Column("Cost", ColumnKind.MONEY, sums=True, priority=Priority.ESSENTIAL),
            Column("of cost", ColumnKind.SHARE, sums=True, priority=Priority.ESSENTIAL),
        ),
        (
            (m.model, m.provider, m.tier, m.requests, m.request_share, m.tokens, m.token_share, m.cost, m.cost_share)
            for m in document.model_mix
        ),
    )


def daily(document: Document) -> Table:
    """Spend by day, and what the policy would have spent. A tier without a request on a day has an empty cell.

    The last row holds the requests without a time, if there are any, so that each column adds up to its total.
    """
    used = {(row.date, row.tier) for row in document.model_mix_daily}
    rows = [
        (d.date, d.requests, d.tokens, d.cost, d.policy_cost, *(_of_tier(d, tier, used) for tier in TIERS))
        for d in document.daily
    ]
    return table(
        "daily",
        "Spend by day",
        (
            Column("Date"),
            count("Requests"),
            count("Tokens"),
            money("Cost"),
            money("Policy cost", sums=_adds_up(document.daily)),
            *(Column(tier.capitalize(), ColumnKind.MONEY, sums=True, priority=Priority.SPARE) for tier in TIERS),
        ),
        [*rows, *_undated(document)],
    )


def _adds_up(rows: Iterable[Day | GroupRow]) -> bool:
    """Return whether the policy's cost of rows is a total to set against their cost: it is known wherever cost is."""
    return all(row.cost is None or row.policy_cost is not None for row in rows)


def _undated(document: Document) -> Iterator[tuple[Cell, ...]]:
    """Yield the row of requests without a time: each total less the sum of its days."""
    requests = document.period.undated_requests
    if not requests or not document.daily:
        return
    tokens = sum(getattr(document.tokens, kind) for kind in TOKEN_TYPES) - sum(day.tokens for day in document.daily)
    costs = undated_cost(document), undated_policy_cost(document)
    known = (f"{cost:f}" if cost else None for cost in costs)
    rest = undated_cost_by_tier(document).values()
    yield "undated", requests, tokens, *known, *(f"{amount:f}" if amount else "" for amount in rest)


def undated_cost_by_tier(document: Document) -> dict[str, Decimal]:
    """Return the cost of requests without a time: each tier's total less the sum of its days."""
    return {
        tier: sum((Decimal(m.cost or 0) for m in document.model_mix if m.tier == tier), Decimal(0))
        - sum((Decimal(day.cost_by_tier.get(tier, 0)) for day in document.daily), Decimal(0))
        for tier in TIERS
    }


def undated_cost(document: Document) -> Decimal:
    """Return the cost of requests without a time: the total less the sum of all days."""
    return Decimal(document.cost.actual or 0) - sum((Decimal(day.cost or 0) for day in document.daily), Decimal(0))


def undated_policy_cost(document: Document) -> Decimal | None:
    """Return the policy's cost of requests without a time; None where that of all requests is unknown.

    A day on which nothing was judged keeps its models, so the total holds its cost as it was.
    """
    total = document.flagship_tax.expected.policy_cost
    if total is None:
        return None
    of_days = (Decimal(day.policy_cost or day.cost or 0) for day in document.daily)
    return Decimal(total) - sum(of_days, Decimal(0))


def _of_tier(day: Day, tier: str, used: Collection[tuple[str, str]]) -> str | None:
    return day.cost_by_tier.get(tier, None if (day.date, tier) in used else "")


def daily_mix(document: Document) -> Table:
    """Requests, tokens and cost by day and model."""
    return table(
        "daily_mix",
        "Model mix by day",
        (
            Column("Date"),
            Column("Model"),
            Column("Provider"),
            Column("Tier"),
            count("Requests"),
            count("Tokens"),
            money("Cost"),
        ),
        ((d.date, d.model, d.provider, d.tier, d.requests, d.tokens, d.cost) for d in document.model_mix_daily),
    )


def spend(document: Document) -> Table:
    """Cost by team, app and model."""
    names = model_names(document)
    return table(
        "spend",
        "Spend by team, app and model",
        (
            Column("Team"),
            Column("App"),
            Column("Model"),
            Column("Tier"),
            count("Requests"),
            count("Tokens"),
            money("Cost"),
        ),
        (
            (s.team or NONE, s.app or NONE, names[s.provider, s.model], s.tier, s.requests, s.tokens, s.cost)
            for s in document.spend
        ),
    )


def groups(document: Document) -> Iterator[Table]:
    """Yield a table for each dimension that the audit is grouped by."""
    for dimension, rows in document.groups.items():
        yield table(
            f"by_{dimension}",
            f"By {words(dimension)}",
            (
                Column(words(dimension).capitalize()),
                count("Requests"),
                money("Cost"),
                share("of cost", sums=True),
                money("Policy cost", sums=_adds_up(rows)),
                money("Flagship tax"),
                share("Covered"),
                count("Moved"),
                count("Unpriced"),
            ),
            map(_group, rows),
            note=_merged(document) if dimension == "model" else "",
        )


def _merged(document: Document) -> str:
    """Name the models that the table by model adds up over several providers."""
    models = ambiguous(document)
    if not models:
        return ""
    named = ", ".join(plain(model, limit=40) for model in models[:_NAMED])
    more = f" and {len(models) - _NAMED:,} more" if len(models) > _NAMED else ""
    return f"Added up over several providers: {named}{more}. The model mix has a row for each provider."


def _group(row: GroupRow) -> tuple[Cell, ...]:
    return (
        row.name or NONE, row.requests, row.cost, row.cost_share, row.policy_cost, row.flagship_tax,
        blank(row.covered_share), row.moved_requests, row.unpriced_requests,
    )  # fmt: skip


def tokens(document: Document) -> Table:
    """Tokens and their cost by token type."""
    by_type = document.cost.by_token_type
    reasoning = f"output, {count_of(document.tokens.reasoning)} of it reasoning"  # in no row of its own: rows add up
    names = {kind: words(kind) for kind in TOKEN_TYPES} | ({"output": reasoning} if document.tokens.reasoning else {})
    nothing = "0.00" if document.cost.priced_requests else None
    rows: list[tuple[str, int | str, str | None]] = [
        (names[kind], getattr(document.tokens, kind), by_type.get(kind, nothing)) for kind in TOKEN_TYPES
    ]
    if Decimal(by_type.get("per_call", "0")):
        rows.append(("billed per call", "", by_type["per_call"]))
    return table("tokens", "Tokens and cost by type", (Column("Token type"), count("Tokens"), money("Cost")), rows)
