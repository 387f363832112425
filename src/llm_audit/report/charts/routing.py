"""Charts of the policy: its estimates, flow of cost, frontier and tornado."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import altair as alt

from llm_audit.document.audit import Document, FrontierPoint, Route
from llm_audit.report.answers import number_of
from llm_audit.report.charts.svg import LIGHT, WIDTH, Figure, chart, draw, label
from llm_audit.report.decisions import measure_of
from llm_audit.report.text import money, plural, share, words

_NARROW = 230
"""Width of the plot that fits a phone, names included."""
_ROOM = 24
"""Room for half of the text of the outermost amounts."""
_ROUTES = 12
_BARS = 10
_CURVE = 24
_GAP = 0.02
_NEAR = 0.08
_LINE = 0.055
"""Height of a name next to the flow, as a part of the height of all spend."""


def estimates(document: Document) -> Figure | None:
    """Floor, expected with its interval, and ceiling on one scale."""
    tax, currency = document.flagship_tax, document.currency
    if not document.cost.priced_requests:
        return None
    named = (("floor", tax.floor.amount), ("expected", tax.expected.amount), ("ceiling", tax.ceiling.amount))
    rows = [{"name": n, "amount": float(a), "text": money(a, currency=currency)} for n, a in named]
    ends = (tax.expected.amount, tax.expected.low, tax.expected.high)
    expected, low, high = (money(amount, currency=currency) for amount in ends)

    def drawn(key: str, width: int, ticks: int) -> Figure:
        names = alt.Axis(domain=False, ticks=False, labelFontSize=12)
        y = alt.Y("name:N", sort=[n for n, _ in named], title=None, axis=names)
        axis = alt.Axis(domain=False, ticks=False, tickCount=ticks, format="~s")
        base = chart(rows).encode(
            y=y, x=alt.X("amount:Q", title=currency, axis=axis, scale=alt.Scale(zero=True, padding=_ROOM))
        )
        points = base.mark_point(filled=True, size=90, opacity=1, color=LIGHT["frontier"])
        words = base.mark_text(align="center", dy=-13).encode(text="text:N")
        span = [{"name": "expected", "low": float(tax.expected.low), "high": float(tax.expected.high)}]
        bar = chart(span).mark_rule(strokeWidth=5, opacity=0.55, color=LIGHT["accent"])
        interval = bar.encode(y=y, x=alt.X("low:Q"), x2="high:Q")
        return draw(
            key,
            alt.layer(interval, points, words).properties(width=width, height=130),
            title=f"The expected tax is {expected}, between {low} and {high}",
            description="Points: floor, expected and ceiling of the flagship tax. Bar: interval of the expected tax.",
        )

    return replace(drawn("estimates", WIDTH - 90, 6), narrow=drawn("estimates-narrow", _NARROW, 3).svg)


def flow(document: Document) -> Figure | None:
    """The flow of cost from the model used to the model assigned, as ribbons."""
    routes = sorted((r for r in document.routes if Decimal(r.actual_cost) > 0), key=lambda r: -Decimal(r.actual_cost))
    if not routes:
        return None
    shown = routes[:_ROUTES]
    total = sum((Decimal(r.actual_cost) for r in shown), Decimal(0))
    left, left_ends = _stack(shown, total, "from_model")
    right, right_ends = _stack(shown, total, "to_model")
    ribbons: list[dict[str, Any]] = []
    for index, route in enumerate(shown):
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
    ends = [*_ends(document, left_ends, 0.0), *_ends(document, right_ends, 1.0)]
    base = chart(ends).encode(x=x, y=alt.Y("middle:Q"))
    bars = base.mark_bar(width=5, color=LIGHT["frontier"]).encode(y="y:Q", y2="y2:Q")
    used = base.transform_filter("datum.x == 0").mark_text(align="right", dx=-9).encode(text="text:N")
    assigned = base.transform_filter("datum.x == 1").mark_text(align="left", dx=9).encode(text="text:N")
    moved = sum((Decimal(r.actual_cost) for r in routes if r.from_model != r.to_model), Decimal(0))
    part = share(float(moved / Decimal(document.cost.actual))) if Decimal(document.cost.actual) else "none"
    spent = money(document.cost.actual, currency=document.currency)
    return draw(
        "flow",
        alt.layer(bands, bars, used, assigned).properties(width=WIDTH - 330, height=320),
        title=f"The policy would move {part} of {spent} to other models",
        description="Ribbons from the model used, left, to the model the policy assigns, right, as wide as their cost.",
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


def _ends(document: Document, ends: list[tuple[str, float, float, Decimal]], x: float) -> list[dict[str, Any]]:
    """Return the bars of one side with their names, moved down where they would touch the one above."""
    rows, free = [], 0.0
    for model, low, high, cost in ends:
        middle = max((low + high) / 2, free)
        free = middle + _LINE
        text = f"{label(model)}  {money(f'{cost:f}', currency=document.currency)}"
        rows.append({"x": x, "y": low, "y2": high, "middle": middle, "text": text})
    return rows


def frontier(document: Document) -> Figure | None:
    """The policy's cost against the answers expected to be lost, a point for each value of what it decides by."""
    points = [p for p in document.sensitivity.frontier if p.lost_answers is not None]
    if len(points) < 2:
        return None
    apart, decided = _apart(points), measure_of(document)
    rows = [
        {
            "lost": p.lost_answers,
            "cost": float(p.policy_cost),
            "target": p.target,
            "text": decided.write(p.target) + (f" ({decided.name} in use)" if p.in_use else "") if p in apart else "",
            "in_use": p.in_use,
        }
        for p in points
    ]
    base = chart(rows).encode(
        x=alt.X("lost:Q", title="answers expected to be lost", axis=alt.Axis(grid=False, tickCount=6)),
        y=alt.Y(
            "cost:Q",
            title=f"policy cost, {document.currency}",
            axis=alt.Axis(domain=False, ticks=False, tickCount=5),
            scale=alt.Scale(zero=False),
        ),
    )
    line = base.mark_line(color=LIGHT["mid"], strokeWidth=2).encode(order="target:Q")
    dots = base.mark_point(filled=True, size=45, opacity=1, color=LIGHT["frontier"])
    marked = base.transform_filter("datum.in_use")
    used = marked.mark_point(filled=True, size=150, opacity=1, color=LIGHT["accent"])
    words = base.transform_filter("!datum.in_use").mark_text(dx=6, dy=-9, align="left", color=LIGHT["muted"])
    named = marked.mark_text(dx=10, dy=-11, align="left", fontWeight="bold", color=LIGHT["accent"])
    return draw(
        "frontier",
        alt.layer(line, dots, used, words.encode(text="text:N"), named.encode(text="text:N")).properties(
            width=WIDTH - 70, height=220
        ),
        title=_frontier_title(document),
        description=f"A point for each {decided.name}: the policy's cost against the answers expected to be lost.",
    )


