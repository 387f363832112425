"""An audit as an object for a notebook or a script: frames, charts, and questions that go on from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import msgspec.inspect

if TYPE_CHECKING:
    import altair as alt
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

_AMOUNTS = frozenset(
    {
        "actual_cost",
        "amount",
        "ceiling",
        "computed",
        "cost",
        "difference",
        "flagship_tax",
        "floor",
        "high",
        "low",
        "policy_cost",
        "saved_per_lost_answer",
        "stated",
    }
)
"""Fields of the document that are money, which it writes as text."""
_TABLES = (
    "model_mix",
    "model_mix_daily",
    "daily",
    "routes",
    "spend",
    "findings",
    "waste",
    "unpriced_models",
    "reconciliation",
    "gates",
    "coverage",
)
_SHOWN = 8
"""Rows that a notebook shows of the mix and of the findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What an audit was made from."""

    ledger: Ledger
    policy: Policy
    catalog: Catalog
    book: PriceBook
    options: AuditOptions
    config: Config

    def steps(self) -> AbstractContextManager[dict[str, Any]]:
        """What a question is given for its steps: those of the settings' engine."""
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
        tables = {name: _frame(getattr(self.document, name)) for name in _TABLES}
        groups = [{"by": by} | _row(row) for by, rows in self.document.groups.items() for row in rows]
        return tables | {"groups": _from_rows(groups)}

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
        return _frame(found.policies)

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
        from llm_audit.report.verdict import both_parts, verdict

        said, parts = verdict(self.document), both_parts(self.document)
        part = self.document.flagship_tax.expected.share if parts is None else parts[0].share
        tax = f"{said.tax} ({share(part)})" if part is not None else said.tax
        spent = f"{said.spent} {'spent' if parts is None else 'billed'}"
        return f"<Audit: {count(self.document.requests.audited)} requests, {spent}, flagship tax {tax}>"

    def _repr_html_(self) -> str:
        from llm_audit.document.audit import DEPARTURES
        from llm_audit.report.rhythm import about
        from llm_audit.report.text import UNKNOWN, count, money, share
        from llm_audit.report.verdict import verdict

        said, currency = verdict(self.document), self.document.currency
        rate = f"Run rate {said.rate} {said.rate_note}." if said.rate not in {"", UNKNOWN} else ""
        saving = [finding for finding in self.document.findings if finding.kind not in DEPARTURES]
        mix = [
            (
                row.provider,
                row.model,
                row.tier,
                count(row.requests),
                money(row.cost, currency=currency),
                share(row.cost_share),
            )
            for row in self.document.model_mix[:_SHOWN]
        ]
        found = [
            (
                row.title,
                money(row.amount, currency=currency),
                "" if row.monthly is None else about(row.monthly, currency),
                count(row.requests),
                row.action,
            )
            for row in saving[:_SHOWN]
        ]
        return "".join(
            (
                f"<p><strong>{_escaped(said.headline)}</strong></p>",
                *(f"<p>{_escaped(text)}</p>" for text in (rate, said.sampling, said.quality, *said.warnings) if text),
                _table("Model mix", ("Provider", "Model", "Tier", "Requests", "Cost", "Share of cost"), mix),
                _rest(len(self.document.model_mix), "audit.mix"),
                _table("Findings", ("What", "Saves", "A month", "Requests", "Do"), found),
                _rest(len(saving), "audit.findings"),
            )
        )


class Plots:
    """The charts of an audit, each an Altair chart; None where the audit has nothing to draw.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring")
        >>> type(audit.plot.models()).__name__
        'LayerChart'
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def daily(self) -> alt.TopLevelMixin | None:
        """Return spend by period and tier, with what the policy would have cost."""
        return self._chart("over_time", "daily")

    def mix(self) -> alt.TopLevelMixin | None:
        """Return the model mix over time."""
        return self._chart("over_time", "mix_over_time")

    def models(self) -> alt.TopLevelMixin | None:
        """Return spend by model."""
        return self._chart("spend", "models")

    def teams(self) -> alt.TopLevelMixin | None:
        """Return spend by team and model."""
        return self._chart("spend", "teams")

    def estimates(self) -> alt.TopLevelMixin | None:
        """Return ceiling, expected and floor of the tax."""
        return self._chart("routing", "estimates")

    def frontier(self) -> alt.TopLevelMixin | None:
        """Return the saving against the answers lost, by the policy's target."""
        return self._chart("routing", "frontier")

    def tornado(self) -> alt.TopLevelMixin | None:
        """Return what each assumption at its ends does to the tax."""
        return self._chart("routing", "tornado")

    def _chart(self, module: str, name: str) -> alt.TopLevelMixin | None:
        from importlib import import_module

        figure = getattr(import_module(f"llm_audit.report.charts.{module}"), name)(self._document)
        return None if figure is None else figure.chart


def _frame(rows: Sequence[msgspec.Struct]) -> pl.DataFrame:
    return _from_rows([_row(row) for row in rows])


def _row(row: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a part of the document, without those that have parts of their own."""
    return {name: getattr(row, name) for name in _plain_fields(type(row))}


@cache
def _plain_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the fields that hold one value."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    return tuple(field.name for field in described.fields if _is_plain(field.type))


def _is_plain(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return all(_is_plain(part) for part in kind.types)
    if isinstance(kind, msgspec.inspect.Metadata):
        return _is_plain(kind.type)
    return not isinstance(
        kind,
        (msgspec.inspect.StructType, msgspec.inspect.DictType, msgspec.inspect.ListType, msgspec.inspect.VarTupleType),
    )


_NESTED = (
    msgspec.inspect.StructType,
    msgspec.inspect.DictType,
    msgspec.inspect.ListType,
    msgspec.inspect.VarTupleType,
)


def _from_rows(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    import polars as pl

    frame = pl.DataFrame(list(rows), infer_schema_length=None, strict=False)
    amounts = [name for name in frame.columns if name in _AMOUNTS]
    return frame.with_columns(pl.col(name).cast(pl.String).str.to_decimal(scale=12) for name in amounts)


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{_escaped(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _rest(count: int, where: str) -> str:
    return f"<p>{count - _SHOWN} more in <code>{where}</code></p>" if count > _SHOWN else ""


def _escaped(text: str) -> str:
    from html import escape

    from llm_audit.report.text import plain

    return escape(plain(text, limit=400))
