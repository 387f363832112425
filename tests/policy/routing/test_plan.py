from __future__ import annotations

import numpy as np
import pytest
from tests.audit.build import many

from llm_audit.catalog import Catalog
from llm_audit.policy import load, with_models
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.counterfactual.traffic import traffic_of
from llm_audit.policy.routing.plan import replan, routed, with_target
from llm_audit.policy.routing.prepare import prepare
from llm_audit.policy.routing.resettled import replans
from llm_audit.pricing import PriceBook, price


def planned(name, frame):
    book, catalog = PriceBook(), Catalog.load()
    named = with_models(price(frame, book), catalog)
    policy = load(name)
    return routed(*prepare(traffic_of(named, catalog), policy, catalog=catalog, book=book), policy)


@pytest.mark.parametrize("name", ["small-by-default", "cheapest-capable", "bedrock-ipr"])
def test_targets_looked_at_together_give_the_plans_of_each_alone(name):
    plan = planned(name, many(900, conversations=90, seed=11))
    policies = [with_target(plan.policy, target) for target in (0.05, 0.5, 0.8, 0.95)]
    for policy, together in zip(policies, replans(plan, policies), strict=True):
        alone = replan(plan, policy)
        assert (together.choice.position == alone.choice.position).all()
        assert (together.choice.route == alone.choice.route).all()
        assert np.array_equal(together.choice.p_suffices, alone.choice.p_suffices, equal_nan=True)
        assert (together.warm == alone.warm).all()
        values = scenario(policy.assumptions)
        assert (together.estimate(values).total == alone.estimate(values).total).all()
