"""The interface of report formats: a row of the registry, and a function from a document to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import msgspec

from llm_audit.document.audit import Document

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.document.comparison import CheckResult


class Frames(msgspec.Struct, kw_only=True, frozen=True, dict=True):  # the rows are kept for the next format
    """Rows per request, for the formats that have them.

    Attributes:
        make: Returns all rows; called when they are first needed.
        parts: Yields the same rows in several frames, for a file each.
    """

    make: Callable[[], pl.DataFrame]
    parts: Callable[[], Iterator[pl.DataFrame]] | None = None

    @cached_property
    def requests(self) -> pl.DataFrame:
        """The ledger's columns, with those that pricing and the policy add (``docs/architecture.md``)."""
        return self.make()


class Options(msgspec.Struct, kw_only=True, frozen=True):
    """Inputs of a format other than the document."""

    check: CheckResult | None = None  # a comparison or gates, for the formats that show them
    policy_path: str = "llm-audit.toml"  # the file that findings point to, relative to the repository
    max_series: int = 500  # the most label sets that metrics may have


class Render(Protocol):
    """A format's function, named ``render`` in its module."""

    def __call__(self, document: Document, *, frames: Frames | None = None, options: Options = ...) -> bytes:
        """Render a document.

        Raises:
            UsageError: The format needs frames or a comparison and was given none.
        """
        ...


class Renderer(msgspec.Struct, kw_only=True, frozen=True):
    """A format as the registry lists it: its name, file suffixes, media type and the input it needs."""

    name: str
    suffixes: tuple[str, ...]
    media: str
    needs_requests: bool = False
    divisible: bool = False  # rows of requests, which may be in several files
    needs_check: bool = False
    rendered_by: str = ""  # MODULE:FUNCTION in report.formats; the module of its name and render by default

    @property
    def function(self) -> tuple[str, str]:
        """The module in ``report.formats`` that renders it, and the name of its function."""
        module, _, function = (self.rendered_by or self.name.replace("-", "_")).partition(":")
        return module, function or "render"
