"""The chart of where cost goes: ribbons from the models used to the models that the policy assigns."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import partial
from typing import Any

import altair as alt

from llm_audit.document.audit import Document, Route
from llm_audit.report.charts.svg import LIGHT, Figure, Room, chart, draw, fitted, label
from llm_audit.report.text import money, plural, share

_ROUTES = 12
_CURVE = 24
"""Steps of a ribbon's edge."""
_GAP = 0.02
_LINE = 0.055
"""Height of a name next to the flow, as a part of the height of all spend."""


def flow(document: Document) -> Figure | None:
    """Draw the flow of cost from the model used to the model assigned, as ribbons."""
    routes = sorted((r for r in document.routes if Decimal(r.actual_cost) > 0), key=lambda r: -Decimal(r.actual_cost))
    return fitted(partial(_flow, document, routes)) if routes else None


def _flow(document: Document, routes: list[Route], room: Room) -> Figure:
    drawn = routes[:_ROUTES]
    total = sum((Decimal(r.actual_cost) for r in drawn), Decimal(0))
    left, left_ends = _stack(drawn, total, "from_model")
    right, right_ends = _stack(drawn, total, "to_model")
    ribbons: list[dict[str, Any]] = []
    for index, route in enumerate(drawn):
        kind = "kept" if route.from_model == route.to_model else "moved"
        (a, b), (c, d) = left[index], right[index]
        for step in range(_CURVE + 1):
            t = step / _CURVE
            ease = t * t * (3 - 2 * t)
            ribbons.append({"route": index, "kind": kind, "x": t, "y": a + (c - a) * ease, "y2": b + (d - b) * ease})
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, 1.25], reverse=True, nice=False))
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    kinds = alt.Scale(domain=["moved", "kept"], range=[LIGHT["accent"], LIGHT["mid"]])
    bands = (
        chart(ribbons)
        .mark_area(opacity=0.4)
        .encode(x=x, y=y, y2="y2:Q", detail="route:N", color=alt.Color("kind:N", scale=kinds, title=None))
    )
    ends = [*_ends(document, left_ends, 0.0, room), *_ends(document, right_ends, 1.0, room)]
    base = chart(ends).encode(x=x, y=alt.Y("middle:Q"))
    bars = base.mark_bar(width=5, color=LIGHT["frontier"]).encode(y="y:Q", y2="y2:Q")
    used = base.transform_filter("datum.x == 0").mark_text(align="right", dx=-9, lineHeight=12).encode(text="text:N")
    assigned = base.transform_filter("datum.x == 1").mark_text(align="left", dx=9, lineHeight=12).encode(text="text:N")
    moved = sum((Decimal(r.actual_cost) for r in routes if r.from_model != r.to_model), Decimal(0))
    paid = Decimal(document.cost.actual or 0)
    part = share(float(moved / paid)) if paid else "none"
    spent = money(document.cost.actual, currency=document.currency)
    size = {"width": 100, "height": 460} if room.narrow else {"width": room.width - 330, "height": 320}
    return draw(
        room.key("flow"),
        alt.layer(bands, bars, used, assigned).properties(**size),
        title=f"The policy would move {part} of {spent} to other models",
        description="Ribbons from the model used, left, to the model the policy assigns, right, as wide as their cost.",
        note=_small_flows(document, routes[_ROUTES:], total),
    )


def _small_flows(document: Document, rest: list[Route], drawn: Decimal) -> str:
    """Say which flows are not drawn."""
    if not rest:
        return ""
    left_out = sum((Decimal(route.actual_cost) for route in rest), Decimal(0))
    shown, small = (money(f"{amount:f}", currency=document.currency) for amount in (drawn, left_out))
    return (
        f"The {_ROUTES} largest flows are drawn ({shown}), and a model's amount is that of its flows drawn. Left out"
        f" {'is' if len(rest) == 1 else 'are'} {plural(len(rest), 'smaller flow')} ({small}), which the table has too."
    )


def _stack(
    routes: list[Route], total: Decimal, side: str
) -> tuple[list[tuple[float, float]], list[tuple[str, float, float, Decimal]]]:
    """Stack the routes on one side, costliest model first; return the extents of routes and models."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for route in routes:
        sums[getattr(route, side)] += Decimal(route.actual_cost)
    at, ends = 0.0, []
    starts: dict[str, float] = {}
    for model in sorted(sums, key=lambda m: (-sums[m], m)):
        size = float(sums[model] / total)
        starts[model] = at
        ends.append((model, at, at + size, sums[model]))
        at += size + _GAP
    stretches = []
    for route in routes:
        model = getattr(route, side)
        size = float(Decimal(route.actual_cost) / total)
        stretches.append((starts[model], starts[model] + size))
        starts[model] += size
    return stretches, ends


def _ends(
    document: Document, ends: list[tuple[str, float, float, Decimal]], x: float, room: Room
) -> list[dict[str, Any]]:
    """Return the bars of one side with their names, moved down where they would touch the one above."""
    rows, free = [], 0.0
    for model, low, high, cost in ends:
        middle = max((low + high) / 2, free)
        free = middle + _LINE
        name, amount = label(model, room.name), money(f"{cost:f}", currency=document.currency)
        text = [name, amount] if room.narrow else f"{name}  {amount}"
        rows.append({"x": x, "y": low, "y2": high, "middle": middle, "text": text})
    return rows
