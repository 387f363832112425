"""Charts of spend and of the model mix over time; requests without a time have a bar of their own, so totals agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import altair as alt
import msgspec

from llm_audit.document.audit import Document
from llm_audit.report.charts.departures import departure_marks, departure_words
from llm_audit.report.charts.periods import periods, shown, ticks
from llm_audit.report.charts.svg import LIGHT, Figure, Room, chart, colours, draw, fitted
from llm_audit.report.tables.spend import undated_cost_by_tier, undated_policy_cost
from llm_audit.report.text import plural, share
from llm_audit.report.verdict import adding_up
from llm_audit.vocabulary import TIERS

UNDATED = "no time"
"""The bar of requests without a time, after the last period."""
_MEASURES = ("requests", "tokens", "cost")


def daily(document: Document) -> Figure | None:
    """Spend by period and tier as stacked bars, with what the policy would have spent as a line."""
    if not document.daily or not Decimal(document.cost.actual or 0):
        return None
    return fitted(partial(_daily, document))


class _Spend(msgspec.Struct, kw_only=True, frozen=True):
    """Cost by period and tier, and the policy's cost by period; the last period may be ``UNDATED``."""

    period: str
    bars: dict[tuple[str, str], Decimal]
    policy: dict[str, Decimal]

    @property
    def keys(self) -> list[str]:
        return sorted(self.policy, key=lambda key: (key == UNDATED, key))


def _spend(document: Document) -> _Spend:
    name, find = periods([day.date for day in document.daily])
    bars: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    policy: dict[str, Decimal] = defaultdict(Decimal)
    for day in document.daily:
        policy[find(day.date)] += Decimal(day.policy_cost or day.cost or 0)  # what was not judged keeps its model
        for tier, cost in day.cost_by_tier.items():
            bars[find(day.date), tier] += Decimal(cost or 0)
    if document.period.undated_requests:
        policy[UNDATED] = undated_policy_cost(document) or Decimal(0)
        for tier, spent in undated_cost_by_tier(document).items():
            bars[UNDATED, tier] += spent
    return _Spend(period=name, bars=bars, policy=policy)


def _daily(document: Document, room: Room) -> Figure:
    spend = _spend(document)
    keys, dated = spend.keys, [key for key in spend.keys if key != UNDATED]
    data = [
        {"day": shown(day), "tier": tier, "order": TIERS.index(tier), "cost": float(cost)}
        for (day, tier), cost in spend.bars.items()
        if cost and tier in TIERS
    ]
    x = _time(keys, 4 if room.narrow else 8)
    title = None if room.narrow else f"{document.currency} per {spend.period}"
    stacked = (
        chart(data)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("cost:Q", title=title, axis=alt.Axis(grid=True, domain=False, ticks=False, tickCount=5)),
            color=alt.Color(
                "tier:N", title=None, scale=colours(_tiers(tier for (_, tier), c in spend.bars.items() if c))
            ),
            order="order:Q",
        )
    )
    width = room.width - (85 if room.narrow else 60)
    heights: dict[str, Decimal] = defaultdict(Decimal)
    for (day, _), cost in spend.bars.items():
        if day != UNDATED:
            heights[day] += cost
    known = document.knows_tax
    policy = _policy_marks(spend, dated, x, width) if known else []
    unusual = departure_marks(document, heights, x, narrow=room.narrow)
    drawn = alt.layer(stacked, *policy, *unusual).properties(width=width, height=220)
    frontier = sum((cost for (_, tier), cost in spend.bars.items() if tier == "frontier"), Decimal(0))
    part = share(float(frontier / Decimal(document.cost.actual or 0)))
    _, paid, would = adding_up(document)
    return draw(
        room.key("daily"),
        drawn,
        title=f"Frontier models accounted for {part} of {paid}"
        + (f"; the policy would have cost {would}" if known else ""),
        description=f"Bars: cost by {spend.period} and tier, {dated[0]} to {dated[-1]}."
        + (" Line: the policy's cost." if known else "")
        + departure_words(document),
        note=_undated(document),
        narrow_note=departure_words(document).lstrip(),
    )


def _policy_marks(spend: _Spend, dated: list[str], x: alt.X, width: int) -> list[alt.Chart]:
    """Draw the policy's cost: a line over the periods, and a tick over a lone bar."""
    named = [{"day": shown(day), "policy": float(spend.policy[day])} for day in dated]
    lone = [{"day": shown(day), "policy": float(cost)} for day, cost in spend.policy.items() if day == UNDATED]
    size = max(4, int(width / len(spend.keys)))
    marks = []
    if len(dated) > 1:  # a line needs two points
        line = chart(named).encode(x=x, y=alt.Y("policy:Q"))
        marks += [
            line.mark_line(color=LIGHT["ground"], strokeWidth=4.5, interpolate="step"),
            line.mark_line(color=LIGHT["accent"], strokeWidth=2, interpolate="step"),
        ]
    else:
        lone = [*named, *lone]
    if lone:
        tick = chart(lone).encode(x=x, y=alt.Y("policy:Q"))
        marks += [
            tick.mark_tick(color=LIGHT["ground"], thickness=4.5, size=size, opacity=1),
            tick.mark_tick(color=LIGHT["accent"], thickness=2, size=size, opacity=1),
        ]
    last = [{"day": shown(spend.keys[-1]), "policy": float(spend.policy[spend.keys[-1]])}]
    end = chart(last).encode(x=x, y="policy:Q", text=alt.value("policy"))
    offset = size // 2 + 8
    return [*marks, end.mark_text(color=LIGHT["accent"], align="left", dx=offset, fontWeight="bold")]


