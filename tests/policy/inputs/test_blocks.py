from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.arrays import grouped_sum
from llm_audit.blocks import BLOCK, in_blocks, spans


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5 * BLOCK))
def test_spans_hold_every_row_once(count):
    cut = spans(count)
    assert [row for span in cut for row in range(span.start, span.stop)] == list(range(count))


def test_results_come_in_the_order_of_their_parts():
    assert in_blocks(lambda part: part * 2, list(range(50))) == [2 * part for part in range(50)]
    assert in_blocks(lambda part: part * 2, [4]) == [8]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-(2**60), 2**60)), max_size=6))
def test_sums_of_groups_are_exact_at_any_size(rows):
    group = np.array([group for group, _ in rows], dtype=np.int64)
    amounts = np.array([amount for _, amount in rows], dtype=np.int64)
    expected = [sum(amount for of, amount in rows if of == number) for number in range(5)]
    assert grouped_sum(group, amounts, 5).tolist() == expected
