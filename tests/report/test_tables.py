from decimal import Decimal

import msgspec
from tests.report import build

from llm_audit.report import table
from llm_audit.report.charts import policy as charts
from llm_audit.report.charts.periods import MOST, periods
from llm_audit.report.table import Column, Kind, cap
from llm_audit.report.tables import data, everything, policy, spend


def test_rows_left_out_are_summed_exactly() -> None:
    columns = (Column("Name"), table.money("Cost"), table.count("Requests"), Column("P", Kind.SCORE))
    rows = [(f"m{i}", "0.1", i, 0.5) for i in range(10)]
    capped = cap(table.table("t", "T", columns, rows), 3)
    assert capped.rows[:3] == tuple(rows[:3])
    assert capped.rows[3] == ("and 7 more", "0.7", 3 + 4 + 5 + 6 + 7 + 8 + 9, "")
    assert capped.more


def test_one_row_too_many_is_shown_and_unknown_amounts_stay_unknown() -> None:
    columns = (Column("Name"), table.money("Cost"))
    four = table.table("t", "T", columns, [(f"m{i}", None) for i in range(4)])
    assert cap(four, 3) is four
    assert cap(four, 2).rows[2] == ("and 2 more", None)
    assert table.write(None, columns[1], currency="USD") == "unknown"


def test_the_records_table_accounts_for_every_record() -> None:
    document = build.rich()
    assert sum(int(row[1] or 0) for row in data.accounting(document).rows) == document.requests.read


def test_tiers_add_up_to_the_models() -> None:
    document = build.rich()
    rows = spend.tiers(document).rows
    assert [row[0] for row in rows] == ["frontier", "mid", "small", "unknown"]
    assert sum(Decimal(str(row[4])) for row in rows if row[4]) == Decimal(document.cost.actual)
    assert rows[3][4] is None, "a tier without any known price has no cost of zero"


def test_a_route_that_keeps_its_model_says_so_and_saves_nothing() -> None:
    kept = [row for row in policy.routes(build.rich()).rows if row[1] == "kept"]
    assert kept
    assert all(Decimal(str(row[5])) == 0 for row in kept)


def test_every_table_of_an_empty_audit_can_be_made() -> None:
    for whole in everything(build.sparse()):
        assert all(len(row) == len(whole.columns) for row in whole.rows)


def test_periods_are_few_enough_to_draw() -> None:
    days = [f"{year}-{month:02d}-{day:02d}" for year in range(2020, 2027) for month in range(1, 13) for day in (1, 15)]
    for last, name in ((4, "day"), (24, "week"), (len(days), "month")):
        found, find = periods(days[:last])
        assert found == name
        assert len({find(day) for day in days[:last]}) <= MOST
    assert periods(["2026-09-03"])[1]("2026-09-03") == "2026-09-03"


def test_a_group_without_any_price_is_unknown_not_free() -> None:
    document = build.rich(2)
    row = msgspec.structs.replace(document.groups["team"][0], cost="0.00", unpriced_requests=5, requests=5)
    shown = next(spend.groups(msgspec.structs.replace(document, groups={"team": [row]}))).rows[0]
    assert shown[1:6] == (5, None, None, None, None)


def test_points_of_the_frontier_that_lie_together_are_named_once_and_the_one_in_use_always() -> None:
    document = build.rich(2)
    points = document.sensitivity.frontier
    crowded = [msgspec.structs.replace(p, expected_failures=100.0 + p.target, policy_cost="5.00") for p in points[:-1]]
    frontier = [*crowded, points[-1]]
    drawn = charts.frontier(
        msgspec.structs.replace(document, sensitivity=msgspec.structs.replace(document.sensitivity, frontier=frontier))
    )
    assert drawn is not None
    assert ">0.80 in use<" in drawn.svg
    assert ">0.75<" not in drawn.svg
