"""Sums over a part of a ledger, and the merging of several parts into the whole.

Routes are chosen before anything is summed. Any parts give the same sums as the whole, but for waste and the largest
cluster, which need conversations and templates, with what repeats each other, to be in one part:
``merge([summarise(a), summarise(b)]) == summarise(a + b)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from llm_audit.audit.aggregate import cells as cell_sums
from llm_audit.audit.aggregate.basis import add_basis, basis_sums
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.audit.aggregate.clusters import Concentration, add_clusters, cluster_sums, concentration
from llm_audit.audit.aggregate.risk import add_risk, risk_cells
from llm_audit.audit.sections.languages import add_languages, language_sums
from llm_audit.audit.sections.quality import quality_counts
from llm_audit.audit.sections.routers import router_rows
from llm_audit.audit.sections.waste import WasteInputs, add_waste, waste_rows
from llm_audit.policy import Plan

_TOGETHER = 8
"""Pieces whose sums are held before they are added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over requests that merge whatever the parts.

    Attributes:
        cells: See ``cells``.
        clusters: See ``clusters.cluster_sums``.
        risk: See ``risk.risk_cells``.
        basis: See ``basis.basis_sums``.
        counts: See ``quality.quality_counts``; a row a part.
        routers: See ``routers.router_rows``.
        languages: See ``languages.language_sums``.
    """

    cells: pl.DataFrame
    clusters: pl.DataFrame
    risk: pl.DataFrame
    basis: pl.DataFrame
    counts: pl.DataFrame
    routers: pl.DataFrame
    languages: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Sums over requests.

    Attributes:
        sums: Those that merge whatever the parts.
        waste: See ``waste.waste_rows``.
        concentration: How many clusters there are, and the largest.
    """

    sums: Sums
    waste: pl.DataFrame
    concentration: Concentration


def summarise(
    pieces: Iterable[pl.DataFrame], inputs: WasteInputs, *, rates: pl.DataFrame, group_by: Sequence[str] = ()
) -> Partial:
    """Add up measured requests.

    Args:
        pieces: The requests of ``inputs``, with the columns of ``cells.with_date``, piece by piece.
        inputs: The same requests.
        rates: Price rows used.
        group_by: Further keys of cells.
    """
    held: list[Sums] = []
    for piece in pieces:
        held.append(_sums(piece, rates, group_by))
        if len(held) == _TOGETHER:
            held = [add_sums(held, group_by=group_by)]
    return Partial(
        sums=add_sums(held, group_by=group_by),
        waste=waste_rows(inputs),
        concentration=concentration(inputs.requests, inputs.calls.cluster),
    )


def merge(parts: Sequence[Partial], *, group_by: Sequence[str] = ()) -> Partial:
    """Return the sums of the whole from those of its parts."""
    return Partial(
        sums=add_sums([part.sums for part in parts], group_by=group_by),
        waste=add_waste(pl.concat([part.waste for part in parts])),
        concentration=Concentration(
            conversations=sum(part.concentration.conversations for part in parts),
            largest_pico=max((part.concentration.largest_pico for part in parts), default=0),
        ),
    )


def waste_inputs(plan: Plan, calls: Calls) -> WasteInputs:
    """Collect what waste is looked for in, at the prices of the models used."""
    kinds = ("input", "cache_read", "cache_write_5m")
    return WasteInputs(
        requests=plan.requests,
        calls=calls,
        rates=lambda rows: plan.used_rates(rows, kinds),
        p_success=plan.used_success,
    )


def _sums(measured: pl.DataFrame, rates: pl.DataFrame, group_by: Sequence[str]) -> Sums:
    return Sums(
        cells=cell_sums.cells(measured, group_by=group_by),
        clusters=cluster_sums(measured),
        risk=risk_cells(measured),
        basis=basis_sums(measured, rates),
        counts=quality_counts(measured),
        routers=router_rows(measured),
        languages=language_sums(measured),
    )


def add_sums(parts: Sequence[Sums], *, group_by: Sequence[str]) -> Sums:
    """Return the sums of the whole."""

    def chained(of: Callable[[Sums], pl.DataFrame]) -> pl.DataFrame:
        return pl.concat([of(part) for part in parts])

    return Sums(
        cells=cell_sums.merge([part.cells for part in parts], group_by=group_by),
        clusters=add_clusters(chained(lambda part: part.clusters)),
        risk=add_risk(chained(lambda part: part.risk)),
        basis=add_basis(chained(lambda part: part.basis)),
        counts=chained(lambda part: part.counts),
        routers=chained(lambda part: part.routers),
        languages=add_languages(chained(lambda part: part.languages)),
    )
