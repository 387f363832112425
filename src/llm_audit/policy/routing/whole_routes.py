"""What a part of a log adds to what its other parts must know of the whole, before any of them is routed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.arrays import Bools, Floats, Ints
from llm_audit.catalog import Catalog
from llm_audit.policy.counterfactual.shared_caches import SharedCaches, join_spans
from llm_audit.policy.counterfactual.traffic import Traffic
from llm_audit.policy.counterfactual.whole import Whole, policy_key
from llm_audit.policy.file.model import Decision, Policy, Scope
from llm_audit.policy.routing.decisions import decide
from llm_audit.policy.routing.plan import (
    FirstRoutes,
    alone,
    assessor_of,
    decided,
    left_alone,
    left_by,
    limited_to,
    strong_scores,
    taken,
    with_target,
)
from llm_audit.policy.routing.prepare import prepare
from llm_audit.policy.routing.resettled import resettled
from llm_audit.policy.routing.stakes import limited
from llm_audit.policy.routing.without_stakes import freed_places
from llm_audit.pricing import PriceBook


class PartRoutes(msgspec.Struct, kw_only=True, frozen=True):
    """What the first routes of a part of a log tell: see ``Whole``.

    Attributes:
        left: Spans in which its requests leave caches for each other, see ``shared_caches.SPANS``, by ``policy_key``.
        places: Places of the ladder that its requests of traces go to, by ``policy_key``.
        limited: Whether the policy's ``[stakes]`` limit one of its requests.
    """

    left: Mapping[str, pl.DataFrame]
    places: Mapping[str, Ints]
    limited: bool


def part_routes(
    traffic: Traffic,
    policy: Policy,
    *,
    catalog: Catalog,
    book: PriceBook,
    whole: Whole,
    targets: Sequence[float],
) -> tuple[PartRoutes, FirstRoutes]:
    """Route the conversations of a part by themselves; also return the first routes, which the whole does not change.

    Args:
        traffic: The part's priced requests.
        policy: The policy.
        catalog: Models.
        book: Prices.
        whole: The log, as far as it is known.
        targets: Other values of what the policy decides by, at which it will be asked.
    """
    inputs, ladder = prepare(traffic, policy, catalog=catalog, book=book, whole=whole)
    requests = inputs.requests
    plan = decided(inputs, ladder, policy, SharedCaches.none())
    places = {policy_key(policy): plan.places}
    if policy.scope is Scope.TRACE and len(inputs.graph.row):
        for other in _others(policy, targets):
            nodes = assessor_of(inputs, other, ladder).part(inputs.graph.row)
            places[policy_key(other)] = taken(decide(nodes).position)
    settled = alone(plan)
    left = left_by(settled)
    held = np.flatnonzero(requests.routable & limited(policy.stakes, requests.stakes))
    without = left
    if len(held):
        _, first = freed_places(plan, held)
        without = left_by(resettled(settled, first, first != plan.choice.position))
    by_policy = {policy_key(policy): left, policy_key(replace(policy, stakes={})): without}
    routes = PartRoutes(left=by_policy, places=places, limited=len(held) > 0)
    return routes, FirstRoutes(choice=plan.choice, rates=inputs.rates)


def limited_routes(
    traffic: Traffic, policy: Policy, rows: Bools, *, catalog: Catalog, book: PriceBook, whole: Whole
) -> PartRoutes:
    """Route some requests of a part by a policy that decides without a limit, while all others keep their model.

    Args:
        traffic: The part's priced requests.
        policy: The policy, without stakes.
        rows: Which requests it routes.
        catalog: Models.
        book: Prices.
        whole: The log, as far as it is known.
    """
    inputs, ladder = prepare(traffic, policy, catalog=catalog, book=book, whole=whole)
    plan = limited_to(decided(inputs, ladder, policy, SharedCaches.none()), rows)
    key = policy_key(policy)
    return PartRoutes(left={key: left_alone(plan)}, places={key: plan.places}, limited=False)


def merge_routes(parts: Sequence[PartRoutes]) -> PartRoutes:
    """Return what the first routes of several parts tell."""
    left, places = defaultdict[str, list[pl.DataFrame]](list), dict[str, Ints]()
    for part in parts:
        for key, spans in part.left.items():
            left[key].append(spans)
        for key, found in part.places.items():
            places[key] = np.union1d(places[key], found) if key in places else found
    joined = dict[tuple[int, ...], pl.DataFrame]()  # by their tables: without stakes they are the same as with them
    for tables in left.values():
        which = tuple(map(id, tables))
        if which not in joined:
            joined[which] = join_spans(pl.concat(tables)) if len(tables) > 1 else tables[0]
    return PartRoutes(
        left={key: joined[tuple(map(id, tables))] for key, tables in left.items()},
        places=places,
        limited=any(part.limited for part in parts),
    )


def whole_routes(whole: Whole, routes: PartRoutes) -> Whole:
    """Return what is known of a log once all of its parts were routed by themselves."""
    made = {id(spans): SharedCaches.of(spans) for spans in routes.left.values()}
    caches = {key: made[id(spans)] for key, spans in routes.left.items()}
    return replace(whole, caches=caches, places=routes.places, limited=routes.limited)


def part_scores(traffic: Traffic, policy: Policy, *, catalog: Catalog, book: PriceBook, whole: Whole) -> Floats | None:
    """Return RouteLLM's scores of a part's requests, sorted; None where the policy gives no share of strong calls."""
    if policy.decision is not Decision.STRONG_WINS or policy.threshold is not None or policy.strong_share is None:
        return None
    return np.sort(strong_scores(*prepare(traffic, policy, catalog=catalog, book=book, whole=whole)))


def _others(policy: Policy, targets: Sequence[float]) -> list[Policy]:
    """Return the policies that an audit derives from one."""
    return [
        *(with_target(policy, value) for value in targets),
        replace(policy, unmeasured=True),
        replace(policy, stakes={}),
    ]
