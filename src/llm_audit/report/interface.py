"""What a report format is: a name, its suffixes and a function from a document to bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from llm_audit.document.audit import Document

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.document.comparison import CheckResult


@dataclass(frozen=True, kw_only=True)  # no slots: the rows are kept for the next format
class Frames:
    """What goes beside a document where a format has a row a request; ``make`` is called for the first that has."""

    make: Callable[[], pl.DataFrame]

    @cached_property
    def requests(self) -> pl.DataFrame:
        """The ledger's columns, with those that pricing and the policy add (``docs/architecture.md``)."""
        return self.make()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a render may depend on beside the document."""

    check: CheckResult | None = None  # a comparison or gates, for the formats that show them
    policy_path: str = "llm-audit.toml"  # the file a finding is anchored in, relative to the repository
    max_series: int = 500  # label sets that metrics may have at most


class Render(Protocol):
    """A format's function, named ``render`` in its module."""

    def __call__(self, document: Document, *, frames: Frames | None = None, options: Options = ...) -> bytes:
        """Render a document.

        Raises:
            UsageError: The format needs frames or a comparison and was given none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """A format: its name, the file suffixes it answers to, its media type and the module that renders it."""

    name: str
    suffixes: tuple[str, ...]
    media: str
    module: str
    function: str = "render"
    needs_requests: bool = False
    needs_check: bool = False
