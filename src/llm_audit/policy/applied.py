"""A policy applied to a ledger: every question that an audit asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints, exact_total, grouped_sum
from llm_audit.catalog import Catalog
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.counterfactual.estimates import Costs, ceiling
from llm_audit.policy.counterfactual.lengths import Scenario, scenario
from llm_audit.policy.counterfactual.traffic import Traffic
from llm_audit.policy.counterfactual.whole import Whole
from llm_audit.policy.file.model import Decision, Policy, Scope
from llm_audit.policy.inputs.choice import OUTCOMES
from llm_audit.policy.inputs.models import NONE, Models
from llm_audit.policy.inputs.requests import Requests
from llm_audit.policy.inputs.trace_graph import Graph
from llm_audit.policy.routed_request import RoutedRequest
from llm_audit.policy.routing.gates import REASONS
from llm_audit.policy.routing.plan import FirstRoutes, RoutePlan, limited_to, replan, routed, with_target
from llm_audit.policy.routing.preference import preference_gaps
from llm_audit.policy.routing.prepare import prepare
from llm_audit.policy.routing.resettled import replans
from llm_audit.policy.routing.traces import by_trace, trace_risk
from llm_audit.policy.routing.with_unmeasured import with_unmeasured
from llm_audit.policy.routing.without_stakes import without_stakes
from llm_audit.pricing import PriceBook


class Plan(msgspec.Struct, kw_only=True, frozen=True):
    """The routes that a policy gives the requests of a ledger. Rows are places in the ledger; costs are pico-dollars.

    Attributes:
        policy: The policy.
        routes: The arrays behind the answers; nothing outside this package reads them.
    """

    policy: Policy
    routes: RoutePlan

    # The requests, and what was paid for them.

    @property
    def requests(self) -> Requests:
        """The requests."""
        return self.routes.inputs.requests

    @property
    def models(self) -> Models:
        """The catalog."""
        return self.routes.inputs.models

    @property
    def actual(self) -> Ints:
        """Cost of each request; 0 where it has no price."""
        return self.requests.cost

    def total(self, amounts: Ints) -> int:
        """Return the exact sum over the requests that have a price."""
        return exact_total(amounts[self.requests.priced])

    def used_rates(self, rows: Ints, kinds: Sequence[str]) -> Ints:
        """Return the rates of the model used, rows x kinds, pico-dollars a token; ``UNKNOWN_RATE`` where none is."""
        table = self.routes.inputs.rates
        columns = [TOKEN_TYPES.index(kind) for kind in kinds]
        own = table.rates[table.rows[:, NONE]][:, columns]
        return np.asarray(own[table.key[rows]])

    def least_cached(self, rows: Ints) -> Ints:
        """Return the shortest prefix that the model used caches, in tokens; 0 where no rule is known."""
        used = self.requests.used[rows]
        return np.where(used == NONE, 0, self.routes.inputs.least_cached[used])

    def used_success(self, rows: Ints) -> Floats:
        """Return P(success) of the model used; NaN where it is not known."""
        requests = self.requests
        p: Floats = np.full(len(rows), np.nan)
        known = requests.routable[rows]
        some = rows[known]
        judge = self.routes.inputs.judge
        p[known] = judge.success(requests.used[some], requests.skill[some], requests.difficulty[some])
        return p

    # The routes, and what they would have cost.

    @property
    def moved(self) -> Bools:
        """Whether each request goes to another model than the one used."""
        moved: Bools = self.position != NONE
        return moved

    @property
    def certain(self) -> Bools:
        """Whether the tax on each request needs no judgement: it keeps its model under any, or it cost nothing.

        It keeps it where the policy routes none, where it is no chat, and where its model has no ladder with another.
        """
        requests, ladder = self.requests, self.routes.ladder
        other = (ladder != NONE) & (ladder != np.arange(len(ladder))[:, None])
        has_other = np.append(other.any(axis=1), values=False)  # the last is that of an unknown model
        open_to = requests.chat & has_other[requests.used] & self.policy.routes_any
        certain: Bools = ~open_to | (requests.cost == 0)
        return certain

    @property
    def position(self) -> Index:
        """Each route's place in the ladder of the model used; -1 where the request is kept."""
        return self.routes.choice.position

    @property
    def route(self) -> Index:
        """Each route as an index into ``models``; the model used where the request is kept."""
        return self.routes.choice.route

    @property
    def decision_value(self) -> float | None:
        """The number that the policy decides by; None where it has none."""
        match self.policy.decision:
            case Decision.QUALITY_LOSS:
                return max(self.policy.max_quality_loss.values())
            case Decision.P_SUFFICES:
                return self.policy.target
            case Decision.STRONG_WINS:
                return self.routes.threshold
            case Decision.QUALITY_DIFFERENCE:
                return self.policy.quality_difference
            case _:
                return None

    def preference_gaps(self) -> Floats:
        """Return the share of readers who prefer the model used to each route, net; NaN where kept or unknown."""
        gaps: Floats = np.full(len(self.requests), np.nan)
        rows = np.flatnonzero(self.moved)
        gaps[rows] = preference_gaps(self.models, self.requests, rows, self.route[rows])
        return gaps

    def scenario(self, end: str = "expected", **changed: float) -> Scenario:
        """Return the assumptions at one end (``favourable``, ``expected``, ``pessimistic``), some set otherwise."""
        return scenario(self.policy.assumptions, end, **changed)

    def costs(self, values: Scenario | None = None) -> Costs:
        """Return what the routes cost under values of the assumptions, by part; the expected ones by default."""
        return self.routes.estimate(values or self.scenario())

    def ceiling(self) -> Ints:
        """Return what the routes cost at the same tokens; the actual cost where a request is kept."""
        return ceiling(self.routes.inputs, self.routes.choice)

    def ladders(self) -> dict[str, list[str]]:
        """Return the ladders by name: the policy's own, or those of the models that were used."""
        if self.policy.ladders:
            return {name: list(models) for name, models in self.policy.ladders.items()}
        ladders: dict[str, list[str]] = {}
        models = self.models
        for used in self.routes.inputs.whole.used.tolist():
            steps = [models.ids[step] for step in self.routes.ladder[used] if step != NONE]
            name = "all families" if self.policy.across_families else models.family[used]
            if steps:
                ladders.setdefault(name, steps)
        return ladders

    # Other policies and scopes on the same requests.

    def with_unmeasured(self) -> Plan | None:
        """Return the plan with models that nobody measured among the candidates; None where there are none."""
        models, ladder = self.models, self.routes.ladder
        steps = np.unique(ladder[ladder != NONE])
        if self.policy.unmeasured or self.policy.decision is Decision.ALWAYS or models.measured[steps].all():
            return None
        return Plan(policy=self.policy, routes=with_unmeasured(self.routes))

    def without_stakes(self) -> Plan | None:
        """Return the plan without the stricter limits of ``[stakes]``; None where they limit no request."""
        routes = without_stakes(self.routes)
        return None if routes is None else Plan(policy=routes.policy, routes=routes)

    def limited_to(self, rows: Bools) -> Plan:
        """Return the plan where all requests but some keep their model."""
        return Plan(policy=self.policy, routes=limited_to(self.routes, rows))

    def at_values(self, values: Sequence[float]) -> Iterator[Plan]:
        """Yield the plan at other values of what the policy decides by."""
        policies = [with_target(self.policy, value) for value in values]
        for routes in replans(self.routes, policies):
            yield Plan(policy=routes.policy, routes=_scoped(routes))

    def by_request(self) -> Plan:
        """Return the plan with each request routed by itself."""
        if self.policy.scope is Scope.REQUEST:
            return self
        return Plan(policy=self.policy, routes=replan(self.routes, self.policy))

    def by_trace(self) -> Plan:
        """Return the plan with the routes of each trace chosen together."""
        return self if self.policy.scope is Scope.TRACE else Plan(policy=self.policy, routes=by_trace(self.routes))

    # Traces.

    @property
    def graph(self) -> Graph:
        """The dependencies within traces."""
        return self.routes.inputs.graph

    def risk(self) -> Ints:
        """Return each trace node's part in its decision's risk: P(fail) x what must run again x share repeated."""
        return trace_risk(self.routes, self.graph)

    def cost_by_outcome(self) -> dict[str, int]:
        """Return the actual cost of requests by why they have their route."""
        totals = grouped_sum(self.routes.choice.outcome.astype(np.int64), self.actual, len(OUTCOMES))
        count = np.bincount(self.routes.choice.outcome, minlength=len(OUTCOMES))
        return {outcome: int(totals[code]) for code, outcome in enumerate(OUTCOMES) if count[code]}

    def gates_of(self, rows: Bools) -> dict[str, int]:
        """Return the number of gated requests among some, by the first gate that blocks."""
        choice = self.routes.choice
        gated = rows & (choice.outcome == OUTCOMES.index("gated"))
        codes, counts = np.unique(choice.gate[gated], return_counts=True)
        return {str(REASONS[code]): int(count) for code, count in zip(codes, counts, strict=True)}

    def outcomes_of(self, rows: Bools) -> dict[str, int]:
        """Return the number of requests among some by why they have their route."""
        counts = np.bincount(self.routes.choice.outcome[rows], minlength=len(OUTCOMES))
        return {outcome: int(count) for outcome, count in zip(OUTCOMES, counts, strict=True) if count}

    def request(self, row: int) -> RoutedRequest:
        """Return one request with its route."""
        return RoutedRequest(routes=self.routes, row=row)


def plan(
    traffic: Traffic,
    policy: Policy,
    *,
    catalog: Catalog,
    book: PriceBook,
    whole: Whole | None = None,
    first: FirstRoutes | None = None,
) -> Plan:
    """Route a priced ledger as the policy's scope says: request by request, or trace by trace.

    Args:
        traffic: The priced requests.
        policy: The policy.
        catalog: Models, their capabilities and abilities.
        book: Prices.
        whole: The log that they are a part of, where they are not all of it.
        first: The first routes, see ``part_routes``, where they are known.

    Raises:
        UsageError: The policy's ladder names an unknown model.
    """
    choice, rates = (None, None) if first is None else (first.choice, first.rates)
    inputs, ladder = prepare(traffic, policy, catalog=catalog, book=book, whole=whole, rates=rates)
    return Plan(policy=policy, routes=_scoped(routed(inputs, ladder, policy, choice)))


def _scoped(routes: RoutePlan) -> RoutePlan:
    return by_trace(routes) if routes.policy.scope is Scope.TRACE else routes
