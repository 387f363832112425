"""Every report format by name and by suffix. A format's module is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import cast

from llm_audit.document.audit import Document
from llm_audit.errors import UsageError
from llm_audit.report.interface import Frames, Options, Render, Renderer

_ALL = (
    Renderer(name="json", suffixes=(".json",), media="application/json", module="json"),
    Renderer(name="html", suffixes=(".html", ".htm"), media="text/html", module="html"),
    Renderer(name="markdown", suffixes=(".md", ".markdown"), media="text/markdown", module="markdown"),
    Renderer(
        name="xlsx",
        suffixes=(".xlsx",),
        media="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        module="xlsx",
    ),
    Renderer(name="csv", suffixes=(".csv",), media="text/csv", module="requests", function="csv", needs_requests=True),
    Renderer(
        name="parquet",
        suffixes=(".parquet",),
        media="application/vnd.apache.parquet",
        module="requests",
        function="parquet",
        needs_requests=True,
    ),
    Renderer(name="groups-csv", suffixes=(".groups.csv",), media="text/csv", module="groups", function="csv"),
    Renderer(
        name="groups-parquet",
        suffixes=(".groups.parquet",),
        media="application/vnd.apache.parquet",
        module="groups",
        function="parquet",
    ),
    Renderer(name="focus", suffixes=(".focus.csv",), media="text/csv", module="focus", needs_requests=True),
    Renderer(
        name="openmetrics",
        suffixes=(".prom", ".openmetrics"),
        media="application/openmetrics-text; version=1.0.0; charset=utf-8",
        module="openmetrics",
    ),
    Renderer(name="github", suffixes=(), media="text/plain", module="github"),
    Renderer(name="junit", suffixes=(".junit.xml", ".xml"), media="application/xml", module="junit", needs_check=True),
    Renderer(name="sarif", suffixes=(".sarif", ".sarif.json"), media="application/sarif+json", module="sarif"),
)

RENDERERS: dict[str, Renderer] = {renderer.name: renderer for renderer in _ALL}


def by_suffix(path: str | PurePath) -> Renderer:
    """The format whose suffix ends the path; of several, the longest suffix wins.

    Raises:
        UsageError: No format has it.
    """
    name = PurePath(path).name.lower()
    found = [(len(s), r) for r in _ALL for s in r.suffixes if name.endswith(s)]
    if not found:
        known = ", ".join(sorted(s for r in _ALL for s in r.suffixes))
        raise UsageError(f"No report format has the suffix of {path}. Use one of {known}.")
    return max(found, key=lambda item: item[0])[1]


def get(name: str) -> Renderer:
    """The format of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in RENDERERS:
        raise UsageError(f"There is no report format {name!r}. Use one of {', '.join(sorted(RENDERERS))}.")
    return RENDERERS[name]


def require(renderer: Renderer, *, requests: bool, check: bool) -> None:
    """Make sure that what a format shows is there.

    Raises:
        UsageError: It needs rows per request, or gates, and there are none.
    """
    if renderer.needs_requests and not requests:
        raise UsageError(f"The format {renderer.name} has a row per request; it needs logs or a ledger, not an audit.")
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
    function = cast("Render", getattr(import_module(f"llm_audit.report.formats.{renderer.module}"), renderer.function))
    return function(document, frames=frames, options=options)
