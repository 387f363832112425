"""From a priced ledger and a policy to routes and what they would have cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Ints
from llm_audit.catalog import Catalog
from llm_audit.policy.counterfactual.estimates import Estimated, ceiling
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.counterfactual.traffic import Traffic, traffic_of
from llm_audit.policy.file.model import Policy, Scope
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.plan import Plan, plan_requests, replans
from llm_audit.policy.routing.decisions import OUTCOMES
from llm_audit.policy.routing.gates import REASONS
from llm_audit.policy.routing.traces import by_trace
from llm_audit.pricing import PriceBook


def plan(traffic: Traffic, policy: Policy, *, catalog: Catalog, book: PriceBook) -> Plan:
    """Route a priced ledger as the policy's scope says: request by request, or trace by trace.

    Args:
        traffic: The priced requests.
        policy: The policy.
        catalog: Models, their capabilities and abilities.
        book: Prices.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    return _scoped(plan_requests(traffic, policy, catalog=catalog, book=book))


def reroutes(plan: Plan, policies: Sequence[Policy]) -> Iterator[Plan]:
    """The same requests under policies that differ in their number only, such as other targets."""
    return map(_scoped, replans(plan, policies))


def _scoped(plan: Plan) -> Plan:
    return by_trace(plan) if plan.policy.scope is Scope.TRACE else plan


def route(priced: pl.DataFrame, policy: Policy, *, catalog: Catalog, book: PriceBook) -> pl.DataFrame:
    """Add to a priced ledger what the policy would have done with each request.

    Args:
        priced: Ledger rows with the columns of ``pricing.price``.
        policy: The policy.
        catalog: Models, their capabilities and abilities.
        book: Prices, for the models a request could have gone to.

    Returns:
        ``priced`` with ``model_id``, ``tier``, ``route_model_id``, ``route_provider``, ``outcome``, ``gate``,
        ``p_suffices``, ``kept_back_pico``, and ``ceiling_pico``, ``expected_pico`` and ``floor_pico``: what the policy
        would have paid under each estimate, null where the request has no price. ``check_pico``, ``escalation_pico``
        and ``extra_steps_pico`` are parts of ``expected_pico``. A request that keeps its model costs what it did,
        unless requests that moved would have kept its cache warm.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    named = with_models(priced, catalog)
    applied = plan(traffic_of(named, catalog), policy, catalog=catalog, book=book)
    return as_text(routed(applied).columns(named, slice(None)))


def with_models(priced: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Add ``model_id`` and ``tier`` (``unknown`` where the catalog lacks the model), resolving each name once."""
    names = priced.select("provider", "model").unique()
    resolved = names.with_columns(
        model_id=pl.Series(
            [catalog.resolve(*row) if row[1] is not None else None for row in names.cast(pl.String).iter_rows()],
            dtype=pl.String,
        )
    ).join(catalog.frame.select("model_id", pl.col("tier").cast(pl.String)), on="model_id", how="left")
    return priced.join(
        resolved.with_columns(
            pl.col("model_id").cast(pl.Categorical), pl.col("tier").fill_null("unknown").cast(pl.Categorical)
        ),
        on=["provider", "model"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A plan's routes with what they would have cost: pico-dollars a request under each estimate."""

    plan: Plan
    expected: Estimated
    ceiling_pico: Ints
    expected_pico: Ints
    floor_pico: Ints

    def columns(self, named: pl.DataFrame, rows: slice) -> pl.DataFrame:
        """Some of the plan's rows, ``named``, with the columns of ``route``."""
        world, choice, expected = self.plan.world, self.plan.choice, self.expected
        priced = pl.Series(world.requests.priced[rows])

        def amounts(values: Ints) -> pl.Series:
            return pl.select(pl.when(priced).then(pl.Series(values[rows]))).to_series()

        position = choice.position[rows]
        sellers = pl.Series(world.rates.provider, dtype=pl.Categorical)
        seller = sellers.gather(world.rates.rows[world.rates.key[rows], position])
        provider = pl.when(pl.Series(position != NONE)).then(seller).otherwise(named["provider"])
        ids = pl.Series([*world.models.ids, None], dtype=pl.Enum(world.models.ids))
        reasons = [reason for reason in REASONS if reason]
        return named.with_columns(
            route_model_id=ids.gather(choice.route[rows].astype(np.int64) % len(ids)),
            route_provider=pl.select(provider).to_series(),
            outcome=pl.Series(OUTCOMES, dtype=pl.Enum(OUTCOMES)).gather(choice.outcome[rows]),
            gate=pl.Series(REASONS, dtype=pl.Enum(reasons)).gather(choice.gate[rows]),
            p_suffices=pl.Series(expected.p_suffices[rows]).fill_nan(None),
            kept_back_pico=amounts(choice.kept_back),
            ceiling_pico=amounts(self.ceiling_pico),
            expected_pico=amounts(self.expected_pico),
            floor_pico=amounts(self.floor_pico),
            check_pico=amounts(expected.check),
            escalation_pico=amounts(expected.escalation),
            extra_steps_pico=amounts(expected.extra_steps),
        )


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the names that ``with_models`` and ``Routed`` add as plain text."""
    names = ("model_id", "tier", "route_model_id", "route_provider", "gate")
    return frame.with_columns(pl.col(name).cast(pl.String) for name in names)


def routed(plan: Plan) -> Routed:
    """Cost a plan's routes under each estimate."""
    assumptions = plan.policy.assumptions
    expected = plan.estimate(scenario(assumptions))
    return Routed(
        plan=plan,
        expected=expected,
        ceiling_pico=ceiling(plan.world, plan.choice),
        expected_pico=expected.total,
        floor_pico=plan.estimate(scenario(assumptions, "pessimistic")).total,
    )
