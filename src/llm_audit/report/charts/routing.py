"""Charts of what the policy saves: its estimates, frontier and tornado."""

from __future__ import annotations

from functools import partial
from typing import Literal

import altair as alt

from llm_audit.document.audit import Document, FrontierPoint
from llm_audit.report.answers import number_of
from llm_audit.report.charts.svg import LIGHT, Figure, Room, chart, draw, fitted, label, text_width
from llm_audit.report.decisions import measure_of
from llm_audit.report.text import money, plural
from llm_audit.report.text import words as words_of

_SIDES: tuple[tuple[bool, Literal["left", "right"], int], ...] = ((True, "right", -1), (False, "left", 1))
"""Text that ends at its place, to the left of it, and text that begins there: its alignment and the way it is moved."""
_BARS = 10
_NEAR = 0.08


def estimates(document: Document) -> Figure | None:
    """Draw floor, expected with its interval, and ceiling on one scale."""
    tax, currency = document.flagship_tax, document.currency
    low, high = tax.expected.low, tax.expected.high
    if not document.knows_tax or low is None or high is None:
        return None
    named = (("floor", tax.floor.amount), ("expected", tax.expected.amount), ("ceiling", tax.ceiling.amount))
    rows = [{"name": n, "amount": float(a), "text": money(a, currency=currency)} for n, a in named if a is not None]
    span = [{"name": "expected", "low": float(low), "high": float(high)}]
    expected = money(tax.expected.amount, currency=currency)
    ends = f"{money(low, currency=currency)} and {money(high, currency=currency)}"
    few = f"by {plural(tax.expected.clusters, 'conversation')}, too few for an interval"
    title = f"The expected tax is {expected}, {few if tax.expected.rests_on_few else f'between {ends}'}"

    def drawn(room: Room) -> Figure:
        names = alt.Axis(domain=False, ticks=False, labelFontSize=12)
        y = alt.Y("name:N", sort=[n for n, _ in named], title=None, axis=names)
        axis = alt.Axis(domain=False, ticks=False, tickCount=3 if room.narrow else 6, format="~s")
        padding = text_width(str(row["text"]) for row in rows) // 2 + 4  # half of the text of the outermost amounts
        base = chart(rows).encode(
            y=y, x=alt.X("amount:Q", title=currency, axis=axis, scale=alt.Scale(zero=True, padding=padding))
        )
        points = base.mark_point(filled=True, size=90, opacity=1, color=LIGHT["frontier"])
        words = base.mark_text(align="center", dy=-13).encode(text="text:N")
        bar = chart(span).mark_rule(strokeWidth=5, opacity=0.55, color=LIGHT["accent"])
        interval = bar.encode(y=y, x=alt.X("low:Q"), x2="high:Q")
        return draw(
            room.key("estimates"),
            alt.layer(interval, points, words).properties(width=room.width - 100, height=130),
            title=title,
            description="Points: floor, expected and ceiling of the flagship tax. Bar: interval of the expected tax.",
        )

    return fitted(drawn)


def frontier(document: Document) -> Figure | None:
    """Draw the policy's cost against the answers expected to be lost, a point for each value of what it decides by."""
    points = [p for p in document.sensitivity.frontier if p.lost_answers is not None]
    return fitted(partial(_frontier, document, points)) if len(points) > 1 else None


def _frontier(document: Document, points: list[FrontierPoint], room: Room) -> Figure:
    apart, decided = _apart(points), measure_of(document)
    low, high = min(map(_lost, points)), max(map(_lost, points))
    edge = low + (high - low) * (0.5 if room.narrow else 0.8)  # beyond it there is no room for text on the right
    rows = [
        {
            "lost": p.lost_answers,
            "cost": float(p.policy_cost),
            "target": p.target,
            "text": decided.write(p.target) + (f" ({decided.name} in use)" if p.in_use else "") if p in apart else "",
            "in_use": p.in_use,
            "left": _lost(p) > edge,
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
    used = base.transform_filter("datum.in_use").mark_point(filled=True, size=150, opacity=1, color=LIGHT["accent"])
    words = []  # above the line on its right, below it on its left, as it falls
    for left, align, way in _SIDES:
        side = base.transform_filter("datum.left" if left else "!datum.left").encode(text="text:N")
        plain = side.transform_filter("!datum.in_use")
        words.append(plain.mark_text(dx=6 * way, dy=-9 * way, align=align, color=LIGHT["muted"]))
        named = side.transform_filter("datum.in_use")
        words.append(named.mark_text(dx=10 * way, dy=-11 * way, align=align, fontWeight="bold", color=LIGHT["accent"]))
    return draw(
        room.key("frontier"),
        alt.layer(line, dots, used, *words).properties(width=room.width - 70, height=220),
        title=_frontier_title(document),
        description=f"A point for each {decided.name}: the policy's cost against the answers expected to be lost.",
    )


def _lost(point: FrontierPoint) -> float:
    return point.lost_answers or 0.0


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
    """Draw the flagship tax with each assumption at its low and high end."""
    expected = document.flagship_tax.expected.amount
    if expected is None or not document.sensitivity.tornado:
        return None
    return fitted(partial(_tornado, document, float(expected)))


def _tornado(document: Document, expected: float, room: Room) -> Figure:
    bars = document.sensitivity.tornado[:_BARS]
    rows = []
    for index, bar in enumerate(bars):
        for end, value in ((bar.low_value, bar.tax_at_low), (bar.high_value, bar.tax_at_high)):
            kind = "tax grows" if float(value) >= expected else "tax shrinks"
            rows.append(
                {"key": index, "from": expected, "to": float(value), "kind": kind, "text": label(end, room.name)}
            )
    kinds = alt.Scale(domain=["tax grows", "tax shrinks"], range=[LIGHT["accent"], LIGHT["mid"]])
    y = alt.Y("key:O", axis=None)
    base = chart(rows).encode(y=y)
    axis = alt.Axis(domain=False, ticks=False, tickCount=4 if room.narrow else 6, format="~s")
    scale = alt.Scale(zero=False, padding=min(text_width(str(row["text"]) for row in rows) + 8, room.width // 4))
    drawn = base.mark_bar(height=16).encode(
        x=alt.X("from:Q", title=f"flagship tax, {document.currency}", axis=axis, scale=scale),
        x2="to:Q",
        color=alt.Color("kind:N", scale=kinds, title=None),
    )
    words = [
        base.transform_filter(f"datum.to {sign} datum.from")
        .mark_text(align=align, dx=6 * way)
        .encode(x="to:Q", text="text:N")
        for sign, (_, align, way) in zip(("<", ">="), _SIDES, strict=True)
    ]
    named = chart([{"key": index, "name": label(words_of(bar.assumption))} for index, bar in enumerate(bars)])
    above = named.mark_text(align="left", dy=-18) if room.narrow else named.mark_text(align="right", dx=-8)
    names = above.encode(y=y, x=alt.value(0), text="name:N")
    middle = chart([{"at": expected}]).mark_rule(color=LIGHT["ink"], strokeWidth=1).encode(x="at:Q")
    height = (48 if room.narrow else 34) * len(bars)
    return draw(
        room.key("tornado"),
        alt.layer(drawn, middle, *words, names).properties(
            width=room.width - (10 if room.narrow else 170), height=height
        ),
        title=f"The estimate is most sensitive to {label(words_of(bars[0].assumption))}",
        description="Bars: the flagship tax as each assumption moves to its low and its high end, widest first.",
    )
