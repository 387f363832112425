"""An audit as an object: its document, its requests, and questions that go on from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llm_audit.notebook import frames
from llm_audit.notebook.plots import Plots

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.audit.options import AuditOptions
    from llm_audit.audit.run import Audit as Result
    from llm_audit.catalog import Catalog
    from llm_audit.config import Config
    from llm_audit.document.audit import Document
    from llm_audit.document.explanation import RequestExplanation
    from llm_audit.ledger import Ledger
    from llm_audit.policy import Policy
    from llm_audit.pricing import PriceBook


class Inputs(msgspec.Struct, kw_only=True, frozen=True):
    """What an audit was made from."""

    ledger: Ledger
    policy: Policy
    catalog: Catalog
    book: PriceBook
    options: AuditOptions
    config: Config

    def steps(self) -> AbstractContextManager[dict[str, Any]]:
        """Return what a question is given to run its steps: the settings' engine and workspace."""
        from llm_audit.engines import opened_steps

        config = self.config
        return opened_steps(self.ledger, engine=config.engine, jobs=config.jobs, workspace=config.workspace)


class Audit:
    """An audit's result. A notebook shows its verdict, its model mix and its findings.

    Attributes:
        document: All that a report shows, as in the JSON report.
        plot: Its charts.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring")
        >>> audit
        <Audit: 330 requests, $1.10 spent, flagship tax $0.53 (48.0%)>
        >>> audit.document.currency
        'USD'
        >>> audit.requests.select("provider", "model", "output_tokens").height
        330
    """

    def __init__(self, result: Result, inputs: Inputs) -> None:
        self.document: Document = result.document
        self.plot = Plots(result.document)
        self._result = result
        self._inputs = inputs

    @property
    def requests(self) -> pl.DataFrame:
        """A row a request: the ledger's columns, its price, its route and what that would have cost."""
        return self._result.requests

    def request_parts(self) -> Iterator[pl.DataFrame]:
        """Yield the same rows partition by partition, so that a large log's are never in memory together."""
        return self._result.request_parts()

    @cached_property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The document's tables by name, each a polars frame; dollars are exact decimals, and unknown ones null."""
        return frames.tables(self.document)

    @property
    def mix(self) -> pl.DataFrame:
        """The share of requests, tokens and cost by model, most cost first."""
        return self.frames["model_mix"]

    @property
    def findings(self) -> pl.DataFrame:
        """The templates, apps and models to change first, most dollars first."""
        return self.frames["findings"]

    def simulate(self, *policies: str | Policy) -> pl.DataFrame:
        """Return several policies on the same requests, a row each; the audit's own comes first.

        Args:
            policies: Presets by name, TOML files or policies.

        Raises:
            UsageError: A policy cannot be used.

        Examples:
            >>> audit = llm_audit.analyze("sample_logs/tutoring")
            >>> audit.simulate("keep")["name"].to_list()
            ['small-by-default', 'keep']
        """
        from llm_audit.audit.simulate import Engine, simulate
        from llm_audit.policy import load

        inputs = self._inputs
        asked = [load(policy) if isinstance(policy, str) else policy for policy in policies]
        with inputs.steps() as given:
            found = simulate(
                inputs.ledger,
                [inputs.policy, *asked],
                catalog=inputs.catalog,
                book=inputs.book,
                options=inputs.options,
                engine=Engine(**given),
            )
        return frames.frame(found.policies)

    def explain(self, request: str) -> RequestExplanation:
        """Return why a request was judged, routed and priced so.

        Args:
            request: The id that the log gives it, its ``request_key``, or ``file:line``.

        Raises:
            UsageError: There is no such request.
        """
        from llm_audit.audit.inspect.request import Engine, explain

        inputs = self._inputs
        with inputs.steps() as given:
            return explain(
                inputs.ledger,
                request,
                policy=inputs.policy,
                catalog=inputs.catalog,
                book=inputs.book,
                engine=Engine(**given),
            )

    def write(self, path: str | Path) -> None:
        """Write a report in the format of the file's suffix, such as ``audit.html`` or ``audit.xlsx``.

        Raises:
            UsageError: No format has the suffix, or the file cannot be written.
        """
        from llm_audit.files import write_atomically
        from llm_audit.report import registry
        from llm_audit.report.interface import Frames

        name = registry.by_suffix(path).name
        frames = Frames(make=lambda: self.requests)
        write_atomically(Path(path), registry.render(self.document, name, frames=frames))

    def __repr__(self) -> str:
        """Return one line."""
        from llm_audit.report.text import count, share
        from llm_audit.report.verdict import verdict

        said, parts = verdict(self.document), self.document.apart
        part = self.document.flagship_tax.expected.share if parts is None else parts[0].share
        tax = f"{said.tax} ({share(part)})" if part is not None else said.tax
        spent = f"{said.spent} {'spent' if parts is None else 'billed'}"
        return f"<Audit: {count(self.document.requests.audited)} requests, {spent}, flagship tax {tax}>"

    def _repr_html_(self) -> str:
        """Return the verdict, the model mix and the findings."""
        from llm_audit.notebook.card import card

        return card(self.document)
