from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.audit.aggregate.selection import quantile_of

numbers = st.floats(-2, 2) | st.sampled_from([0.0, -0.0, 0.5, 1e-300])


@given(st.lists(st.lists(numbers, max_size=9), min_size=1, max_size=4), st.floats(0, 1))
def test_it_is_the_quantile_of_all_numbers_together(tmp_path_factory, parts, share):
    folder = tmp_path_factory.mktemp("numbers")
    files = [folder / f"{place}.npy" for place in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        np.save(file, np.sort(np.array(part, dtype=np.float64)))
    together = np.concatenate([np.array(part, dtype=np.float64) for part in parts])
    found = quantile_of(files, share)
    assert found == (np.quantile(together, share, method="higher") if len(together) else None)
