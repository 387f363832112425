from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.audit.aggregate.selection import add_digits, digits, quantile_of

numbers = st.floats(-2, 2) | st.sampled_from([0.0, -0.0, 0.5, 1e-300])


@given(st.lists(st.lists(numbers, max_size=9), min_size=1, max_size=4), st.floats(0, 1))
def test_it_is_the_quantile_of_all_numbers_together(parts, share):
    arrays = [np.array(part, dtype=np.float64) for part in parts]

    def count(prefix, level):
        return add_digits([digits(array, prefix, level) for array in arrays])

    together = np.concatenate(arrays)
    found = quantile_of(count, share)
    assert found == (np.quantile(together, share, method="higher") if len(together) else None)
