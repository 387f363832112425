import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.pricing.row_keys import distinct_keys

rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]), st.integers(-5, 5) | st.integers(-(2**40), 2**40) | st.none(),
        st.sampled_from(["x", "y"]), st.sampled_from([0, 1, 2**64 - 1, None]),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@settings(deadline=None)
@given(rows=rows)
def test_equal_rows_have_equal_numbers_and_each_number_its_first_row(rows):
    columns = [
        pl.Series([row[0] for row in rows], dtype=pl.Categorical),
        pl.Series([row[1] for row in rows], dtype=pl.Int64),
        pl.Series([row[2] for row in rows], dtype=pl.String),
        pl.Series([row[3] for row in rows], dtype=pl.UInt64),
    ]
    names = distinct_keys(columns[:1])
    for keys in (distinct_keys(columns), distinct_keys([names, *columns[1:]])):
        assert keys.bound == len(set(rows))
        by_code = {}
        for code, row in zip(keys.codes.tolist(), rows, strict=True):
            assert by_code.setdefault(code, row) == row
        assert [rows.index(rows[first]) for first in keys.first_rows()] == keys.first_rows().tolist()
