"""Words by their codes are the column that Arrow makes of the words themselves."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.ledger.arrow import array_of, numpy_of, words_of

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


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, -3], pa.int64()),
        pa.array([1, 2**32 - 1], pa.uint32()),
        pa.array([0.5, None, -0.0], pa.float32()),
        pa.array([True, None, False, True] * 5, pa.bool_()),
        pa.nulls(3, pa.uint64()),
        pa.nulls(9, pa.bool_()),
        pa.array([], pa.int32()),
    ],
    ids=str,
)
def test_a_column_is_made_again_of_its_bits(column) -> None:
    values, known = numpy_of(column)
    again = array_of(values, column.type, known)
    assert again.equals(column)
    assert known.sum() == len(column) - column.null_count
