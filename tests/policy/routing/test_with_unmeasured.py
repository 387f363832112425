"""Deciding again only what unmeasured models can change gives what deciding everything again gives."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.audit.build import many

from llm_audit.catalog import Catalog
from llm_audit.policy import load, plan, traffic_of, with_models
from llm_audit.policy.counterfactual.lengths import scenario
from llm_audit.policy.routing.plan import replan
from llm_audit.policy.routing.with_unmeasured import with_unmeasured
from llm_audit.pricing import PriceBook, price
from llm_audit.vocabulary import Category

KNOWN = Catalog.load()
SOME = pl.Series(np.arange(KNOWN.frame.height) % 3 > 0)
HALF = Catalog(
    KNOWN.frame.with_columns(pl.col(name) & SOME for name in (f"measured_{category}" for category in Category))
)


@given(seed=st.integers(0, 2**16), conversations=st.sampled_from([20, 400]))
@settings(max_examples=8, deadline=None)
def test_only_requests_that_could_change_are_decided_again(seed: int, conversations: int) -> None:
    book = PriceBook()
    named = with_models(price(many(300, seed=seed, conversations=conversations, templates=6), book), HALF)
    routes = plan(traffic_of(named, HALF), load("small-by-default"), catalog=HALF, book=book).routes
    found, expected = with_unmeasured(routes), replan(routes, replace(routes.policy, unmeasured=True))
    assert (expected.choice.position != routes.choice.position).any()
    for name in ("route", "position", "p_suffices", "loss"):
        np.testing.assert_array_equal(getattr(found.choice, name), getattr(expected.choice, name))
    values = scenario(routes.policy.assumptions)
    assert (found.estimate(values).total == expected.estimate(values).total).all()
