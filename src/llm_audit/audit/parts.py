"""The audit of one partition of a ledger, which a process of its own, here or elsewhere, can do."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Ints
from llm_audit.audit.aggregate import repeats
from llm_audit.audit.aggregate.calls import CALL_COLUMNS, Calls, read_calls
from llm_audit.audit.aggregate.metric_sums import Measured, with_tax
from llm_audit.audit.aggregate.rollups import LEDGER_KEYS, with_date
from llm_audit.audit.aggregate.spenders import SPENDER_COLUMNS, SpenderSums, spender_sums
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.partial import Partial, partial, sum_routes, sum_rows
from llm_audit.audit.provenance import policy_info
from llm_audit.audit.rows import InputTimes, Rows
from llm_audit.audit.standing import StandingSums, standing_sums
from llm_audit.audit.survey import Survey
from llm_audit.audit.waste.recurring import Habits, recurring
from llm_audit.audit.waste.waste import is_failed
from llm_audit.catalog import Catalog
from llm_audit.document.audit import PolicyInfo
from llm_audit.ledger import Ledger
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import (
    ROUTING_COLUMNS,
    TRACE_COLUMNS,
    FirstRoutes,
    Policy,
    RoutedCosts,
    Traffic,
    Whole,
    plan,
    read_traffic,
    routed_costs,
)
from llm_audit.pricing import PRICED_BY, PriceBook, ResolvedPrice

_SUMMED = (
    *PRICED_BY,
    *LEDGER_KEYS,
    "usage_source",
    "format",
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


_READ = (*PRICED_BY, *ROUTING_COLUMNS, *TRACE_COLUMNS, *CALL_COLUMNS, *SPENDER_COLUMNS)
"""The ledger's columns that readings are made of."""


class Job(msgspec.Struct, kw_only=True, frozen=True):
    """An audit of a ledger, by partition.

    Attributes:
        ledger: The requests.
        policy: What they are compared with.
        catalog: Models.
        book: Prices.
        options: The audit's options.
    """

    ledger: Ledger
    policy: Policy
    catalog: Catalog
    book: PriceBook
    options: AuditOptions

    def rows(self, partition: int, times: InputTimes | None = None) -> Rows:
        """Return the rows of a partition; ``times`` are of the whole ledger."""
        return Rows(
            ledger=self.ledger,
            options=self.options,
            catalog=self.catalog,
            book=self.book,
            partition=partition,
            times=times,
        )


class Log(msgspec.Struct, kw_only=True, frozen=True):
    """What is known of the whole log when a partition is audited.

    Attributes:
        survey: From the first reading.
        whole: What routes depend on.
        habits: What waste depends on.
        routers: The routers that the log names, each with the models that answered.
    """

    survey: Survey
    whole: Whole
    habits: Habits
    routers: dict[str, list[str]]


class Reading(msgspec.Struct, kw_only=True, frozen=True):
    """What is kept of a partition for any policy.

    Attributes:
        rows: Its rows.
        traffic: Its requests as policies see them.
        calls: Its requests as waste and metrics see them.
        spenders: Sums by who sent them.
    """

    rows: Rows
    traffic: Traffic
    calls: Calls
    spenders: SpenderSums


class Audited(msgspec.Struct, kw_only=True, frozen=True):
    """The result of a partition: its sums, the price rows it used, and the policy as applied."""

    partial: Partial
    prices: tuple[ResolvedPrice, ...]
    policy: PolicyInfo
    decided_by: float | None


def rows_of_part(job: Job, log: Log, reading: Reading) -> pl.DataFrame:
    """Return a partition's requests with their prices and routes."""
    return pl.concat(measured_rows(reading.rows, routed(job, log, reading), tuple(SCHEMA)))


def read_part(job: Job, log: Log, rows: Rows) -> Reading | None:
    """Read what is kept of every request of a partition, given its rows; None where it has none of the period."""
    output_cost: list[Ints] = []
    write_cost: list[Ints] = []

    def pieces() -> Iterator[pl.DataFrame]:
        for piece in held.priced((*PRICED_BY, *ROUTING_COLUMNS)):
            written = pl.sum_horizontal("cost_cache_write_5m_pico", "cost_cache_write_1h_pico")
            costs = piece.select(output=pl.col("cost_output_pico").fill_null(0), write=written)
            output_cost.append(costs["output"].to_numpy())
            write_cost.append(costs["write"].to_numpy())
            yield piece

    held, count = rows.held(_READ)
    if not count:
        return None
    traffic = read_traffic(pieces(), held.columns, job.catalog, read_templates=log.survey.read_templates)
    calls = read_calls(
        held.columns,
        billing=job.options.billing,
        output_cost=np.concatenate(output_cost),
        write_cost=np.concatenate(write_cost),
    )
    return Reading(
        rows=rows,
        traffic=traffic,
        calls=calls,
        spenders=spender_sums(held.columns, traffic.requests, calls.cluster),
    )


def sent_prompts(reading: Reading, partition: int) -> pl.DataFrame:
    """Return the prompts of a partition that may repeat, or be repeated by, others."""
    requests = reading.traffic.requests
    free = requests.priced & ~is_failed(reading.calls, requests)
    return repeats.sent_prompts(reading.rows.columns, free=free, cost=requests.cost, partition=partition)


def routed(job: Job, log: Log, reading: Reading, first: FirstRoutes | None = None) -> RoutedCosts:
    """Apply the policy to a partition, whose first routes may be known."""
    return routed_costs(
        plan(reading.traffic, job.policy, catalog=job.catalog, book=job.book, whole=log.whole, first=first)
    )


def standing(log: Log, reading: Reading, applied: RoutedCosts, repeated: pl.DataFrame) -> StandingSums:
    """Return the sums of a partition that are the same under any policy."""
    found = recurring(reading.rows.columns, log.habits, repeated)
    return standing_sums(applied.plan, _measured(reading), found)


def audited(job: Job, log: Log, reading: Reading, applied: RoutedCosts, known: StandingSums) -> Audited:
    """Return the sums of a partition, of which some are known."""
    requests = reading.traffic.requests
    sums = sum_rows(
        measured_rows(reading.rows, applied, _SUMMED), book=job.book, routers=log.routers, group_by=job.options.group_by
    )
    tax = np.where(requests.priced, requests.cost - applied.expected_pico, 0)
    routes = sum_routes(applied, with_tax(known.metrics, _measured(reading), tax), billed=reading.calls.billed)
    return Audited(
        partial=partial(sums, routes, known, reading.spenders),
        prices=job.book.used,
        policy=policy_info(applied.plan),
        decided_by=applied.plan.decision_value,
    )


def _measured(reading: Reading) -> Measured:
    traffic = reading.traffic
    return Measured(
        requests=traffic.requests,
        calls=reading.calls,
        name=traffic.name,
        tiers=traffic.names["tier"].to_list(),
        labels=traffic.names.select(pl.coalesce("model_id", "model")).to_series().to_list(),
    )


def measured_rows(rows: Rows, applied: RoutedCosts, names: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Columns of the ledger with prices, routes and dates, piece by piece."""
    start = 0
    for piece in rows.priced(names):
        span = slice(start, start + piece.height)
        start = span.stop
        yield with_date(applied.columns(piece, span), timezone=rows.options.timezone, billing=rows.options.billing)