def _apart(points: list[FrontierPoint]) -> list[FrontierPoint]:
    """Choose the points far enough apart to be labelled, the one in use first."""
    xs = [p.lost_answers or 0.0 for p in points]
    ys = [float(p.policy_cost) for p in points]
    wide, high = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    kept: list[tuple[float, float, FrontierPoint]] = []
    for x, y, point in sorted(zip(xs, ys, points, strict=True), key=lambda row: (not row[2].in_use, -row[2].target)):
        if all(abs(x - a) / wide > _NEAR or abs(y - b) / high > _NEAR for a, b, _ in kept):
            kept.append((x, y, point))
    return [point for _, _, point in kept]


def _frontier_title(document: Document) -> str:
    used = next((p for p in document.sensitivity.frontier if p.in_use), None)
    if used is None:
        return "Moving more requests costs less and loses more answers"
    decided, one = measure_of(document), used.moved_requests == 1
    lost = f"{number_of(used.lost_answers)} answers" if used.lost_answers else "no answer"
    moved = f"{plural(used.moved_requests, 'moved request')} {'is' if one else 'are'} expected to lose {lost}"
    return f"{moved} at the {decided.name} in use ({decided.write(used.target)}{decided.unit})"


def tornado(document: Document) -> Figure | None:
    """The flagship tax with each assumption at its low and high end."""
    bars = document.sensitivity.tornado
    if not bars:
        return None
    expected = float(document.flagship_tax.expected.amount)
    rows = []
    for index, bar in enumerate(bars[:_BARS]):
        for end, value in ((bar.low_value, bar.tax_at_low), (bar.high_value, bar.tax_at_high)):
            amount = float(value)
            rows.append(
                {
                    "key": index,
                    "from": expected,
                    "to": amount,
                    "kind": "tax grows" if amount >= expected else "tax shrinks",
                    "text": label(end),
                }
            )
    scale = alt.Scale(domain=["tax grows", "tax shrinks"], range=[LIGHT["accent"], LIGHT["mid"]])
    y = alt.Y("key:O", axis=None)
    base = chart(rows).encode(y=y)
    axis = alt.Axis(domain=False, ticks=False, tickCount=6, format="~s")
    drawn = base.mark_bar(height=16).encode(
        x=alt.X(
            "from:Q", title=f"flagship tax, {document.currency}", axis=axis, scale=alt.Scale(zero=False, padding=60)
        ),
        x2="to:Q",
        color=alt.Color("kind:N", scale=scale, title=None),
    )
    less = (
        base.transform_filter("datum.to < datum.from").mark_text(align="right", dx=-6).encode(x="to:Q", text="text:N")
    )
    more = base.transform_filter("datum.to >= datum.from").mark_text(align="left", dx=6).encode(x="to:Q", text="text:N")
    named = [{"key": index, "name": label(words(bar.assumption))} for index, bar in enumerate(bars[:_BARS])]
    names = chart(named).mark_text(align="right", dx=-8).encode(y=y, x=alt.value(0), text="name:N")
    middle = chart([{"at": expected}]).mark_rule(color=LIGHT["ink"], strokeWidth=1).encode(x="at:Q")
    return draw(
        "tornado",
        alt.layer(drawn, middle, less, more, names).properties(width=WIDTH - 170, height=34 * min(len(bars), _BARS)),
        title=f"The estimate is most sensitive to {label(words(bars[0].assumption))}",
        description="Bars: the flagship tax as each assumption moves to its low and its high end, widest first.",
    )
