"""Pictures of charts, each drawn once."""

from __future__ import annotations

import json
from functools import cache

import vl_convert

_draw = vl_convert.vegalite_to_svg


@cache
def drawn(spec: str) -> str:
    """Return the drawing of a chart, whose specification is text of JSON."""
    picture: str = _draw(json.loads(spec))
    return picture
