from __future__ import annotations

import msgspec
import numpy as np
import pytest

from llm_audit.audit.aggregate.addition import add, add_all, nano


class Part(msgspec.Struct, frozen=True):
    count: int
    seen: bool
    names: frozenset[str]
    by: dict[str, int]
    more: Part | None = None


def test_parts_add_up_field_by_field_in_any_order():
    one = Part(1, False, frozenset("a"), {"x": 2}, Part(5, True, frozenset(), {}))
    other = Part(10, True, frozenset("b"), {"x": 3, "y": 4})
    assert add(one, other) == add(other, one)
    assert add_all([one, other]) == Part(11, True, frozenset("ab"), {"x": 5, "y": 4}, one.more)


def test_what_depends_on_the_order_is_refused():
    with pytest.raises(TypeError, match="float does not add up"):
        add(0.1, 0.2)


def test_numbers_are_rounded_before_they_are_added():
    assert nano(np.array([0.1, 0.2, 1e-10])) == 300_000_000
