"""Dates in the order that the user states; the expected ones are written by hand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.files.date_order import in_order, ordered
from llm_audit.sources.records.times import micros

DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("value", "order", "expected"),
    [
        ("01/09/2026 00:00", "dmy", "2026-09-01 00:00"),
        ("01/09/2026 00:00", "mdy", "2026-01-09 00:00"),
        ("1-9-26", "dmy", "2026-09-01"),
        ("26/09/01", "ymd", "2026-09-01"),
        ("2026-09-01T10:00:00Z", "dmy", "2026-09-01T10:00:00Z"),
        ("2026/09/01", "mdy", "2026/09/01"),
        ("01/09/2026", "ymd", "01/09/2026"),
        ("13/11/2026", "mdy", "2026-13-11"),
        ("3/4/2026 2:05 PM", "dmy", "4/3/2026 2:05 PM"),
        ("yesterday", "dmy", "yesterday"),
    ],
)
def test_a_date_is_read_in_the_stated_order(value: str, order: str, expected: str) -> None:
    assert in_order(value, order) == expected


@given(st.dates(date(2016, 1, 1), date(2098, 12, 31)), st.sampled_from(["dmy", "mdy", "ymd"]), st.sampled_from("/-."))
def test_every_day_is_read_back(day: date, order: str, sign: str) -> None:
    parts = {"d": f"{day.day:02}", "m": f"{day.month:02}", "y": f"{day.year:04}"}
    written = sign.join(parts[letter] for letter in order)
    assert micros(in_order(written, order)) == (day - date(1970, 1, 1)).days * DAY_US


def test_only_columns_of_times_are_changed() -> None:
    rows = [(1, {"Date": "01/09/2026", "prompt": "01/09/2026", "model": "m"}), (2, "not a record")]
    assert list(ordered(iter(rows), "dmy")) == [
        (1, {"Date": "2026-09-01", "prompt": "01/09/2026", "model": "m"}),
        (2, "not a record"),
    ]
