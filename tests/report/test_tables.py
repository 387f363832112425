import re
from decimal import Decimal

import msgspec
import pytest
from tests.audit.documents import earlier
from tests.report import build, compared

from llm_audit.report import table
from llm_audit.report.charts import flow, over_time
from llm_audit.report.charts import routing as charts
from llm_audit.report.charts.periods import MOST, periods
from llm_audit.report.charts.svg import LIGHT
from llm_audit.report.table import Column, ColumnKind, cap
from llm_audit.report.tables import check, everything, mix, spend, traces
from llm_audit.report.tables import quality as data
from llm_audit.report.tables import routing as policy
from llm_audit.report.text import money
from llm_audit.report.verdict import verdict
from llm_audit.vocabulary import TIERS


def test_rows_left_out_are_summed_exactly() -> None:
    columns = (Column("Name"), table.money("Cost"), table.count("Requests"), Column("P", ColumnKind.SCORE))
    rows = [(f"m{i}", "0.1", i, 0.5) for i in range(10)]
    capped = cap(table.table("t", "T", columns, rows), 3)
    assert capped.rows[:3] == tuple(rows[:3])
    assert capped.rows[3] == ("and 7 more", "0.7", 3 + 4 + 5 + 6 + 7 + 8 + 9, "")
    assert capped.more


def test_counts_of_metrics_have_the_digits_that_they_can_bear() -> None:
    assert [check.value(number, "count") for number in (1310.938, 668.989, 41.26, -0.1234)] == [
        "1,311",
        "669",
        "41.3",
        "\u22120.123",
    ]


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
    shown = next(spend.groups(earlier(msgspec.structs.replace(document, groups={"team": [row]})))).rows[0]
    assert shown[1:6] == (5, None, None, None, None)


@pytest.mark.parametrize(("decision", "tax"), [("quality_loss", None), ("never", "0.00")])
def test_the_tax_of_a_group_of_which_nothing_could_be_judged_is_unknown(decision: str, tax: str | None) -> None:
    document = build.rich(2)
    row = msgspec.structs.replace(
        document.groups["team"][0], covered_share=0.0, moved_requests=0, flagship_tax="0.00", policy_cost="9.00"
    )
    policy = msgspec.structs.replace(document.policy, decision=decision)
    made = msgspec.structs.replace(document, groups={"team": [row]}, policy=policy)
    shown = next(spend.groups(earlier(made)))
    cells = dict(zip([column.title for column in shown.columns], shown.rows[0], strict=True))
    assert (cells["Cost"], cells["Flagship tax"], cells["Covered"]) == (row.cost, tax, 0.0)


def test_points_of_the_frontier_that_lie_together_are_named_once_and_the_one_in_use_always() -> None:
    document = build.rich(2)
    points = document.sensitivity.frontier
    crowded = [msgspec.structs.replace(p, lost_answers=100.0 + p.target, policy_cost="5.00") for p in points[:-1]]
    frontier = [*crowded, points[-1]]
    drawn = charts.frontier(
        msgspec.structs.replace(document, sensitivity=msgspec.structs.replace(document.sensitivity, frontier=frontier))
    )
    assert drawn is not None
    assert ">2 (limit in use)<" in drawn.svg
    assert ">0.25<" not in drawn.svg


def test_weeks_begin_on_monday_and_add_up_to_the_days() -> None:
    document = build.rich()
    rows = mix.by_week(document).rows
    assert [row[0] for row in rows[:3]] == ["2026-09-28"] * 3, "the last week first"
    assert {row[0] for row in rows} == {"2026-08-31", "2026-09-07", "2026-09-14", "2026-09-21", "2026-09-28"}
    assert sum(int(row[2] or 0) for row in rows) == sum(row.requests for row in document.model_mix_daily)
    for week in {row[0] for row in rows}:
        for share in (3, 5, 7):
            assert abs(sum(float(row[share] or 0) for row in rows if row[0] == week) - 1) < 1e-9


def test_concentration_of_known_shares() -> None:
    document = build.rich(2)
    model = document.groups["model"][0]
    sizes = (("a", 60, "3.00"), ("b", 30, "1.00"), ("c", 10, None))
    models = [msgspec.structs.replace(model, name=n, requests=r, tokens=r, cost=c) for n, r, c in sizes]
    rows = mix.concentration(msgspec.structs.replace(document, groups={"model": models})).rows
    assert [row[:2] for row in rows] == [("requests", "a"), ("tokens", "a"), ("cost", "a")]
    assert rows[0][2:4] == pytest.approx((0.6, 0.36 + 0.09 + 0.01))
    assert rows[2][2:4] == pytest.approx((0.75, 0.5625 + 0.0625))
    assert rows[0][4] == "2.2 models with equal shares"


def test_changes_of_the_mix_are_in_percentage_points() -> None:
    comparison = compared.check().comparison
    assert comparison is not None
    assert check.mix(comparison).rows == (
        ("requests", "frontier", "41.0%", "47.0%", "+6.0 pp", "+5.0 pp", "+7.0 pp"),
        ("cost", "frontier", "78.0%", "86.0%", "+8.0 pp", "+7.0 pp", "+9.0 pp"),
        ("requests", "claude-opus-4-5", "15.0%", "22.0%", "+7.0 pp", "+6.0 pp", "+8.0 pp"),
    )


def test_a_tier_of_a_day_is_unknown_without_a_price_and_empty_without_a_request() -> None:
    document = build.rich(2)
    day = document.daily[0]
    free = msgspec.structs.replace(document.model_mix_daily[0], tier="unknown", cost=None)
    changed = msgspec.structs.replace(document, model_mix_daily=[*document.model_mix_daily, free])
    assert spend.daily(changed).rows[0][-1] is None
    assert spend.daily(document).rows[0][-1] == ""
    assert spend.daily(document).rows[0][5] == day.cost_by_tier["frontier"]


