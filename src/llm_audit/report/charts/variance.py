"""The change in cost against the baseline as a waterfall."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import altair as alt

from llm_audit.document.comparison import Comparison
from llm_audit.report.charts.svg import LIGHT, WIDTH, Figure, chart, draw
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
    order = [row["part"] for row in rows]
    scale = alt.Scale(domain=["total", "more", "less"], range=[LIGHT["frontier"], LIGHT["accent"], LIGHT["small"]])
    axis = alt.Axis(title=None, labelAngle=0, ticks=False)
    base = chart(rows).encode(x=alt.X("part:O", sort=order, axis=axis))
    bars = base.mark_bar().encode(
        y=alt.Y("from:Q", title="cost", axis=alt.Axis(domain=False, ticks=False, tickCount=5)),
        y2="to:Q",
        color=alt.Color("kind:N", scale=scale, title=None),
    )
    texts = base.mark_text(dy=-8).encode(y="top:Q", text="text:N")
    change = Decimal(comparison.change)
    largest = max(comparison.parts, key=lambda part: abs(Decimal(part.amount)))
    way = "more" if change > 0 else "less"
    title = (
        f"{money(f'{abs(change):f}')} {way} than the baseline, most of it from {words(largest.name)}"
        if change
        else "The same cost as the baseline"
    )
    return draw(
        "waterfall",
        alt.layer(bars, texts).properties(width=WIDTH - 70, height=220),
        title=title,
        description="From the baseline's cost on the left, over each part of the change, to the cost now on the right.",
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
