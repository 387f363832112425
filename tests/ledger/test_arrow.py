"""Words by their codes are the column that Arrow makes of the words themselves."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.ledger.arrow import words_of

WORDS = st.lists(st.none() | st.sampled_from(["", "a", "b", "été"]), max_size=6)


@given(WORDS, st.data())
def test_a_column_of_codes_is_that_of_its_words(words, data) -> None:
    codes = data.draw(st.lists(st.integers(-1, len(words) - 1), max_size=9))
    found = words_of(np.array(codes, np.int64), words)
    expected = pa.array([words[code] if code >= 0 else None for code in codes], pa.string()).dictionary_encode()
    assert found.to_pylist() == expected.to_pylist()
    assert found.type == expected.type
    if expected.null_count < len(expected):
        assert found.dictionary.equals(expected.dictionary)
