"""The change in cost against the baseline as a waterfall."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import altair as alt

from llm_audit.document.comparison import Comparison
from llm_audit.report.charts.svg import LIGHT, Figure, Room, chart, draw, fitted, text_width
from llm_audit.report.text import money, words


def waterfall(comparison: Comparison) -> Figure:
    """A waterfall from the baseline's cost, over each part of the change, to the cost now."""
    at = Decimal(comparison.base.cost)
    rows: list[dict[str, Any]] = [_bar("baseline", Decimal(0), at, "total")]
    for part in comparison.parts:
        change = Decimal(part.amount)
        rows.append(_bar(words(part.name), at, at + change, "more" if change > 0 else "less"))
        at += change
    rows.append(_bar("now", Decimal(0), Decimal(comparison.head.cost), "total"))
    change = Decimal(comparison.change)
    largest = max(comparison.parts, key=lambda part: abs(Decimal(part.amount)))
    way = "more" if change > 0 else "less"
    title = (
        f"{money(f'{abs(change):f}')} {way} than the baseline, most of it from {words(largest.name)}"
        if change
        else "The same cost as the baseline"
    )
    return fitted(partial(_waterfall, rows, title))


def _waterfall(rows: list[dict[str, Any]], title: str, room: Room) -> Figure:
    """Draw the parts side by side, or below each other where there is little room for their names."""
    order = [row["part"] for row in rows]
    kinds = alt.Scale(domain=["total", "more", "less"], range=[LIGHT["frontier"], LIGHT["accent"], LIGHT["small"]])
    colour = alt.Color("kind:N", scale=kinds, title=None)
    amounts = alt.Axis(domain=False, ticks=False, tickCount=3 if room.narrow else 5)
    if room.narrow:
        base = chart(rows).encode(y=alt.Y("part:O", sort=order, axis=None))
        scale = alt.Scale(range=[0, room.width - text_width(row["text"] for row in rows)])
        at = alt.X("from:Q", title=None, axis=amounts, scale=scale)
        bars = base.mark_bar(height=13).encode(x=at, x2="to:Q", color=colour)
        texts = [
            base.mark_text(align="left", dx=6).encode(x="top:Q", text="text:N"),
            base.mark_text(align="left", dy=-16).encode(x=alt.value(0), text="part:O"),
        ]
        size = {"width": room.width, "height": 40 * len(rows)}
    else:
        base = chart(rows).encode(x=alt.X("part:O", sort=order, axis=alt.Axis(title=None, labelAngle=0, ticks=False)))
        bars = base.mark_bar().encode(y=alt.Y("from:Q", title="cost", axis=amounts), y2="to:Q", color=colour)
        texts = [base.mark_text(dy=-8).encode(y="top:Q", text="text:N")]
        size = {"width": room.width - 70, "height": 220}
    return draw(
        room.key("waterfall"),
        alt.layer(bars, *texts).properties(**size),
        title=title,
        description="From the baseline's cost, over each part of the change, to the cost now.",
    )


def _bar(part: str, start: Decimal, end: Decimal, kind: str) -> dict[str, Any]:
    amount = end if kind == "total" else end - start
    text = money(f"{amount:f}")
    return {
        "part": part,
        "from": float(start),
        "to": float(end),
        "top": float(max(start, end)),
        "kind": kind,
        "text": f"+{text}" if kind == "more" else text,
    }
