"""Sums of a part of a log that no policy changes: they are kept for audits by others."""

from __future__ import annotations

import msgspec
import polars as pl

from llm_audit.audit.aggregate.clusters import Concentration, concentration
from llm_audit.audit.aggregate.metric_sums import Measured, MetricSums, untaxed_sums
from llm_audit.audit.waste.inputs import Recurring, WasteInputs
from llm_audit.audit.waste.waste import waste_rows
from llm_audit.policy import Plan

_KINDS = ("input", "cache_read", "cache_write_5m")


class StandingSums(msgspec.Struct, kw_only=True, frozen=True):
    """Sums over the requests of a part.

    Attributes:
        metrics: All but those of the tax.
        waste: See ``waste.waste_rows``.
        concentration: How many clusters there are, and the largest.
    """

    metrics: MetricSums
    waste: pl.DataFrame
    concentration: Concentration


def standing_sums(plan: Plan, measured: Measured, recurring: Recurring) -> StandingSums:
    """Sum a part's requests; of the plan only the prices and abilities of the models used are asked."""
    requests, calls = measured.requests, measured.calls
    inputs = WasteInputs(
        requests=requests,
        calls=calls,
        recurring=recurring,
        rates=lambda rows: plan.used_rates(rows, _KINDS),
        p_success=plan.used_success,
        least_cached=plan.least_cached,
    )
    return StandingSums(
        metrics=untaxed_sums(measured),
        waste=waste_rows(inputs),
        concentration=concentration(requests, calls.cluster, billed=calls.billed),
    )
