"""Deciding by groups of requests, and under several rules at once, gives what deciding one by one gives."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from tests.audit.build import many

from llm_audit.catalog import Catalog
from llm_audit.policy import parse, plan, traffic_of, with_models
from llm_audit.policy.applied import Plan
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.routing.decisions import decide, positions
from llm_audit.policy.routing.plan import assessor_of, replan, with_target
from llm_audit.policy.routing.resettled import replans
from llm_audit.pricing import PriceBook, price

LOSS = "decision = 'quality_loss'\nmin_success = 0.5\nlost_answer_usd = 0.001\n{}\n[max_quality_loss]\ndefault = 4.0\n"
POLICIES = {
    "by quality loss": (LOSS.format(""), (25.0, 0.25, 3.0)),
    "with stakes": (LOSS.format("") + "[stakes.default]\nmax_quality_loss = 0.5\n", (25.0, 0.25, 3.0)),
    "with upgrades": (LOSS.format("allow_upgrade = true\nacross_families = true"), (10.0, 1.0, 2.0)),
    "by cost": (LOSS.format("order = 'cost'\nacross_families = true"), (10.0, 1.0)),
    "by P(suffices)": ("decision = 'p_suffices'\ntarget = 0.9", (0.5, 0.99, 0.85)),
}


def planned(toml: str, *, seed: int = 5) -> Plan:
    known, book = Catalog.load(), PriceBook()
    named = with_models(price(many(120, seed=seed, conversations=60, templates=5), book), known)
    return plan(traffic_of(named, known), parse(f"name = 'tried'\n{toml}", where="test"), catalog=known, book=book)


@pytest.mark.parametrize("name", POLICIES)
def test_several_rules_find_the_places_that_each_finds_alone(name: str) -> None:
    toml, values = POLICIES[name]
    routes = planned(toml).routes
    assessors = [assessor_of(routes.inputs, with_target(routes.policy, value), routes.ladder) for value in values]
    found = positions(routes.assessor, [assessor.rule for assessor in assessors])
    expected = [decide(assessor).position for assessor in assessors]
    assert len({tuple(places) for places in expected}) == len(values), "values that make no difference test nothing"
    for places, alone in zip(found, expected, strict=True):
        np.testing.assert_array_equal(places, alone)


def test_the_first_place_of_a_request_is_that_of_its_figures_by_itself() -> None:
    tried = planned(LOSS.format(""))
    chosen = decide(tried.routes.assessor).position
    for row in range(0, len(tried.requests), 8):
        figures = tried.request(row).candidates()
        met = [candidate.model for candidate in figures if candidate.meets and candidate.gate is None]
        place = int(chosen[row])
        ladder = tried.routes.ladder[tried.requests.used[row]]
        assert (tried.models.ids[ladder[place]] if place != NONE else None) == next(iter(met), None)


@pytest.mark.parametrize("cascade", ["", "[cascade]\ncheck_usd = 0.00001\nrecall = 0.7\nfalse_alarm = 0.05\n"])
def test_costs_that_are_kept_from_other_values_are_those_worked_out_anew(cascade: str) -> None:
    routes = planned(LOSS.format("") + cascade).routes
    values = [0.25, 3.0, 25.0]
    expected = scenario(routes.policy.assumptions)
    for value, other in zip(
        values, replans(routes, [with_target(routes.policy, each) for each in values]), strict=True
    ):
        anew = replace(replan(routes, with_target(routes.policy, value)), costs=None)
        for name in ("route", "position", "p_suffices", "loss"):
            np.testing.assert_array_equal(getattr(other.choice, name), getattr(anew.choice, name))
        found, alone = other.estimate(expected), anew.estimate(expected)
        for name in ("run", "check", "escalation", "extra_steps", "p_suffices", "loss"):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))


@pytest.mark.parametrize("name", POLICIES)
def test_turns_are_the_places_of_each_group_whose_model_is_another_and_was_offered(name: str) -> None:
    routes = planned(POLICIES[name][0]).routes
    assessor, inputs, policy = routes.assessor, routes.inputs, routes.policy
    groups, models = inputs.groups, inputs.models
    up_to_used = policy.order.value == "ladder" and not policy.allow_upgrade
    turns = assessor.turns()
    longest = 0
    for group in range(len(groups)):
        found = [int(turn[group]) for turn in turns]
        used, day = int(groups.used[group]), int(groups.day[group])
        expected = []
        for place, model in enumerate(routes.ladder[used].tolist()):
            if up_to_used and model == used:
                break
            known = models.measured_in(np.array([model]), groups.skill[[group]])[0]
            retired = models.retired[model]
            soon = retired <= day + 90 and retired < models.retired[used]
            offered = models.released[model] <= day < retired and not soon
            if model not in {NONE, used} and groups.routable[group] and known and offered:
                expected.append(place)
        assert [place for place in found if place != NONE] == expected
        assert found[: len(expected)] == expected, "later turns are empty"
        longest = max(longest, len(expected))
    assert len(turns) == longest > 0


def test_no_requests_take_no_places() -> None:
    assessor = planned(LOSS.format("")).routes.assessor
    (found,) = positions(assessor.part(np.zeros(0, dtype=np.int64)), [assessor.rule])
    assert found.tolist() == []
