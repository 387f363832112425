"""Requests are in one group exactly where all that decides their candidates is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.audit.build import many

from llm_audit.catalog import Catalog
from llm_audit.policy import load, plan, traffic_of, with_models
from llm_audit.pricing import PriceBook, price


def rows_of(*columns: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_groups_are_the_distinct_combinations() -> None:
    known, book = Catalog.load(), PriceBook()
    named = with_models(price(many(300, seed=3), book), known)
    inputs = plan(traffic_of(named, known), load("keep"), catalog=known, book=book).routes.inputs
    groups, requests = inputs.groups, inputs.requests
    keys = rows_of(requests.used, requests.skill, inputs.rates.key, requests.day, requests.routable)
    of_groups = rows_of(groups.used, groups.skill, groups.key, groups.day, groups.routable)
    assert [of_groups[group] for group in groups.of] == keys
    assert len(groups) == len(set(keys)) == len(set(of_groups))
    some = np.array([7, 2, 2])
    part = groups.part(some)
    assert [of_groups[group] for group in part.of] == [keys[row] for row in some]
    assert len(part) == len(groups)
