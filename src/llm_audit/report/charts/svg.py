"""Draw charts as inline SVG: one theme, colours that a style sheet can turn dark, the same bytes every time.

Colours are a closed palette. The page's style sheet maps each hex value to a custom property by attribute selectors, so
one drawing serves light, dark and print, and stays a correct picture on its own.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from html import escape
from typing import Any

import altair as alt
import msgspec
import vl_convert
from msgspec.structs import replace

from llm_audit.errors import AuditWarning
from llm_audit.report.text import NONE, plain

PALETTE: dict[str, tuple[str, str]] = {  # name: light, dark
    "frontier": ("#17324d", "#9cc4ee"),
    "mid": ("#4f81b0", "#4f86bd"),
    "small": ("#5d9c89", "#5fb098"),
    "unknown": ("#a3a09a", "#77746e"),
    "accent": ("#b4471c", "#f0936b"),
    "ink": ("#22201d", "#eceae6"),
    "muted": ("#65625c", "#a9a69f"),
    "ground": ("#fbfaf7", "#15181c"),
    "rule": ("#dcd9d2", "#3a3e45"),
}
"""The charts' colours; text colours have at least 4.5:1 on the page's grounds, marks 3:1 but for the unknown."""
LIGHT: dict[str, str] = {name: light for name, (light, _) in PALETTE.items()}
WIDTH = 640
_FONT = (
    "Liberation Sans"  # shipped with vl-convert and as wide as Arial and Helvetica, so text measures the same anywhere
)
_FONT_STACK = "Helvetica Neue, Arial, Liberation Sans, sans-serif"
_CHARACTER = 7
"""Pixels of a wide character; digits and most letters are narrower."""
_ADDRESS_SPACE = 1 << 36  # reserved by the drawing engine, most of it never used
_LEFT_OUT = (
    '<svg width="640" height="32" viewBox="0 0 640 32" xmlns="http://www.w3.org/2000/svg"><text x="0" y="20" '
    f'fill="{LIGHT["ink"]}">This picture was left out, since the address space of the program is limited.</text></svg>'
)
_IDS = re.compile(r'(\bid="|url\(#|href="#)([^")]+)')
_GROUP = re.compile(r"<g [^>]*>")
_ROLES = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_SIZE = re.compile(r' width="[\d.]+" height="[\d.]+"', re.ASCII)


class Figure(msgspec.Struct, kw_only=True, frozen=True):
    """A drawing, its message as a title, and a description for screen readers. All but the SVG is plain text."""

    key: str
    title: str
    description: str
    svg: str
    note: str = ""  # about data that the drawing leaves out
    chart: alt.TopLevelMixin | None = None  # what it was drawn from
    narrow: str = ""  # the drawing for a narrow window, where the wide one would have to scroll
    narrow_note: str = ""  # about data that only the narrow drawing leaves out


class Room(msgspec.Struct, kw_only=True, frozen=True):
    """The room for a drawing, in pixels: all of it, and the characters of a name."""

    width: int
    name: int
    narrow: bool = False

    def key(self, name: str) -> str:
        """Return a key of a drawing for this room."""
        return f"{name}-narrow" if self.narrow else name


WIDE = Room(width=WIDTH, name=26)
NARROW = Room(width=330, name=16, narrow=True)
"""A telephone of 375 pixels, less the margins of the page and of the drawing."""


def fitted(make: Callable[[Room], Figure]) -> Figure:
    """Return the drawing for a wide window with that for a narrow one."""
    narrow = make(NARROW)
    return replace(make(WIDE), narrow=narrow.svg, narrow_note=narrow.narrow_note)


def text_width(texts: Iterable[str]) -> int:
    """Return the pixels that the longest text takes at most, at the size of a chart's labels."""
    return max((len(text) for text in texts), default=0) * _CHARACTER


def room_for(names: Iterable[str]) -> dict[str, int]:
    """Return the padding of a drawing with names at its left, for readers whose font is wider than the one measured."""
    return {"left": 5 + text_width(names) // 6, "top": 5, "right": 5, "bottom": 5}


def label(name: str, limit: int = WIDE.name) -> str:
    """Shorten a name from the log for an axis."""
    return plain(name or NONE, limit=limit)


def colours(names: tuple[str, ...]) -> alt.Scale:
    """Make a scale that gives each tier its colour."""
    return alt.Scale(domain=list(names), range=[LIGHT[name] for name in names])


def chart(rows: list[dict[str, Any]]) -> alt.Chart:
    """Make a chart of inline rows."""
    return alt.Chart({"values": rows})


def draw(
    key: str, chart: alt.TopLevelMixin, *, title: str, description: str, note: str = "", narrow_note: str = ""
) -> Figure:
    """Draw a chart. Ids are numbered under ``key``, so that drawings on one page do not share any."""
    spec: dict[str, Any] = chart.to_dict()
    spec["config"] = _config()
    drawn = vl_convert.vegalite_to_svg(spec) if _can_draw() else _LEFT_OUT
    numbers: dict[str, int] = {}

    def rename(match: re.Match[str]) -> str:
        return f"{match[1]}{key}-{numbers.setdefault(match[2], len(numbers))}"

    drawn = _IDS.sub(rename, drawn).replace(f'font-family="{_FONT}"', f'font-family="{_FONT_STACK}"')
    drawn = _GROUP.sub(lambda group: _ROLES.sub("", group[0]), drawn)  # the drawing is one image, its parts are none
    head, _, body = drawn.partition(">")
    head = _SIZE.sub("", head, count=1).replace(
        "<svg", f'<svg role="img" aria-labelledby="{key}-title {key}-desc" focusable="false"', 1
    )
    names = f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
    return Figure(
        key=key,
        title=title,
        description=description,
        svg=f"{head}>{names}{body}",
        note=note,
        narrow_note=narrow_note,
        chart=chart,
    )


@lru_cache(maxsize=1)
def _can_draw() -> bool:
    """Return whether the drawing engine can start: it ends the process where it cannot reserve address space."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return True
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= _ADDRESS_SPACE:
        return True
    warnings.warn(
        f"Pictures were left out: they need {_ADDRESS_SPACE >> 30} GiB of address space, and the limit is "
        f"{limit >> 30} GiB. Raise it with `ulimit -v unlimited`.",
        AuditWarning,
        stacklevel=2,
    )
    return False


def _config() -> dict[str, Any]:
    text = {
        "labelFont": _FONT,
        "titleFont": _FONT,
        "labelColor": LIGHT["muted"],
        "titleColor": LIGHT["muted"],
        "titlePadding": 10,
    }
    sizes = {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"}
    return {
        "aria": False,
        "background": None,
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {**text, **sizes, "domainColor": LIGHT["rule"], "tickColor": LIGHT["rule"], "gridColor": LIGHT["rule"]},
        "legend": {**text, **sizes, "orient": "top", "symbolType": "square", "symbolStrokeWidth": 0},
        "header": {**text, **sizes},
        "text": {"color": LIGHT["ink"], "fontSize": 11},
    }
