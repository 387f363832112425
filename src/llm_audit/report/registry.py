"""Every report format by name and by suffix.

To add a format, write its module in ``formats`` with a function ``render`` (``interface.Render``), add its row to
``RENDERERS`` under the module's name with hyphens for underscores (or with ``rendered_by``), test it in
``tests/report/formats``, and describe it in ``docs/reports.md``. A row is all that is needed to choose a format; its
module, and the libraries it draws with, are imported when it first renders.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import cast

from llm_audit.document.audit import Document
from llm_audit.errors import UsageError
from llm_audit.report.interface import Frames, Options, Render, Renderer

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PARQUET = "application/vnd.apache.parquet"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ALL = (
    Renderer(name="json", suffixes=(".json",), media="application/json"),
    Renderer(name="html", suffixes=(".html", ".htm"), media="text/html"),
    Renderer(name="explore", suffixes=(".explore.html",), media="text/html", needs_requests=True),
    Renderer(name="markdown", suffixes=(".md", ".markdown"), media="text/markdown"),
    Renderer(name="xlsx", suffixes=(".xlsx",), media=_XLSX),
    Renderer(name="csv", suffixes=(".csv",), media="text/csv", needs_requests=True, divisible=True),
    Renderer(name="parquet", suffixes=(".parquet",), media=_PARQUET, needs_requests=True, divisible=True),
    Renderer(name="groups-csv", suffixes=(".groups.csv",), media="text/csv", rendered_by="csv:render_groups"),
    Renderer(name="groups-parquet", suffixes=(".groups.parquet",), media=_PARQUET, rendered_by="parquet:render_groups"),
    Renderer(name="focus", suffixes=(".focus.csv",), media="text/csv", needs_requests=True, divisible=True),
    Renderer(
        name="focus-1.0",
        suffixes=(),
        media="text/csv",
        needs_requests=True,
        divisible=True,
        rendered_by="focus:render_1_0",
    ),
    Renderer(name="openmetrics", suffixes=(".prom", ".openmetrics"), media=_OPENMETRICS),
    Renderer(name="otlp", suffixes=(".otlp.json",), media="application/json"),
    Renderer(name="slack", suffixes=(".slack.txt",), media="text/plain"),
    Renderer(name="github", suffixes=(), media="text/plain"),
    Renderer(name="junit", suffixes=(".junit.xml", ".xml"), media="application/xml", needs_check=True),
    Renderer(name="sarif", suffixes=(".sarif", ".sarif.json"), media="application/sarif+json"),
)
RENDERERS: dict[str, Renderer] = {renderer.name: renderer for renderer in _ALL}


def by_suffix(path: str | PurePath) -> Renderer:
    """Return the format whose suffix ends the path; of several, the one with the longest suffix.

    Raises:
        UsageError: No format has the path's suffix.
    """
    name = PurePath(path).name.lower()
    found = [(len(s), r) for r in _ALL for s in r.suffixes if name.endswith(s)]
    if not found:
        known = ", ".join(sorted(s for r in _ALL for s in r.suffixes))
        raise UsageError(f"No report format has the suffix of {path}; use one of {known}.")
    return max(found, key=lambda item: item[0])[1]


def get(name: str) -> Renderer:
    """Return the format of that name.

    Raises:
        UsageError: There is no such format.
    """
    if name not in RENDERERS:
        raise UsageError(f"There is no report format {name!r}; use one of {', '.join(sorted(RENDERERS))}.")
    return RENDERERS[name]


def require(renderer: Renderer, *, requests: bool, check: bool) -> None:
    """Check that a format gets the input it needs.

    Raises:
        UsageError: It needs rows per request, or gates, and there are none.
    """
    if renderer.needs_requests and not requests:
        raise UsageError(
            f"The format {renderer.name} has a row per request, which a saved audit lacks; give the logs or a ledger."
        )
    if renderer.needs_check and not check:
        raise UsageError(f"The format {renderer.name} shows gates; use it with check or diff.")


def render(document: Document, name: str, *, frames: Frames | None = None, options: Options | None = None) -> bytes:
    """Render a document in the format of that name.

    Raises:
        UsageError: There is no such format, or it needs requests or a comparison that were not given.
    """
    renderer = get(name)
    options = options or Options()
    require(renderer, requests=frames is not None, check=options.check is not None)
    module, function = renderer.function
    made = cast("Render", getattr(import_module(f"llm_audit.report.formats.{module}"), function))
    return made(document, frames=frames, options=options)
