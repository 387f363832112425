"""One request with its route: what an explanation of it shows."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.arrays import Ints
from llm_audit.catalog import Gap
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.counterfactual.costs import UNKNOWN
from llm_audit.policy.counterfactual.lengths import Scenario
from llm_audit.policy.counterfactual.runs import run
from llm_audit.policy.inputs.choice import OUTCOMES
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.routing.gates import REASONS
from llm_audit.policy.routing.plan import RoutePlan
from llm_audit.policy.routing.preference import mean_gap


class CandidateFigures(msgspec.Struct, kw_only=True, frozen=True):
    """A model of the ladder as the policy sees it for one request.

    Attributes:
        model: Its canonical id.
        ability: In the request's category.
        p_success: P(success) on the request.
        p_suffices: P(it would not lose a success of the model used).
        loss: Lost answers beyond a second run of the model used.
        preference: Share of readers who prefer the model used, net; None where one of both was not rated.
        cost_pico: At the same tokens.
        pays: Whether it costs less than was paid, with its check, its repeats and its lost answers.
        meets: Whether it meets the policy's decision.
        gate: The first gate that blocks it, where it meets the decision.
        chosen: Whether it is the route.
    """

    model: str
    ability: float
    p_success: float
    p_suffices: float
    loss: float
    preference: Gap | None
    cost_pico: int
    pays: bool
    meets: bool
    gate: str | None
    chosen: bool


class LengthRatios(msgspec.Struct, kw_only=True, frozen=True):
    """Tokens of a request's route by those of the model used; None where not measured on the same prompts."""

    tokenizer: float
    output: float | None
    reasoning: float | None


class RoutedRequest(msgspec.Struct, kw_only=True, frozen=True):
    """A request of a plan, at a place in the ledger; costs are pico-dollars."""

    routes: RoutePlan
    row: int

    @property
    def outcome(self) -> str:
        """Return why it has its route."""
        return OUTCOMES[self._at(self.routes.choice.outcome)]

    @property
    def route_id(self) -> str | None:
        """Return the canonical id of its route."""
        route = self._at(self.routes.choice.route)
        return self.routes.inputs.models.ids[route] if route != NONE else None

    @property
    def p_suffices(self) -> float | None:
        """Return P(suffices) of its route; None where it is kept."""
        p = float(self.routes.choice.p_suffices[self.row])
        return None if np.isnan(p) else p

    @property
    def cache_reads(self) -> int:
        """Return the tokens that it would still read from a cache."""
        return self._at(self.routes.warm)

    @property
    def used_ability(self) -> float | None:
        """Return the ability of the model used in its category; None where one of both is unknown."""
        requests, models = self.routes.inputs.requests, self.routes.inputs.models
        used, category = self._at(requests.used), self._at(requests.category)
        if NONE in (used, category):
            return None
        return float(models.skill_ability[used, self._at(requests.skill)])

    @property
    def length_ratios(self) -> LengthRatios:
        """Return how its tokens change on its route."""
        requests, route = self.routes.inputs.requests, self._at(self.routes.choice.route)
        used, category = self._at(requests.used), self._at(requests.category)
        if NONE in (used, category):
            return LengthRatios(tokenizer=1.0, output=None, reasoning=None)
        lengths = self.routes.inputs.lengths
        pair = lengths.row[used, route]
        output, reasoning = float(lengths.output[pair]), float(lengths.reasoning[pair])
        return LengthRatios(
            tokenizer=float(lengths.tokenizer[pair, category]),
            output=None if np.isnan(output) else output,
            reasoning=None if np.isnan(reasoning) else reasoning,
        )

    def candidates(self) -> list[CandidateFigures]:
        """Return the models that it could have gone to, in the ladder's order."""
        routes, models = self.routes, self.routes.inputs.models
        assessor, only = routes.assessor.part(np.array([self.row])), np.array([0])
        requests = assessor.inputs.requests
        found = []
        for place in range(routes.ladder.shape[1]):
            seen = assessor.assess(only, place)
            if not len(seen.offers.rows):
                continue
            model = assessor.candidates(only, place)
            skill, difficulty = requests.skill, requests.difficulty
            found.append(
                CandidateFigures(
                    model=models.ids[int(model[0])],
                    ability=float(models.skill_ability[int(model[0]), int(skill[0])]),
                    p_success=float(routes.inputs.judge.success(model, skill, difficulty)[0]),
                    p_suffices=float(seen.offers.p[0]),
                    loss=float(seen.offers.loss[0]),
                    preference=self._gap(int(model[0])),
                    cost_pico=int(seen.offers.cost[0]),
                    pays=bool(assessor.rule.pays(requests, seen.offers)[0]),
                    meets=bool(seen.meets[0]),
                    gate=REASONS[seen.block[0]],
                    chosen=self._at(routes.choice.position) == place,
                )
            )
        return found

    def _gap(self, model: int) -> Gap | None:
        """Return the preference gap between the model that it used and another."""
        requests = self.routes.inputs.requests
        key = [requests.used[self.row], model, requests.category[self.row], requests.board_language[self.row]]
        return mean_gap(self.routes.inputs.models, np.array([key], dtype=np.int32), np.array([1]))[0]

    def rates(self, *, used: bool = False) -> dict[str, int | None]:
        """Return pico-dollars a token by token type: of its route, or of the model used; None where unknown."""
        table = self.routes.inputs.rates
        place = NONE if used else self._at(self.routes.choice.position)
        rates = table.rates[table.rows[table.key[self.row], place]].tolist()
        return {kind: None if rate == UNKNOWN else rate for kind, rate in zip(TOKEN_TYPES, rates, strict=True)}

    def tokens(self, values: Scenario) -> dict[str, int]:
        """Return its tokens on its route under values of the assumptions, by token type."""
        if values.same_tokens:
            return {kind: self._at(self.routes.inputs.requests.tokens[kind]) for kind in TOKEN_TYPES}
        rows, choice = np.array([self.row]), self.routes.choice
        counts, _ = run(
            self.routes.inputs.part(rows),
            position=choice.position[rows],
            route=choice.route[rows],
            warm=self.routes.warm[rows],
            policy=self.routes.policy,
            values=values,
        )
        return {kind: int(counts[kind][0]) for kind in TOKEN_TYPES}

    def tool_loop(self) -> Ints:
        """Return the rows of the agent steps of its trace or conversation; none where it is no such step."""
        steps = self.routes.inputs.steps
        at = np.flatnonzero(steps.row == self.row)
        return steps.row[steps.trace == steps.trace[at[0]]] if len(at) else np.empty(0, dtype=np.int64)

    def _at(self, column: npt.NDArray[np.integer[Any]]) -> int:
        return int(column[self.row])
