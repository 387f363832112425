from __future__ import annotations

import numpy as np
import pytest

from llm_audit.policy.inputs.requests import wide


def test_counts_that_repeat_nothing_are_read_only():
    none = np.broadcast_to(np.int32(0), 5)
    zeros = wide(none, np.array([0, 3]))
    assert zeros.tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        zeros[0] = 7
    assert wide(none, np.array([1])).tolist() == [0]