def test_days_and_what_has_no_time_add_up_to_what_was_spent() -> None:
    document = build.rich(3)
    rows = spend.daily(document).rows
    assert [row[0] for row in rows] == ["2026-09-01", "2026-09-02", "2026-09-03", "undated"]
    undated = build.calls(3)[:3]
    assert rows[-1][1] == len(undated) == 3
    assert Decimal(str(rows[-1][3])) == Decimal(sum(call.cost for call in undated)) / build.DOLLAR
    assert Decimal(str(rows[-1][4])) == Decimal(sum(call.policy for call in undated)) / build.DOLLAR
    assert sum(Decimal(str(row[3])) for row in rows) == Decimal(document.cost.actual)
    for index, tier in enumerate(TIERS[:3], start=5):
        spent = sum(Decimal(m.cost) for m in document.model_mix if m.tier == tier and m.cost)
        assert sum(Decimal(str(row[index] or 0)) for row in rows) == spent


def test_charts_over_time_have_a_bar_for_requests_without_a_time_and_so_the_total_of_the_page() -> None:
    document = build.rich(3)
    for figure in (over_time.daily(document), over_time.mix_over_time(document)):
        assert figure is not None
        assert figure.note == "The bar “no time” is 3 requests whose log states no time."
        assert ">no time<" in figure.svg
        assert ">no time<" in figure.narrow
    daily = over_time.daily(document)
    assert daily is not None
    assert f" of {money(document.cost.actual)};" in daily.title
    assert verdict(document).headline.endswith(daily.title[-len("cost $10.00") :] + ".")
    dateless = msgspec.structs.replace(document.period, undated_requests=0)
    whole = over_time.daily(msgspec.structs.replace(document, period=dateless))
    assert whole is not None
    assert whole.note == ""
    assert ">no time<" not in whole.svg
    assert spend.daily(msgspec.structs.replace(document, period=dateless)).rows[-1][0] == "2026-09-03"


def test_a_drawing_of_the_largest_flows_says_which_it_leaves_out() -> None:
    document = build.rich(3)
    assert len(document.routes) == 12
    drawn = flow.flow(document)
    assert drawn is not None
    assert drawn.note == ""
    small = [msgspec.structs.replace(document.routes[0], to_model=f"m{i}", actual_cost="0.0001") for i in range(3)]
    drawn = flow.flow(msgspec.structs.replace(document, routes=[*document.routes, *small]))
    assert drawn is not None
    assert drawn.note.endswith("Left out are 3 smaller flows ($0.00030), which the table has too.")


@pytest.mark.parametrize("days", [1, 3])
def test_the_policy_is_drawn_over_a_single_day_too(days: int) -> None:
    figure = over_time.daily(build.rich(days))
    assert figure is not None
    drawn = re.findall(rf'<path [^>]*(?:fill|stroke)="{LIGHT["accent"]}"', figure.svg)
    assert len(drawn) == 2, "over the days, and over the requests without a time"


def test_traces_and_what_the_log_shows_of_routing_are_tables() -> None:
    document = build.rich(2)

    def written(whole: table.Table) -> list[list[str]]:
        return [
            [table.write(cell, column, currency="USD") for cell, column in zip(row, whole.columns, strict=True)]
            for row in whole.rows
        ]

    assert written(traces.routing(document)) == [
        ["each request on its own", "$50.91", "$2.40"], ["each trace as a unit", "$50.12", "$1.85"],
    ]  # fmt: skip
    assert [row[1] for row in traces.traces(document).rows] == [211, 904, 530, 37]
    assert [row[:3] for row in written(traces.break_even(document))] == [
        ["extra steps", "0.80", "6.15"], ["escalation", "1.00", "always saves"],
    ]  # fmt: skip
    losing = msgspec.structs.replace(
        document, break_even=[msgspec.structs.replace(document.break_even[0], break_even=-34.5)]
    )
    assert written(traces.break_even(losing))[0][2] == "never saves"
    assert [row[3:] for row in written(traces.pairs(document))] == [
        ["700", "claude-haiku-4-5", "200", "21.3%", "23.1%", "107.1%"],
        ["300", "mistral-medium-2508", "400", "25.0%", "", "98.8%"],
    ]  # fmt: skip
    assert written(traces.routers(document))[0][2:] == ["22", "16", "$0.0021", "$0.0062", "$0.0041", "66.4%"]
    for make in (traces.routing, traces.traces, traces.break_even, traces.pairs, traces.routers):
        assert make(build.sparse()).rows == ()


def test_waste_names_what_causes_most_of_it_and_sessions_their_models() -> None:
    tables = {table.title: table for table in everything(build.rich())}
    details = {str(row[0]): str(row[3]) for row in tables["Waste unrelated to routing"].rows}
    assert details["Tool definitions that are never called"].endswith(
        "Largest: github (MCP server) 50.0%, 3 others 50.0%."
    )
    assert details["A stable prefix never cached"].endswith("first.")
    sessions = tables["Top traces and agent sessions"]
    assert [column.title for column in sessions.columns[:3]] == ["Trace", "Apps", "Models"]
    (_, apps, models, *_), (others, no_apps, *_) = sessions.rows
    assert (apps, str(models).endswith(" and 1 more")) == ("helpdesk", True)
    assert (others, no_apps) == ("7 others", "")
    assert [column.title for column in tables["Top users"].columns[:2]] == ["User", "Requests"]
