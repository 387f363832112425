from __future__ import annotations

import itertools
import sqlite3

import pytest

from llm_audit.sources.databases.driver import driver
from llm_audit.sources.databases.ranges import WHOLE, Division, cut
from llm_audit.sources.databases.schema import Unit
from llm_audit.sources.databases.statements import Condition, Statement

SQLITE = driver("sqlite")


@pytest.mark.parametrize("width", [1, 2, 3])
def test_pages_after_any_key_are_what_sorting_gives(width: int) -> None:
    """Held against Python's own order of tuples, on every key of a small cube."""
    rows = list(itertools.product(range(4), repeat=width))
    names = "abc"[:width]
    with sqlite3.connect(":memory:") as database:
        database.execute(f"CREATE TABLE t ({', '.join(names)})")
        database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * width)})", rows)
        statement = Statement(columns=tuple((name, f'"{name}"') for name in names), source="t", key=tuple(names))
        for after in rows:
            sql, parameters = statement.page(SQLITE, within=(), after=after, rows=5, most_bytes=9)
            assert database.execute(sql, parameters).fetchall() == [row for row in rows if row > after][:5]
    database.close()


def test_parameters_keep_their_order_and_values_stay_out_of_the_text() -> None:
    statement = Statement(
        columns=(("a", '"a"'), ("b", '"b"')),
        source='"t"',
        conditions=(Condition("a <> \0", ("x' OR 1",)),),
        key=("a",),
        wide=frozenset({"b"}),
    )
    sql, parameters = statement.page(SQLITE, within=(Condition("a < \0", (9,)),), after=(1,), rows=2, most_bytes=7)
    assert sql == (
        'SELECT "a" AS "a", CASE WHEN length(CAST("b" AS BLOB)) <= 7 THEN "b" END AS "b", '
        'coalesce(length(CAST("b" AS BLOB)), 0) AS "llm_audit_bytes" FROM "t" '
        'WHERE (a <> ?) AND (a < ?) AND ("a" > ?) ORDER BY "a" LIMIT 2'
    )
    assert parameters == ["x' OR 1", 9, 1]


@pytest.mark.parametrize(
    ("least", "greatest", "rows"), [(1, 1000, 100_000), (5, 5, 10**9), (1, 3, 10**9), (-4, 10**12, 1)]
)
def test_ranges_hold_each_value_once(least: int, greatest: int, rows: int) -> None:
    division = Division("v")
    parts = cut(division, least=least, greatest=greatest, rows=rows)
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (v)")
        values = sorted({least, greatest, *range(least, min(greatest, least + 50))})
        database.executemany("INSERT INTO t VALUES (?)", [(value,) for value in (*values, greatest + 1)])
        found = []
        for part in parts:
            conditions = division.conditions(part, SQLITE)
            where = " AND ".join(condition.text for condition in conditions).replace("\0", "?")
            parameters = [value for condition in conditions for value in condition.parameters]
            found += [row[0] for row in database.execute(f"SELECT v FROM t WHERE {where}", parameters)]
    database.close()
    assert sorted(found) == values  # what is added after the greatest is left to a later run


@pytest.mark.parametrize("value", [None, "infinity", "12:00"])
def test_times_that_cannot_be_divided_make_one_range(value: object) -> None:
    assert cut(Division("v", Unit.TIME), least="2026-09-01", greatest=value, rows=10**6) == (WHOLE,)


@pytest.mark.parametrize("value", ["2026-09-02T00:00:00", "9999-12-31T23:59:58.5", "9999-12-31T23:59:59.999999"])
def test_the_newest_time_is_in_the_last_range(value: str) -> None:
    division = Division("v", Unit.TIME)
    *_, last = cut(division, least="2026-09-01", greatest=value, rows=50_000)
    newest = division.number(value)
    assert newest is not None
    assert last[0] <= newest < last[1]
    assert division.conditions(last, SQLITE)
