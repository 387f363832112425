"""Charts of spend by day, tier, model and team."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import altair as alt

from llm_audit.document.audit import Document
from llm_audit.report.charts.periods import periods, shown, ticks
from llm_audit.report.charts.svg import LIGHT, WIDTH, Figure, chart, colours, draw, label
from llm_audit.report.charts.unusual import described, unusual
from llm_audit.report.tables.spend import undated_cost
from llm_audit.report.text import money, plural, share
from llm_audit.vocabulary import TIERS

_MODELS = 10
_TEAMS = 10
_LONE = 320
"""Width of the policy's mark where there is only one period."""


def daily(document: Document) -> Figure | None:
    """Spend by period and tier as stacked bars, with what the policy would have spent as a line."""
    if not document.daily or not Decimal(document.cost.actual):
        return None
    name, find = periods([day.date for day in document.daily])
    bars: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    line: dict[str, Decimal] = defaultdict(Decimal)
    for day in document.daily:
        line[find(day.date)] += Decimal(day.policy_cost or 0)
        for tier, cost in day.cost_by_tier.items():
            bars[find(day.date), tier] += Decimal(cost or 0)
    keys = sorted(line)
    tiers = tuple(tier for tier in TIERS if any(t == tier and cost for (_, t), cost in bars.items()))
    data = [
        {"day": shown(day), "tier": tier, "order": TIERS.index(tier), "cost": float(cost)}
        for (day, tier), cost in bars.items()
        if cost and tier in TIERS
    ]
    x = _time(keys, 8)
    y_axis = alt.Axis(grid=True, domain=False, ticks=False, tickCount=5)
    stacked = (
        chart(data)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("cost:Q", title=f"{document.currency} per {name}", axis=y_axis),
            color=alt.Color("tier:N", title=None, scale=colours(tiers)),
            order="order:Q",
        )
    )
    points = [{"day": shown(day), "policy": float(line[day])} for day in keys]
    policy = chart(points).encode(x=x, y=alt.Y("policy:Q"))
    if len(keys) > 1:
        halo = policy.mark_line(color=LIGHT["ground"], strokeWidth=4.5, interpolate="step")
        drawn = policy.mark_line(color=LIGHT["accent"], strokeWidth=2, interpolate="step")
    else:  # a line needs two points
        halo = policy.mark_tick(color=LIGHT["ground"], thickness=4.5, size=_LONE, opacity=1)
        drawn = policy.mark_tick(color=LIGHT["accent"], thickness=2, size=_LONE, opacity=1)
    end = chart(points[-1:]).encode(x=x, y="policy:Q", text=alt.value("policy"))
    offset = 12 if len(keys) > 1 else _LONE // 2 + 8
    named = end.mark_text(color=LIGHT["accent"], align="left", dx=offset, fontWeight="bold")
    marks = unusual(document, find, bars, x)
    frontier = sum((cost for (_, tier), cost in bars.items() if tier == "frontier"), Decimal(0))
    total = sum(bars.values(), Decimal(0))
    paid, would = (money(f"{amount:f}", currency=document.currency) for amount in (total, sum(line.values())))
    part = share(float(frontier / total)) if total else "none"
    dated = "dated spend" if document.period.undated_requests else "spend"
    drawing = draw(
        "daily",
        alt.layer(stacked, halo, drawn, named, *marks).properties(width=WIDTH - 60, height=220),
        title=f"Frontier models accounted for {part} of {paid} {dated}; the policy would have cost {would}",
        description=f"Stacked bars: cost by {name} and tier, {keys[0]} to {keys[-1]}. Line: the policy's cost."
        + described(document),
    )
    return replace(drawing, note=_undated(document))


def _undated(document: Document) -> str:
    """Write a note on the requests that a chart over time leaves out."""
    requests = document.period.undated_requests
    if not requests:
        return ""
    cost = undated_cost(document)
    amount = money(f"{cost:f}" if cost else None, currency=document.currency)
    return f"{plural(requests, 'request')} without a time ({amount}) {'is' if requests == 1 else 'are'} not shown."


