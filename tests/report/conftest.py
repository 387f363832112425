"""The tests of reports render much the same documents again and again, and drawing their charts takes longest."""

from __future__ import annotations

import json
from typing import Any

import pytest
import vl_convert
from tests.report.pictures import drawn


@pytest.fixture(autouse=True)
def _each_picture_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(spec: dict[str, Any]) -> str:
        return drawn(json.dumps(spec))

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", draw)
