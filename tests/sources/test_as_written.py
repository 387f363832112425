"""Values shown in messages: times and numbers, and no text."""

import pytest

from llm_audit.sources.as_written import count_note, time_note


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("01/09/2026 00:00", "`01/09/2026 00:00` in `Date`: days first? `--date-order dmy`; months"),
        (" 1.9.26 ", "`1.9.26` in `Date`: days first?"),
        ("31 Feb 2026 10:00 UTC", "`31 Feb 2026 10:00 UTC` in `Date` is not a time"),
        ("1999-01-01T00:00:00Z", "`1999-01-01T00:00:00Z` in `Date` is not a time"),
        (12, "`12` in `Date` is not a time"),
    ],
)
def test_a_time_is_shown_with_its_column(value: object, start: str) -> None:
    assert time_note(value, "Date").startswith(start)


@pytest.mark.parametrize(
    "value", ["Call me at 5 on Monday", "hello", "", None, True, {"a": 1}, "secret 12", "may i ask", "1" * 60]
)
def test_no_text_is_shown_as_a_time(value: object) -> None:
    assert time_note(value, "time") == ""


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("12.000", "`12.000` in `tokens`: is the sign a decimal one, or does it group thousands?"),
        ("-5", "`-5` in `tokens` is not a count"),
        (1.5, "`1.5` in `tokens` is not a count"),
    ],
)
def test_a_number_is_shown_with_its_column(value: object, start: str) -> None:
    assert count_note(value, "tokens").startswith(start)


@pytest.mark.parametrize("value", ["twelve", "12 apples", "x" * 9, [1], True])
def test_no_text_is_shown_as_a_number(value: object) -> None:
    assert count_note(value, "tokens") == ""
