"""What a period rules out by the date in its name is not read, and how much that is, is said."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.files.stores.loopback import Store
from tests.sources.files.stores.test_reading import read, rows

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources.databases import Selection
from llm_audit.sources.files.stores.key_dates import KeyDates


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("pattern", "name", "start", "end"),
    [
        (None, "s3://b/dt=2026-09-01/x", utc(2026, 9, 1), utc(2026, 9, 2)),
        (None, "s3://b/date=20260901/x", utc(2026, 9, 1), utc(2026, 9, 2)),
        (None, "s3://b/year=2026/month=9/day=1/x", utc(2026, 9, 1), utc(2026, 9, 2)),
        (None, "s3://b/year=2026/month=12/x", utc(2026, 12, 1), utc(2027, 1, 1)),
        (None, "s3://b/year=2026/region=eu/month=09/x", utc(2026, 1, 1), utc(2027, 1, 1)),
        (None, "s3://b/year=2026/month=09/day=01/hour=07/x", utc(2026, 9, 1, 7), utc(2026, 9, 1, 8)),
        ("%Y/%m/%d", "s3://b/app/2026/09/30/07/x", utc(2026, 9, 30), utc(2026, 10, 1)),
        ("%Y%m%d%H", "s3://b/x-2026111207.gz", utc(2026, 11, 12, 7), utc(2026, 11, 12, 8)),
        ("%d.%m.%Y", "s3://b/01.12.2026.log", utc(2026, 12, 1), utc(2026, 12, 2)),
        ("%Y", "s3://b/2026/x", utc(2026, 1, 1), utc(2027, 1, 1)),
    ],
)
def test_a_name_states_a_time(pattern: str | None, name: str, start: dt.datetime, end: dt.datetime) -> None:
    assert KeyDates.of(pattern).span(name) == (start, end)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (None, "s3://b/2026/09/01/x"),
        (None, "s3://b/update=2026-09-01/x"),
        (None, "s3://b/dt=2026-02-31/x"),
        ("%Y/%m/%d", "s3://b/12026/09/011/x"),
        ("%Y/%m/%d", "s3://b/2026/13/01/x"),
    ],
)
def test_a_name_states_no_time(pattern: str | None, name: str) -> None:
    assert KeyDates.of(pattern).span(name) is None
    assert not KeyDates.of(pattern, since=utc(2030, 1, 1)).rules_out(name)


@pytest.mark.parametrize("pattern", ["", "%m/%d", "%Y/%d", "%Y/%Y", "%Y-%q", "logs"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="no pattern of a date"):
        KeyDates.of(pattern)


@given(st.dates(dt.date(2000, 1, 1), dt.date(2050, 1, 1)), st.integers(-60, 60), st.integers(1, 60))
def test_only_days_more_than_a_day_outside_are_ruled_out(day: dt.date, offset: int, length: int) -> None:
    since = utc(day.year, day.month, day.day) + dt.timedelta(days=offset)
    until = since + dt.timedelta(days=length)
    dates = KeyDates.of(None, since=since, until=until)
    outside = day < since.date() - dt.timedelta(days=1) or day > until.date()
    assert dates.rules_out(f"s3://b/dt={day.isoformat()}/x") == outside
    assert not KeyDates.of(None).rules_out(f"s3://b/dt={day.isoformat()}/x")


def test_no_object_is_fetched_that_the_period_rules_out(s3: Store) -> None:
    for day in range(1, 31):
        s3.put(f"app/2026/09/{day:02d}/x.jsonl", rows(day, day + 1))
        s3.put(f"hive/dt=2026-09-{day:02d}/x.jsonl", rows(day, day + 1))
    s3.put("app/undated.jsonl", rows(90, 91))
    period = {"since": utc(2026, 9, 10), "until": utc(2026, 9, 12)}
    ledger = ingest(["s3://logs/hive"], options=IngestOptions(jobs=1, cache=False, selection=Selection(**period)))
    assert read(ledger) == [9, 10, 11, 12]
    assert ledger.manifest.notes == ["s3://logs/hive: 26 folders not read: the date in the name is outside the period"]
    assert {seen.key for seen in s3.seen("GET")} == {f"hive/dt=2026-09-{day:02d}/x.jsonl" for day in (9, 10, 11, 12)}
    assert len(s3.seen("LIST")) <= 7
    s3.forget()
    ledger = ingest(
        ["s3://logs/app"],
        options=IngestOptions(jobs=1, cache=False, key_date="%Y/%m/%d", selection=Selection(**period)),
    )
    assert read(ledger) == [9, 10, 11, 12, 90]
    assert len(s3.seen("GET")) == 5


def test_objects_left_out_are_counted(gcs: Store) -> None:
    for day in range(1, 5):
        gcs.put(f"2026-09-{day:02d}.jsonl", rows(day, day + 1))
    options = IngestOptions(jobs=1, cache=False, key_date="%Y-%m-%d", selection=Selection(until=utc(2026, 9, 2)))
    ledger = ingest(["gs://logs"], options=options)
    assert read(ledger) == [1, 2]
    assert ledger.manifest.notes == ["gs://logs: 2 objects not read: the date in the name is outside the period"]


def test_folders_on_this_machine_are_ruled_out_as_well(tmp_path: Path) -> None:
    for day in (1, 20):
        folder = tmp_path / f"date=2026-09-{day:02d}"
        folder.mkdir()
        (folder / "x.jsonl").write_bytes(rows(day, day + 1))
    ledger = ingest([tmp_path], options=IngestOptions(jobs=1, cache=False, selection=Selection(since=utc(2026, 9, 19))))
    assert read(ledger) == [20]
    assert ledger.manifest.notes == [f"{tmp_path}: 1 file not read: the date in the name is outside the period"]
