"""Pictures of charts, each drawn once: reports of tests show much the same, and drawing takes longest of all."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import vl_convert

_draw = vl_convert.vegalite_to_svg


@cache
def drawn(spec: str) -> str:
    """Return the drawing of a chart, whose specification is text of JSON."""
    picture: str = _draw(json.loads(spec))
    return picture


def draw(spec: dict[str, Any]) -> str:
    """Return the drawing of a chart, in place of ``vl_convert.vegalite_to_svg``."""
    return drawn(json.dumps(spec))
