"""All that routes are chosen from, with the tables that are the same for every part of a log."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np

from llm_audit.arrays import Index, Ints
from llm_audit.catalog import Catalog, ladders
from llm_audit.policy.counterfactual.costs import RateTable
from llm_audit.policy.counterfactual.inputs import CounterfactualInputs, cold_repeats, priced_caches
from llm_audit.policy.counterfactual.lengths import Lengths, read_lengths
from llm_audit.policy.counterfactual.prompt_caches import minimum_tokens
from llm_audit.policy.counterfactual.rates import rate_table
from llm_audit.policy.counterfactual.request_groups import group_requests
from llm_audit.policy.counterfactual.traffic import Traffic
from llm_audit.policy.counterfactual.whole import Whole, whole_of
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.identical import Identical
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.models import NONE, Models
from llm_audit.policy.routing.ladders import ladder_rows
from llm_audit.pricing import PriceBook


def prepare(
    traffic: Traffic,
    policy: Policy,
    *,
    catalog: Catalog,
    book: PriceBook,
    whole: Whole | None = None,
    rates: RateTable | None = None,
) -> tuple[CounterfactualInputs, Index]:
    """Return what routes are chosen from, and the ladder of each model used.

    Args:
        traffic: The priced requests.
        policy: The policy.
        catalog: The models' ladders.
        book: Prices.
        whole: The log that they are a part of, where they are not all of it.
        rates: What their candidates charge, where it is known.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    requests, log = traffic.requests, whole or whole_of(traffic)
    known = _tables(Identical(policy), catalog, Identical(traffic.models), (log.period, tuple(log.used), log.reach))
    elsewhere = bool(policy.ladders) or policy.across_families
    if rates is None:
        rates = rate_table(traffic, log, ladder=known.ladder, book=book, other_providers=elsewhere)
    inputs = CounterfactualInputs(
        requests=requests,
        models=traffic.models,
        lengths=known.lengths,
        rates=rates,
        least_cached=known.least_cached,
        judge=known.judge,
        graph=traffic.graph,
        caches=priced_caches(traffic, rates),
        cold_repeat=cold_repeats(requests, rates),
        groups=group_requests(requests, rates),
        steps=traffic.steps,
        whole=log,
    )
    return inputs, known.ladder


class _Tables(msgspec.Struct, kw_only=True, frozen=True):
    """What is the same for every part of a log: see ``RequestInputs``."""

    ladder: Index
    lengths: Lengths
    least_cached: Ints
    judge: Judge


@lru_cache(maxsize=16)  # of all policies of a simulation
def _tables(
    policy: Identical[Policy],
    catalog: Catalog,
    models: Identical[Models],
    log: tuple[tuple[int, int] | None, tuple[int, ...], tuple[float, float]],
) -> _Tables:
    """Make the tables of a log, by its ``period``, ``used`` and ``reach``, once for all of its parts."""
    rule, known, (period, used, reach) = policy.value, models.value, log
    ladder = ladder_rows(rule, known, ladders(catalog.frame), period=period)
    pairs = {(model, int(step)) for model in used for step in ladder[model] if step != NONE}
    asked = np.union1d(np.array(used, dtype=np.int64), [step for _, step in pairs]).astype(np.int64)
    return _Tables(
        ladder=ladder,
        lengths=read_lengths(known, pairs, rule.assumptions),
        least_cached=minimum_tokens(known),
        judge=Judge.of(known, known=asked, reach=reach),
    )