def _undated(document: Document) -> str:
    """Write a note on the bar of requests without a time."""
    requests = document.period.undated_requests
    if not requests:
        return ""
    return f"The bar “{UNDATED}” is {plural(requests, 'request')} whose log states no time."


def mix_over_time(document: Document) -> Figure | None:
    """The shares of the tiers in requests, tokens and cost by period, side by side."""
    return fitted(partial(_mix, document)) if document.model_mix_daily else None


def _mix(document: Document, room: Room) -> Figure:
    name, sums = _mix_sums(document)
    keys = sorted({key for key, _, _ in sums}, key=lambda key: (key == UNDATED, key))
    data = [
        {"day": shown(day), "tier": tier, "of": of, "amount": amount, "order": TIERS.index(tier)}
        for (day, tier, of), amount in sums.items()
        if amount
    ]
    axis = alt.Axis(format="%", domain=False, ticks=False, tickCount=5)
    order = list(_MEASURES)
    side: dict[str, Any] = (
        {"row": alt.Row("of:N", sort=order, title=None, spacing=8, header=alt.Header(labelAngle=0, labelOrient="top"))}
        if room.narrow
        else {"column": alt.Column("of:N", sort=order, title=None, spacing=36)}
    )
    panels = (
        chart(data)
        .mark_bar()
        .encode(
            x=_time(keys, 4 if room.narrow else 3),
            y=alt.Y("amount:Q", stack="normalize", title=None, axis=axis),
            color=alt.Color("tier:N", title=None, scale=colours(_tiers(tier for _, tier, _ in sums))),
            order="order:Q",
            **side,
        )
        .properties(
            width=room.width - 45 if room.narrow else (room.width - 120) // 3, height=110 if room.narrow else 150
        )
    )
    dated = [key for key in keys if key != UNDATED]
    half = len(dated) // 2
    first, last = _frontier_share(sums, dated[:half]), _frontier_share(sums, dated[half:])
    if last is None or (half and first is None):
        title = "The frontier models' share of cost is unknown"
    elif half:
        title = f"Frontier models went from {share(first)} of cost in the first half to {share(last)} in the second"
    else:
        title = f"Frontier models accounted for {share(last)} of cost"
    return draw(
        room.key("mix"),
        panels,
        title=title,
        description=f"Share of each tier in requests, tokens and cost by {name}, {dated[0]} to {dated[-1]}.",
        note=_undated(document),
    )


def _mix_sums(document: Document) -> tuple[str, dict[tuple[str, str, str], float]]:
    """Return the period's name, and requests, tokens and cost by period and tier."""
    name, find = periods([row.date for row in document.model_mix_daily])
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    undated: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for total in document.model_mix:
        for of in _MEASURES:
            undated[_tier(total.tier), of] += Decimal(getattr(total, of) or 0)
    for row in document.model_mix_daily:
        for of in _MEASURES:
            amount = getattr(row, of) or 0
            sums[find(row.date), _tier(row.tier), of] += float(amount)
            undated[_tier(row.tier), of] -= Decimal(amount)
    if document.period.undated_requests:
        sums |= {(UNDATED, tier, of): float(amount) for (tier, of), amount in undated.items() if amount > 0}
    return name, sums


def _tier(name: str) -> str:
    return name if name in TIERS else "unknown"


def _tiers(used: Iterable[str]) -> tuple[str, ...]:
    """Return the tiers that are used, in the order reports show them."""
    found = set(used)
    return tuple(tier for tier in TIERS if tier in found)


def _time(keys: list[str], most: int) -> alt.X:
    """Make a time axis of periods, a few of them labelled, the undated one always."""
    dated = [key for key in keys if key != UNDATED]
    labelled = ticks(dated, most)
    if len(dated) < len(keys):
        clear = len(keys) / (most + 1)  # a label next to the last one would touch it
        labelled = [key for key in labelled if len(keys) - 1 - keys.index(key) >= clear] + [UNDATED]
    axis = alt.Axis(values=[shown(key) for key in labelled], labelAngle=0, ticks=False)
    return alt.X("day:O", sort=[shown(key) for key in keys], title=None, axis=axis)


def _frontier_share(sums: dict[tuple[str, str, str], float], keys: list[str]) -> float | None:
    total = sum(sums.get((key, tier, "cost"), 0.0) for key in keys for tier in TIERS)
    return sum(sums.get((key, "frontier", "cost"), 0.0) for key in keys) / total if total else None
