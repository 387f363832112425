from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError
from llm_audit.sources.records.times import EARLIEST_US, LATEST_US, between_ms, micros

NOON_US = 1_767_614_400_000_000  # 2026-01-05 12:00:00 UTC


@pytest.mark.parametrize(
    "value",
    [
        1_767_614_400,
        1_767_614_400.0,
        "1767614400",
        1_767_614_400_000,
        "1767614400000",
        NOON_US,
        NOON_US * 1000,
        str(NOON_US * 1000),
        "1.7676144e9",
        "2026-01-05T12:00:00Z",
        "2026-01-05T12:00:00.000000000Z",
        "2026-01-05T14:00:00+02:00",
        "2026-01-05 12:00:00",
        "2026-01-05 12:00:00 UTC",
        "20260105T120000Z",
        "2026-01-05 12:00:00,000",
        "2026-01-05 05:00:00.000 -0700",
        "2026-01-05 12:00:00+00",
        "2026-01-05T07:00:00 EST",
        "Mon Jan 05 2026 13:00:00 GMT+0100 (Central European Standard Time)",
        "05/Jan/2026:12:00:00 +0000",
        "05.01.2026 12:00",
        " 2026-01-05T12:00:00Z ",
        46027.5,
        "46027.5",
        "1/5/2026, 12:00:00 PM",
        "2026/01/05 12:00:00",
        "Mon, 05 Jan 2026 12:00:00 GMT",
        datetime(2026, 1, 5, 12, tzinfo=UTC),
        datetime(2026, 1, 5, 12),  # noqa: DTZ001 - a table's column without zone
        datetime(2026, 1, 5, 7, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_one_moment_in_many_spellings(value: object) -> None:
    assert micros(value) == NOON_US


@pytest.mark.parametrize("value", ["02/11/2026", "2-3-2026 10:00", "2026-01-05T12:00:00 IST", "32/13/2026"])
def test_a_date_that_may_be_two_is_refused(value: str) -> None:
    with pytest.raises(BadRecordError, match="bad_time: at"):
        micros(value, "at")


def test_a_number_that_is_no_month_tells_the_day() -> None:
    assert micros("13/01/2026 10:00") == micros("01/13/2026 10:00:00") == micros("2026-01-13T10:00:00Z")
    assert micros("05/05/2026") == micros("2026-05-05")


def test_net_ticks_count_from_year_one() -> None:
    ticks = (datetime(2026, 1, 5, 12, tzinfo=UTC) - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    assert micros(ticks) == micros(str(ticks)) == NOON_US


def test_days() -> None:
    assert micros("2026-01-05") == micros("20260105") == micros(date(2026, 1, 5)) == NOON_US - 43_200_000_000


@pytest.mark.parametrize("value", [None, "", float("nan")])
def test_no_time_is_unknown(value: object) -> None:
    assert micros(value) is None


@pytest.mark.parametrize(
    "value",
    [0, -5, 1, 27, "yesterday", True, [], {}, "1970-01-01", "2014-12-31T23:59:59Z", "2100-01-01", 10**30, "9" * 5000],
)
def test_what_is_no_time_or_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(BadRecordError, match="bad_time: at"):
        micros(value, "at")


@given(st.integers(EARLIEST_US // 10**6, LATEST_US // 10**6 - 1))
def test_the_unit_is_told_by_size(seconds: int) -> None:
    assert {micros(seconds * unit) for unit in (1, 10**3, 10**6, 10**9)} == {seconds * 10**6}


@given(st.datetimes(datetime(2015, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 - read as UTC
def test_iso_is_read_to_the_microsecond(moment: datetime) -> None:
    assert micros(moment.isoformat()) == micros(moment.replace(tzinfo=UTC).isoformat()) == micros(moment)


def test_durations() -> None:
    assert between_ms(NOON_US, NOON_US + 1500) == 1.5
    assert between_ms(NOON_US, NOON_US - 1) is None
    assert between_ms(None, NOON_US) is None
