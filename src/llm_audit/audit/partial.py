"""Sums over a part of a ledger, and the merging of several parts into the whole.

Parts give the same sums as the whole, in any order: all are of whole numbers. What ties a part's requests to those of
others, such as a template's caches and repeated prompts, was read from all before: see ``survey`` and ``policy.Whole``.
A conversation or trace must be in one part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial as partial_of

import msgspec
import polars as pl

from llm_audit.arrays import Bools
from llm_audit.audit.aggregate import rollups
from llm_audit.audit.aggregate.addition import add_all
from llm_audit.audit.aggregate.basis import add_basis, basis_sums
from llm_audit.audit.aggregate.clusters import Concentration
from llm_audit.audit.aggregate.metric_sums import MetricSums
from llm_audit.audit.aggregate.risk import add_risk, risk_cells
from llm_audit.audit.aggregate.spenders import SpenderSums, add_spenders
from llm_audit.audit.sections.languages import add_languages, language_sums
from llm_audit.audit.sections.preference import Counts, preference_counts
from llm_audit.audit.sections.quality import quality_counts
from llm_audit.audit.sections.quality_loss import UnmeasuredSums, unmeasured_sums
from llm_audit.audit.sections.routers import RouterSums, router_sums
from llm_audit.audit.sections.sensitivity import SensitivitySums, sensitivity_sums
from llm_audit.audit.sections.stakes import StakesSums, stakes_sums
from llm_audit.audit.sections.traces import BreakEvenSums, TraceSums, break_even_sums, trace_sums
from llm_audit.audit.standing import StandingSums
from llm_audit.audit.waste.waste import add_waste
from llm_audit.policy import RoutedCosts
from llm_audit.pricing import PriceBook

_TOGETHER = 8
"""Pieces whose sums are held before they are added up."""


class Sums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over the rows of requests.

    Attributes:
        rollups: See ``rollups``.
        risk: See ``risk.risk_cells``.
        basis: See ``basis.basis_sums``.
        languages: See ``languages.language_sums``.
        counts: See ``quality.quality_counts``.
        routers: See ``routers.router_sums``.
    """

    rollups: dict[str, pl.DataFrame]
    risk: pl.DataFrame
    basis: pl.DataFrame
    languages: pl.DataFrame
    counts: dict[str, int]
    routers: dict[str, RouterSums]


class PlanSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over the routes of requests, each made by the section of its name."""

    metrics: MetricSums
    sensitivity: SensitivitySums
    break_even: BreakEvenSums
    traces: TraceSums
    unmeasured: UnmeasuredSums | None
    stakes: dict[str, StakesSums]
    preference: Counts


class Partial(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over requests.

    Attributes:
        sums: Over their rows.
        routes: Over their routes.
        waste: See ``waste.waste_rows``.
        concentration: How many clusters there are, and the largest.
        spenders: See ``spenders.spender_sums``.
    """

    sums: Sums
    routes: PlanSums
    waste: pl.DataFrame
    concentration: Concentration
    spenders: SpenderSums


def sum_rows(
    pieces: Iterable[pl.DataFrame],
    *,
    book: PriceBook,
    routers: Mapping[str, Collection[str]],
    group_by: Sequence[str] = (),
) -> Sums:
    """Add up measured requests.

    Args:
        pieces: Requests with the columns of ``rollups.with_date``, piece by piece.
        book: Prices.
        routers: See ``routers.router_sums``.
        group_by: Columns to group by, each by itself.
    """
    held: list[Sums] = []
    for piece in pieces:
        held.append(_sums(piece, book, routers, group_by))
        if len(held) == _TOGETHER:
            held = [add_sums(held, group_by=group_by)]
    return held[0] if len(held) == 1 else add_sums(held, group_by=group_by)


def sum_routes(applied: RoutedCosts, metrics: MetricSums, *, billed: Bools) -> PlanSums:
    """Add up what the routes of a part cost, and what other routes and assumptions would.

    Args:
        applied: The routes.
        metrics: Their sums.
        billed: Which requests are billed by use.
    """
    plan, expected = applied.plan, applied.expected
    with ExitStack() as stack:
        asked: Callable[[], SensitivitySums] = partial_of(sensitivity_sums, plan, expected, billed=billed)
        if pl.thread_pool_size() > 1:  # memory for both at once pays off only where they run at once
            asked = stack.enter_context(ThreadPoolExecutor(1)).submit(asked).result
        return PlanSums(
            metrics=metrics,
            break_even=break_even_sums(plan, expected),
            traces=trace_sums(plan),
            unmeasured=unmeasured_sums(plan, expected),
            stakes=stakes_sums(applied),
            preference=preference_counts(plan),
            sensitivity=asked(),
        )


def partial(sums: Sums, routes: PlanSums, standing: StandingSums, spenders: SpenderSums) -> Partial:
    """Return the sums of a part."""
    return Partial(
        sums=sums, routes=routes, waste=standing.waste, concentration=standing.concentration, spenders=spenders
    )


def merge(parts: Sequence[Partial], *, group_by: Sequence[str] = ()) -> Partial:
    """Return the sums of the whole from those of its parts."""
    return Partial(
        sums=add_sums([part.sums for part in parts], group_by=group_by),
        routes=add_all([part.routes for part in parts]),
        waste=_added(add_waste, [part.waste for part in parts]),
        concentration=Concentration(
            conversations=sum(part.concentration.conversations for part in parts),
            largest_pico=max((part.concentration.largest_pico for part in parts), default=0),
            billed=sum(part.concentration.billed for part in parts),
        ),
        spenders=add_spenders([part.spenders for part in parts]),
    )


def _sums(
    measured: pl.DataFrame, book: PriceBook, routers: Mapping[str, Collection[str]], group_by: Sequence[str]
) -> Sums:
    return Sums(
        rollups=rollups.roll_up(measured, group_by=group_by),
        risk=risk_cells(measured),
        basis=basis_sums(measured, book.rates),
        languages=language_sums(measured),
        counts=quality_counts(measured),
        routers=router_sums(measured, routers, book),
    )


def add_sums(parts: Sequence[Sums], *, group_by: Sequence[str]) -> Sums:
    """Return the sums of the whole."""
    return Sums(
        rollups=rollups.merge([part.rollups for part in parts], group_by=group_by),
        risk=_added(add_risk, [part.risk for part in parts]),
        basis=_added(add_basis, [part.basis for part in parts]),
        languages=_added(add_languages, [part.languages for part in parts]),
        counts=add_all(part.counts for part in parts),
        routers=add_all(part.routers for part in parts),
    )


def _added(add: Callable[[pl.DataFrame], pl.DataFrame], parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the sum of tables, each of which is added up and sorted by itself."""
    return parts[0] if len(parts) == 1 else add(pl.concat(parts))
