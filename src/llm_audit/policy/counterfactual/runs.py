"""Runs of requests by themselves on their routes: the tokens they take there, what stays cached, and the cost."""

from __future__ import annotations

import numpy as np

from llm_audit.arrays import Index, Ints
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.counterfactual.costs import UNKNOWN, cost, recache
from llm_audit.policy.counterfactual.inputs import RequestInputs
from llm_audit.policy.counterfactual.lengths import Scenario, factor, route_tokens
from llm_audit.policy.counterfactual.prompt_caches import too_short
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.models import NONE

try:
    from llm_audit.policy.inputs._arithmetic import runs as _runs_compiled
except ImportError:  # built where a C compiler is at hand; ``run`` gives the same integers
    COMPILED = False
else:
    COMPILED = True

_WRITE = TOKEN_TYPES.index("cache_write_5m")


def spent(
    inputs: RequestInputs,
    rows: Ints,
    *,
    position: Index,
    route: Index,
    warm: Ints,
    policy: Policy,
    values: Scenario,
) -> tuple[Ints, Ints]:
    """Return what requests cost by themselves on their routes, pico-dollars, and the tokens they read from a cache.

    Args:
        inputs: All requests.
        rows: Those that are asked about.
        position: The place of each one's route in its ladder.
        route: The route.
        warm: Cache reads that remain.
        policy: For its assumptions.
        values: The assumptions' values.
    """
    if not COMPILED or values.same_tokens:
        part = inputs.part(rows)
        tokens, costs = run(part, position=position, route=route, warm=warm, policy=policy, values=values)
        return costs, tokens["cache_read"]
    requests, rates, lengths, models = inputs.requests, inputs.rates, inputs.lengths, inputs.models
    found, read = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    assumed = policy.assumptions
    numbers = (
        values.output_ratio,
        factor(values.output_ratio, assumed.output_ratio),
        values.reasoning_ratio,
        factor(values.reasoning_ratio, assumed.reasoning_ratio),
        values.added_reasoning,
        values.tokenizer_ratio,
        values.cache_kept,
    )
    _runs_compiled(
        rows,
        position,
        route,
        warm,
        requests.used,
        requests.category,
        rates.key,
        requests.reasoning_tokens,
        requests.per_call_cost,
        *(requests.tokens[kind] for kind in TOKEN_TYPES),
        rates.rows,
        rates.rates,
        lengths.row,
        lengths.tokenizer,
        lengths.output,
        lengths.reasoning,
        models.capability["reasoning"],
        models.reasons_unasked,
        inputs.least_cached,
        np.array(numbers, dtype=np.float64),
        found,
        read,
    )
    return found, read


def run(
    inputs: RequestInputs, *, position: Index, route: Index, warm: Ints, policy: Policy, values: Scenario
) -> tuple[dict[str, Ints], Ints]:
    """Return the tokens of requests on their routes, and what these cost."""
    requests = inputs.requests
    read = requests.tokens["cache_read"]
    moved = position != NONE
    kept = np.where(moved, np.rint(warm * values.cache_kept).astype(np.int64), warm)
    tokens = route_tokens(
        requests, route, models=inputs.models, lengths=inputs.lengths, values=values, assumptions=policy.assumptions
    )
    share = np.divide(kept, read, out=np.zeros(len(read)), where=read > 0)
    rates = inputs.rates.at(position)
    tokens = recache(
        tokens,
        kept=np.rint(tokens["cache_read"] * share).astype(np.int64),
        hour=requests.tokens["cache_write_1h"] > 0,
        writes=rates[:, _WRITE] != UNKNOWN,
        too_short=moved
        & too_short(
            requests.tokens["cache_read"] + requests.tokens["cache_write_5m"] + requests.tokens["cache_write_1h"],
            route,
            inputs.least_cached,
        ),
    )
    return tokens, cost(tokens, rates, per_call=requests.per_call_cost)
