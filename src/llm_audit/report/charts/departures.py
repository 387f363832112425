"""Marks of spikes, drops and shifts on the chart of daily spend."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import altair as alt

from llm_audit.document.audit import Departure, Document
from llm_audit.report.charts.periods import periods, shown
from llm_audit.report.charts.svg import LIGHT, chart
from llm_audit.report.rhythm import change

_MARKS = 4


def departure_words(document: Document) -> str:
    """Return a sentence for each departure that the chart marks."""
    marked = _marked(document)
    return "".join(f" {one.kind.capitalize()} on {one.start}: {change(one, document.currency)}." for one in marked)


def departure_marks(document: Document, heights: Mapping[str, Decimal], x: alt.X, *, narrow: bool) -> list[alt.Chart]:
    """Return a mark above the first period of each departure, with its text where there is room.

    Args:
        document: The audit.
        heights: The height of each period's bar.
        x: The axis of periods.
        narrow: Whether there is no room for text.
    """
    _, find = periods([day.date for day in document.daily])
    found: dict[str, Departure] = {}
    for one in _marked(document):
        found.setdefault(find(one.start), one)
    if not found:
        return []
    middle = sorted(heights)[len(heights) // 2]
    rows = [
        {
            "day": shown(key),
            "height": float(heights[key]),
            "text": f"{one.kind} {change(one, document.currency)}",
            "late": key > middle,
        }
        for key, one in found.items()
    ]
    marks = [
        chart(rows)
        .encode(x=x, y="height:Q")
        .mark_point(shape="triangle-down", filled=True, size=50, yOffset=-8, color=LIGHT["ink"], opacity=1)
    ]
    for late in (False, True) if not narrow else ():
        texts = [row for row in rows if row["late"] == late]
        if texts:
            base = chart(texts).encode(x=x, y="height:Q", text="text:N")
            marks.append(base.mark_text(dy=-16, dx=4 if late else -4, align="right" if late else "left"))
    return marks


def _marked(document: Document) -> list[Departure]:
    """Return the departures that the chart marks: those that differ most."""
    return sorted(document.departures, key=lambda one: (-abs(Decimal(one.amount)), one.start))[:_MARKS]
