"""Ledger rows with their models, and with routes and their costs, as columns."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Floats, Ints
from llm_audit.catalog import Catalog
from llm_audit.policy.applied import Plan, plan
from llm_audit.policy.counterfactual.estimates import Costs
from llm_audit.policy.counterfactual.traffic import traffic_of
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.choice import OUTCOMES
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.routing.gates import REASONS
from llm_audit.pricing import PriceBook, distinct_keys


def route(priced: pl.DataFrame, policy: Policy, *, catalog: Catalog, book: PriceBook) -> pl.DataFrame:
    """Add to a priced ledger the route that the policy gives each request, and what it would have cost.

    Args:
        priced: Ledger rows with the columns of ``pricing.price``.
        policy: The policy.
        catalog: Models, their capabilities and abilities.
        book: Prices, for the models a request could have gone to.

    Returns:
        ``priced`` with ``model_id``, ``tier``, ``route_model_id``, ``route_provider``, ``certain``, ``outcome``,
        ``gate``, ``p_suffices``, ``preference_gap`` (see ``RoutedCosts``), ``kept_back_pico``, and ``ceiling_pico``,
        ``expected_pico`` and ``floor_pico``: what the policy would have paid under each estimate, null where the
        request has no price. ``check_pico``, ``escalation_pico`` and ``extra_steps_pico`` are parts of
        ``expected_pico``. A request that keeps its model costs what it did,
        unless requests that moved would have kept its cache warm.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    named = with_models(priced, catalog)
    applied = plan(traffic_of(named, catalog), policy, catalog=catalog, book=book)
    return as_text(routed_costs(applied).columns(named, slice(None)))


def with_models(priced: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Add ``model_id`` and ``tier`` (``unknown`` where the catalog lacks the model), resolving each name once a day."""
    names = priced.select("provider", "model", day=pl.col("time").dt.date())
    key = distinct_keys(names.get_columns())
    resolved = [
        catalog.resolve(provider, model, day=day) for provider, model, day in names[key.first_rows()].iter_rows()
    ]
    tiers = dict(catalog.frame.select("model_id", "tier").iter_rows())
    tier = [tiers.get(model) or "unknown" for model in resolved]
    codes = pl.Series(key.codes)
    return priced.with_columns(
        model_id=pl.lit(pl.Series(resolved, dtype=pl.Categorical)).gather(codes),
        tier=pl.lit(pl.Series(tier, dtype=pl.Categorical)).gather(codes),
    )


class RoutedCosts(msgspec.Struct, kw_only=True, frozen=True):
    """A plan with what its routes would have cost: pico-dollars a request under each estimate.

    ``preference_gap`` is the share of readers who prefer the model used, net; NaN where unknown, or the request kept.
    """

    plan: Plan
    expected: Costs
    preference_gap: Floats
    ceiling_pico: Ints
    expected_pico: Ints
    floor_pico: Ints

    def columns(self, named: pl.DataFrame, rows: slice) -> pl.DataFrame:
        """Return some of the plan's rows, ``named``, with the columns of ``route``."""
        inputs, choice, expected = self.plan.routes.inputs, self.plan.routes.choice, self.expected
        priced = pl.Series(inputs.requests.priced[rows])

        def amounts(values: Ints) -> pl.Expr:
            return pl.when(priced).then(pl.Series(values[rows]))

        def known(values: Floats) -> pl.Expr:
            return pl.lit(pl.Series(values[rows])).fill_nan(None)

        position = choice.position[rows]
        sellers = pl.Series(inputs.rates.provider, dtype=pl.Categorical)
        seller = sellers.gather(inputs.rates.rows[inputs.rates.key[rows], position])
        provider = pl.when(pl.Series(position != NONE)).then(seller).otherwise(pl.col("provider"))
        ids = pl.Series([*inputs.models.ids, None], dtype=pl.Enum(inputs.models.ids))
        skills = pl.Series([*inputs.models.skills, None], dtype=pl.Enum(inputs.models.skills))
        reasons = [reason for reason in REASONS if reason]
        return named.with_columns(
            route_model_id=ids.gather(choice.route[rows].astype(np.int64) % len(ids)),
            route_provider=provider,
            certain=pl.Series(self.plan.certain[rows]),
            outcome=pl.Series(OUTCOMES, dtype=pl.Enum(OUTCOMES)).gather(choice.outcome[rows]),
            gate=pl.Series(REASONS, dtype=pl.Enum(reasons)).gather(choice.gate[rows]),
            skill=skills.gather(inputs.requests.skill[rows].astype(np.int64) % len(skills)),
            p_suffices=known(expected.p_suffices),
            quality_loss=known(expected.loss),
            preference_gap=known(self.preference_gap),
            repeat_pico=amounts(self.plan.routes.runs.repeat),
            kept_back_pico=amounts(choice.kept_back),
            ceiling_pico=amounts(self.ceiling_pico),
            expected_pico=amounts(self.expected_pico),
            floor_pico=amounts(self.floor_pico),
            check_pico=amounts(expected.check),
            escalation_pico=amounts(expected.escalation),
            extra_steps_pico=amounts(expected.extra_steps),
        )


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the names that ``with_models`` and ``RoutedCosts`` add as plain text."""
    names = ("model_id", "tier", "route_model_id", "route_provider", "gate")
    return frame.with_columns(pl.col(name).cast(pl.String) for name in names)


def routed_costs(plan: Plan) -> RoutedCosts:
    """Cost a plan's routes under each estimate."""
    expected = plan.costs()
    return RoutedCosts(
        plan=plan,
        expected=expected,
        preference_gap=plan.preference_gaps(),
        ceiling_pico=np.minimum(plan.ceiling(), expected.total),
        expected_pico=expected.total,
        floor_pico=np.maximum(plan.costs(plan.scenario("pessimistic")).total, expected.total),
    )