def mix_over_time(document: Document) -> Figure | None:
    """The shares of the tiers in requests, tokens and cost by period, side by side."""
    if not document.model_mix_daily:
        return None
    name, find = periods([row.date for row in document.model_mix_daily])
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in document.model_mix_daily:
        key = find(row.date), row.tier if row.tier in TIERS else "unknown"
        sums[*key, "requests"] += row.requests
        sums[*key, "tokens"] += row.tokens
        sums[*key, "cost"] += float(row.cost or 0)
    keys = sorted({key[0] for key in sums})
    tiers = tuple(tier for tier in TIERS if any(key[1] == tier for key in sums))
    data = [
        {"day": shown(day), "tier": tier, "of": of, "amount": amount, "order": TIERS.index(tier)}
        for (day, tier, of), amount in sums.items()
        if amount
    ]
    panels = (
        chart(data)
        .mark_bar()
        .encode(
            x=_time(keys, 3),
            y=alt.Y(
                "amount:Q",
                stack="normalize",
                title=None,
                axis=alt.Axis(format="%", domain=False, ticks=False, tickCount=5),
            ),
            color=alt.Color("tier:N", title=None, scale=colours(tiers)),
            order="order:Q",
            column=alt.Column("of:N", sort=["requests", "tokens", "cost"], title=None, spacing=18),
        )
        .properties(width=(WIDTH - 90) // 3, height=150)
    )
    half = len(keys) // 2
    first, last = _frontier_share(sums, keys[:half]), _frontier_share(sums, keys[half:])
    spent = sum((Decimal(row.cost or 0) for row in document.model_mix_daily), Decimal(0))
    total = money(f"{spent:f}", currency=document.currency)
    drawing = draw(
        "mix",
        panels,
        title=(
            f"Frontier models went from {share(first)} of cost in the first half to {share(last)} in the second, "
            f"of {total} in total"
            if half
            else f"Frontier models accounted for {share(last)} of {total}"
        ),
        description=f"Share of each tier in requests, tokens and cost by {name}, {keys[0]} to {keys[-1]}.",
    )
    return replace(drawing, note=_undated(document))


def _time(keys: list[str], most: int) -> alt.X:
    """Make a time axis of periods, a few of them labelled."""
    axis = alt.Axis(values=[shown(key) for key in ticks(keys, most)], labelAngle=0, ticks=False)
    return alt.X("day:O", sort=[shown(key) for key in keys], title=None, axis=axis)


def _frontier_share(sums: dict[tuple[str, str, str], float], keys: list[str]) -> float | None:
    total = sum(sums.get((key, tier, "cost"), 0.0) for key in keys for tier in TIERS)
    return sum(sums.get((key, "frontier", "cost"), 0.0) for key in keys) / total if total else None


def models(document: Document) -> Figure | None:
    """Each model's share of cost, largest first."""
    priced = [m for m in document.model_mix if m.cost_share]
    if not priced:
        return None
    rows = [
        {
            "model": label(m.model),
            "key": index,
            "share": m.cost_share,
            "tier": m.tier if m.tier in TIERS else "unknown",
            "text": f"{money(m.cost, currency=document.currency)}  {share(m.cost_share)}",
        }
        for index, m in enumerate(priced[:_MODELS])
    ]
    tiers = tuple(tier for tier in TIERS if any(row["tier"] == tier for row in rows))
    base = chart(rows).encode(
        y=alt.Y("key:O", title=None, axis=None),
    )
    bars = base.mark_bar(height=14).encode(
        x=alt.X(
            "share:Q", title=None, axis=None, scale=alt.Scale(domain=[0, max(0.01, priced[0].cost_share or 0) * 1.25])
        ),
        color=alt.Color("tier:N", title=None, scale=colours(tiers)),
    )
    values = base.mark_text(align="left", dx=6).encode(x="share:Q", text="text:N")
    left = base.mark_text(align="right", dx=-8).encode(x=alt.value(0), text="model:N")
    top = priced[0]
    return draw(
        "models",
        alt.layer(bars, values, left).properties(width=WIDTH - 190, height=22 * len(rows)),
        title=f"{label(top.model)} alone accounted for {share(top.cost_share)} of {_total(document)}",
        description=f"Bars: share of cost of the {len(rows)} models that cost most, coloured by tier.",
    )


def _total(document: Document) -> str:
    """Write the actual cost, for a title."""
    return money(document.cost.actual, currency=document.currency)


def teams(document: Document) -> Figure | None:
    """Cost by team and model as a grid of shaded cells."""
    cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in document.spend:
        cells[row.team, row.model] += Decimal(row.cost or 0)
    by_team: dict[str, Decimal] = defaultdict(Decimal)
    by_model: dict[str, Decimal] = defaultdict(Decimal)
    for (team, model), cost in cells.items():
        by_team[team] += cost
        by_model[model] += cost
    if not any(cells.values()):
        return None
    rows = sorted(by_team, key=lambda team: (-by_team[team], team))[:_TEAMS]
    columns = sorted(by_model, key=lambda model: (-by_model[model], model))[:7]
    return _grid(document, cells, rows, columns)


def _grid(document: Document, cells: dict[tuple[str, str], Decimal], rows: list[str], columns: list[str]) -> Figure:
    data = [
        {
            "row": rows.index(team),
            "column": columns.index(model),
            "cost": float(cost),
            "text": money(f"{cost:f}", currency=document.currency),
        }
        for (team, model), cost in cells.items()
        if team in rows and model in columns and cost
    ]
    x = alt.X("column:O", axis=None, scale=alt.Scale(domain=list(range(len(columns))), paddingInner=0.06))
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(rows))), paddingInner=0.12))
    base = chart(data).encode(x=x, y=y)
    fill = base.mark_rect(color=LIGHT["mid"]).encode(
        opacity=alt.Opacity("cost:Q", scale=alt.Scale(range=[0.08, 0.55]), legend=None)
    )
    amounts = base.mark_text().encode(text="text:N")
    left = [{"row": index, "name": label(team)} for index, team in enumerate(rows)]
    head = [{"column": index, "name": _lines(model)} for index, model in enumerate(columns)]
    names = chart(left).mark_text(align="right", dx=-10).encode(x=alt.value(0), y=y, text="name:N")
    tops = (
        chart(head)
        .mark_text(color=LIGHT["muted"], fontSize=10, baseline="bottom", lineHeight=12)
        .encode(x=x, y=alt.value(-18), text="name:N")
    )
    (team, model), most = max(cells.items(), key=lambda item: item[1])
    total = Decimal(document.cost.actual)
    part = share(float(most / total)) if total else "none"
    return draw(
        "teams",
        alt.layer(fill, amounts, names, tops).properties(width=WIDTH - 110, height=34 * len(rows)),
        title=f"{label(team)} spent most on {label(model)}: {part} of {_total(document)}",
        description=f"Cost by team and model: the top {len(rows)} teams and {len(columns)} models, darker is more.",
    )


def _lines(model: str) -> list[str]:
    """Break a model's name into two lines at the hyphen nearest its middle, for a narrow column."""
    name = label(model)
    cuts = [index for index, char in enumerate(name) if char in "-/ _" and index > 0]
    if len(name) <= 12 or not cuts:
        return [name[:14], name[14:]]
    cut = min(cuts, key=lambda index: abs(index - len(name) / 2))
    return [name[: cut + 1], name[cut + 1 :]]
