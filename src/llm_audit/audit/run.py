"""The audit: a pure function of a ledger, the price table, the catalogue, a policy and options."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import polars as pl

from llm_audit.arrays import Ints
from llm_audit.audit.aggregate.calls import Calls, read_calls
from llm_audit.audit.aggregate.cells import KEYS, with_date
from llm_audit.audit.compose import Found, document
from llm_audit.audit.options import AuditOptions, zone
from llm_audit.audit.partial import summarise, waste_inputs
from llm_audit.audit.rows import Rows
from llm_audit.audit.sections.preference import preference_gaps
from llm_audit.audit.sections.quality_loss import unmeasured
from llm_audit.audit.sections.sensitivity import assumption_sensitivity
from llm_audit.audit.sections.stakes import stakes
from llm_audit.audit.sections.traces import trace_routing
from llm_audit.catalog import Catalog
from llm_audit.document.audit import Document
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.ledger import Ledger
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import ROUTING_COLUMNS, Policy, RoutedCosts, Traffic, as_text, plan, read_traffic, routed_costs
from llm_audit.pricing import PRICED_BY, PriceBook, list_costs
from llm_audit.vocabulary import rejection_remedy, rejection_words

__all__ = ["Audit", "AuditOptions", "run"]

_MAX_NOTES = 3  # on records that could not be read, where none could
_SUMMED = (
    *PRICED_BY,
    *(name for name in KEYS if name in SCHEMA),
    "ambiguous_tokens",
    "unexplained_tokens",
    "tags",
    "stated_cost_pico",
    "difficulty",
    "language",
    "conversation",
    "trace",
    "request_key",
    "model_requested",
)
"""The ledger's columns that sums are made of."""


@dataclass(frozen=True, kw_only=True)  # no slots: the requests are kept once they were asked for
class Audit:
    """An audit's result.

    Attributes:
        document: All that a report shows.
        frames: The sums that the document was made from, which merge by addition: ``cells``, ``clusters``, ``risk``.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring")
        >>> audit.document.currency
        'USD'
        >>> audit.requests.select("provider", "model", "output_tokens").height
        330
    """

    document: Document
    frames: dict[str, pl.DataFrame]
    _rows: Rows
    _routed: RoutedCosts

    @cached_property
    def requests(self) -> pl.DataFrame:
        """A row a request: the ledger's columns, its model and price, its route and what that would have cost.

        Where price files apply, it also has the cost at published prices (``list_cost_…_pico``).
        """
        rows = self._rows
        frame = list_costs(as_text(pl.concat(_measured(rows, self._routed, tuple(SCHEMA)))), rows.book)
        models = rows.catalog.frame.select(pl.col("model_id", "developer", "family").cast(pl.String))
        return frame.join(models, on="model_id", how="left", maintain_order="left")


def run(ledger: Ledger, *, policy: Policy, catalog: Catalog, book: PriceBook, options: AuditOptions) -> Audit:
    """Audit a ledger.

    Args:
        ledger: The requests, and the account of the records they were read from.
        policy: What they are compared with.
        catalog: Models.
        book: Prices.
        options: Period, grouping and interval.

    Raises:
        IncompleteError: No request is left to audit.
        UsageError: An option or the policy cannot be used.
    """
    _check(options)
    rows = Rows(ledger=ledger, options=options, catalog=catalog, book=book)
    traffic, calls = _read(rows)
    applied = routed_costs(plan(traffic, policy, catalog=catalog, book=book))
    inputs = waste_inputs(applied.plan, calls)
    with ThreadPoolExecutor(1) as pool:
        assumptions = pool.submit(assumption_sensitivity, applied.plan)
        further = pool.submit(trace_routing, applied.plan), pool.submit(unmeasured, applied.plan)
        at_stake = pool.submit(stakes, applied)
        partial = summarise(_measured(rows, applied, _SUMMED), inputs, rates=book.rates, group_by=options.group_by)
        found_effects, found_sensitivity = assumptions.result()
        found = Found(
            rows=rows,
            traffic=traffic,
            calls=calls,
            applied=applied,
            partial=partial,
            effects=found_effects,
            sensitivity=found_sensitivity,
            trace_routing=further[0].result(),
            unmeasured=further[1].result(),
            stakes=at_stake.result(),
            preference=preference_gaps(applied.plan),
        )
    sums = partial.sums
    return Audit(
        document=document(found),
        frames={"cells": sums.cells, "clusters": sums.clusters, "risk": sums.risk},
        _rows=rows,
        _routed=applied,
    )


def _read(rows: Rows) -> tuple[Traffic, Calls]:
    """Read what is kept of every request.

    Raises:
        IncompleteError: There is none.
    """
    output_cost: list[Ints] = []
    write_cost: list[Ints] = []

    def pieces() -> Iterator[pl.DataFrame]:
        for piece in rows.priced((*PRICED_BY, *ROUTING_COLUMNS)):
            written = pl.sum_horizontal("cost_cache_write_5m_pico", "cost_cache_write_1h_pico")
            costs = piece.select(output=pl.col("cost_output_pico").fill_null(0), write=written)
            output_cost.append(costs["output"].to_numpy())
            write_cost.append(costs["write"].to_numpy())
            yield piece

    first = next(read := pieces(), None)
    if first is None:
        raise IncompleteError(f"There is nothing to audit: {_nothing(rows.ledger)}")
    traffic = read_traffic(chain([first], read), rows.columns, rows.catalog)
    calls = read_calls(rows.columns, output_cost=np.concatenate(output_cost), write_cost=np.concatenate(write_cost))
    return traffic, calls


def _measured(rows: Rows, applied: RoutedCosts, names: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Columns of the ledger with prices, routes and dates, piece by piece."""
    start = 0
    for piece in rows.priced(names):
        span = slice(start, start + piece.height)
        start = span.stop
        yield with_date(applied.columns(piece, span), timezone=rows.options.timezone)


def _check(options: AuditOptions) -> None:
    zone(options)
    if not 0 < options.confidence < 1:
        raise UsageError(f"The confidence is {options.confidence:g}; give a number between 0 and 1, such as 0.9.")
    if options.resamples < 1:
        raise UsageError(f"The number of resamples is {options.resamples}; give at least 1.")


def _nothing(ledger: Ledger) -> str:
    """Why no request is left, by what became of the records."""
    manifest = ledger.manifest
    if manifest.rows:
        return "no request lies in the period; see --since and --until."
    parts = []
    if manifest.rejected:
        reasons = "; ".join(
            f"{reason.count:,} {rejection_words(reason.reason)}"
            + "".join(f", {example.file}:{example.line}" for example in reason.examples[:1])
            for reason in manifest.rejected
        )
        parts.append(f"{_records(sum(reason.count for reason in manifest.rejected))} rejected ({reasons})")
    if manifest.not_provider_calls:
        reasons = "; ".join(
            f"{reason.count:,} {reason.reason.replace('_', ' ')}" for reason in manifest.not_provider_calls
        )
        skipped = sum(reason.count for reason in manifest.not_provider_calls)
        parts.append(f"{_records(skipped)} not a provider call ({reasons})")
    if not parts:
        return "no request was read."
    remedies = ["`llm-audit formats detect PATH` shows what each file is."]
    if manifest.rejected:
        remedies.insert(0, rejection_remedy([reason.reason for reason in manifest.rejected]))
    said = "".join(f" {note}." for note in manifest.reading_notes[:_MAX_NOTES])
    return f"no request was read: {', '.join(parts)}.{said} {' '.join(remedies)}"


def _records(count: int) -> str:
    return f"{count:,} record{' was' if count == 1 else 's were'}"
