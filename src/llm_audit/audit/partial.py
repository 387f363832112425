"""What an audit adds up of a part of a ledger, and how the sums of several parts become those of the whole.

Routes are chosen before anything is summed. Parts that hold conversations and templates whole, so that caches and
repeats stay together, give the same sums as the whole: ``merge([summarise(a), summarise(b)]) == summarise(a + b)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.audit import cells as cell_sums
from llm_audit.audit.abilities import add_risk, risk_cells
from llm_audit.audit.clusters import Concentration, add_clusters, cluster_sums, concentration
from llm_audit.audit.waste import add_waste, waste_rows
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.costs import UNKNOWN
from llm_audit.policy.models import NONE, Floats
from llm_audit.policy.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Sums over requests.

    Attributes:
        cells: See ``cells``.
        clusters: See ``clusters.cluster_sums``.
        risk: See ``abilities.risk_cells``.
        waste: See ``waste.waste_rows``.
        concentration: How many clusters there are, and the largest.
    """

    cells: pl.DataFrame
    clusters: pl.DataFrame
    risk: pl.DataFrame
    waste: pl.DataFrame
    concentration: Concentration


def summarise(measured: pl.DataFrame, plan: Plan, *, group_by: Sequence[str] = ()) -> Partial:
    """Add up measured requests; ``plan`` is of the same rows."""
    return Partial(
        cells=cell_sums.cells(measured, group_by=group_by),
        clusters=cluster_sums(measured),
        risk=risk_cells(measured),
        waste=waste_rows(_with_rates(measured, plan).filter(pl.col("cost_pico").is_not_null())),
        concentration=concentration(measured),
    )


def merge(parts: Sequence[Partial], *, group_by: Sequence[str] = ()) -> Partial:
    """The sums of the whole from those of its parts."""
    return Partial(
        cells=cell_sums.merge([part.cells for part in parts], group_by=group_by),
        clusters=add_clusters(pl.concat([part.clusters for part in parts])),
        risk=add_risk(pl.concat([part.risk for part in parts])),
        waste=add_waste(pl.concat([part.waste for part in parts])),
        concentration=Concentration(
            conversations=sum(part.concentration.conversations for part in parts),
            largest_pico=max((part.concentration.largest_pico for part in parts), default=0),
        ),
    )


def _with_rates(measured: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add the rates of the model used, and P(success) of it."""
    requests = plan.world.requests
    rates = plan.world.rates.at(np.full(len(requests), NONE, dtype=np.int32))
    p_success: Floats = np.full(len(requests), np.nan)
    rows = np.flatnonzero(requests.routable)
    p_success[rows] = plan.world.judge.success(requests.used[rows], requests.category[rows], requests.difficulty[rows])

    def rate(kind: str) -> pl.Series:
        values = pl.Series(rates[:, TOKEN_TYPES.index(kind)])
        return values.set(values == UNKNOWN, None)

    return measured.with_columns(
        input_rate=rate("input"),
        cache_read_rate=rate("cache_read"),
        cache_write_rate=rate("cache_write_5m"),
        p_success=pl.Series(p_success).fill_nan(None),
    )
