import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from llm_audit import api
from llm_audit.audit.period import RELATIVE, absolute, is_relative
from llm_audit.config import Config

NOW = dt.datetime(2026, 3, 2, 1, 30, 15, 999, tzinfo=dt.UTC)  # a Monday; in New York still Sunday, 1 March


@pytest.mark.parametrize(
    ("text", "utc", "new_york"),
    [
        ("today", "2026-03-02", "2026-03-01"),
        ("yesterday", "2026-03-01", "2026-02-28"),
        ("this-week", "2026-03-02", "2026-02-23"),
        ("last-week", "2026-02-23", "2026-02-16"),
        ("this-month", "2026-03-01", "2026-03-01"),
        ("last-month", "2026-02-01", "2026-02-01"),
        ("7d", "2026-02-23", "2026-02-22"),
        ("2w", "2026-02-16", "2026-02-15"),
        ("24h", "2026-03-01T01:30:15+00:00", "2026-02-28T20:30:15-05:00"),
        ("2026-01-01", "2026-01-01", "2026-01-01"),
        ("lastweek", "lastweek", "lastweek"),
    ],
)
def test_bounds_are_relative_to_now_in_the_audit_s_zone(text: str, utc: str, new_york: str) -> None:
    assert absolute(text, now=NOW, where=ZoneInfo("UTC")) == utc
    assert absolute(text, now=NOW, where=ZoneInfo("America/New_York")) == new_york


def test_the_first_of_january_has_a_last_month() -> None:
    new_year = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert absolute("last-month", now=new_year, where=ZoneInfo("UTC")) == "2025-12-01"


def test_every_example_is_relative_and_a_day_is_not() -> None:
    assert all(is_relative(text) for text in RELATIVE)
    assert not any(is_relative(text) for text in ("2026-09-01", "7", "d", "7y", "next-week"))


def test_an_audit_s_options_hold_the_dates() -> None:
    config = Config(timezone="America/New_York")
    options = api.audit_options(config, since="last-month", until="this-month", now=NOW)
    assert (options.since, options.until) == ("2026-02-01", "2026-03-01")
