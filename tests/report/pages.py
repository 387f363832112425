"""The page that several tests look at, drawn once a process."""

from __future__ import annotations

import re
from functools import cache

from tests.report import build, compared

from llm_audit.report.interface import Options
from llm_audit.report.registry import render

DAYS = 7


@cache
def page() -> str:
    """A week's report with a comparison, as HTML."""
    return render(build.rich(DAYS), "html", options=Options(check=compared.check())).decode()


def unlinked(page: str) -> str:
    """The page without links from terms to their definitions."""
    return re.sub(r'<a class="term"[^>]*>([^<]*)</a>', r"\1", page)
