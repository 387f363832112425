"""Marks of unusual days on the chart of daily spend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import altair as alt

from llm_audit.document.audit import Departure, Document
from llm_audit.report.charts.periods import shown
from llm_audit.report.charts.svg import LIGHT, chart
from llm_audit.report.rhythm import change

_MARKS = 4
_TEXT = 7
"""A text is about as wide as this part of the chart."""


def described(document: Document) -> str:
    """Describe the marks for readers who do not see them."""
    return "".join(
        f" {one.kind.capitalize()} on {one.start}: {change(one, document.currency)}." for one in _marked(document)
    )


def unusual(
    document: Document, find: Callable[[str], str], bars: Mapping[tuple[str, str], Decimal], x: alt.X
) -> list[alt.Chart]:
    """Return a mark with its text above the first period of each departure."""
    heights: dict[str, Decimal] = defaultdict(Decimal)
    for (key, _), cost in bars.items():
        heights[key] += cost
    found: dict[str, Departure] = {}
    for one in _marked(document):
        found.setdefault(find(one.start), one)
    keys = sorted(heights)
    rows = [
        {
            "day": shown(key),
            "height": _clear(keys, heights, key),
            "text": f"{one.kind} {change(one, document.currency)}",
            "late": _late(keys, key),
        }
        for key, one in found.items()
        if key in heights
    ]
    if not rows:
        return []
    marks = [
        chart(rows)
        .encode(x=x, y="height:Q")
        .mark_point(shape="triangle-down", filled=True, size=50, yOffset=-8, color=LIGHT["ink"], opacity=1)
    ]
    for late in (False, True):
        texts = [row for row in rows if row["late"] == late]
        if texts:
            base = chart(texts).encode(x=x, y="height:Q", text="text:N")
            marks.append(base.mark_text(dy=-16, dx=4 if late else -4, align="right" if late else "left"))
    return marks


def _marked(document: Document) -> list[Departure]:
    """Return the departures that the chart marks: those that differ most."""
    return sorted(document.departures, key=lambda one: (-abs(Decimal(one.amount)), one.start))[:_MARKS]


def _late(keys: Sequence[str], key: str) -> bool:
    """Return whether a mark's text goes to the left, since there is more room."""
    return key > keys[len(keys) // 2]


def _clear(keys: Sequence[str], heights: Mapping[str, Decimal], key: str) -> float:
    """Return the height above the bars that a mark's text goes over."""
    at, width = keys.index(key), -(-len(keys) // _TEXT)
    over = keys[max(0, at - width) : at + 1] if _late(keys, key) else keys[at : at + width + 1]
    return float(max(heights[other] for other in over))
