from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.pricing.build import at, call, ledger

from llm_audit.pricing import PriceBook, price
from llm_audit.pricing.stated_costs import by_model, reconcile_stated

MICRO = 10**6  # pico-dollars in a millionth of a dollar


def stated(usd_millionths, *, provider="anthropic", model="claude-sonnet-4-5", day=1, tier="standard", **tokens):
    time = at(2026, 9, day)
    return call(provider, model, time, tier=tier, stated_cost_pico=usd_millionths * MICRO, **tokens)


def reasons(*rows):
    book = PriceBook()
    return reconcile_stated([price(ledger(*rows), book)], book)["reason"].to_list()


CACHED = {"input": 1000, "cache_read": 100_000, "output": 100}  # 3000 + 30000 + 1500 millionths


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (stated(34_500, **CACHED), "agrees"),
        (stated(304_500, **CACHED), "cached tokens priced as fresh input"),
        (stated(334_500, **CACHED), "cached tokens counted twice"),
        (stated(4_500, **CACHED), "cached tokens left out"),
        (stated(0, **CACHED), "stated as zero: price unknown to the log, or own key"),
        (stated(3_750, input=0, cache_write_1h=1000, output=0), "1-hour cache writes priced as 5-minute ones"),
        (stated(12_500, provider="openai", model="gpt-4o", tier="batch", input=1000, output=1000),
         "batch or flex discount not applied"),
        (stated(6_250, provider="openai", model="gpt-4o", input=1000, output=1000),
         "batch discount applied to standard calls"),
        (stated(1_725, **CACHED), "own key: the gateway's 5 % fee only"),
        (stated(3_000_000, **CACHED), "the price of a million input tokens, not a cost"),
        (stated(15_000_000, **CACHED), "the price of a million output tokens, not a cost"),
        (stated(99_999, **CACHED), "unexplained"),
    ],
)  # fmt: skip
def test_the_likely_cause_of_a_gap_is_named(row, reason):
    assert reasons(row) == [reason]


def test_an_old_price_in_the_gateway_is_recognised():
    # o3 fell from 10 / 40 to 2 / 8 on 10 June 2025; a gateway that missed it states the old price
    row = call("openai", "o3", at(2025, 7, 1), input=1000, output=1000, stated_cost_pico=50_000 * MICRO)
    assert reasons(row) == ["priced at an earlier price"]
    ahead = call("openai", "o3", at(2025, 5, 1), input=1000, output=1000, stated_cost_pico=10_000 * MICRO)
    assert reasons(ahead) == ["priced at a later price"]


def test_a_constant_margin_is_told_as_a_factor():
    rows = [
        stated(round(1.055 * 18 * n), input=n, output=n, provider="anthropic", model="claude-sonnet-4-5")
        for n in (10_000, 20_000, 30_000)
    ]
    assert reasons(*rows) == ["one factor of 1.055 on every call: a discount or a margin"]


def test_days_and_models_are_apart_and_only_calls_with_both_costs_count():
    rows = (
        stated(34_500, day=1, **CACHED),
        stated(304_500, day=2, **CACHED),
        stated(5, provider="openai", model="unheard-of", input=1, output=1),
        call("anthropic", "claude-sonnet-4-5", at(2026, 9, 1), input=5, output=5),
    )
    book = PriceBook()
    table = reconcile_stated([price(ledger(*rows), book)], book)
    assert table.select("day", "requests", "difference_pico").rows() == [
        (date(2026, 9, 2), 1, 270_000 * MICRO),
        (date(2026, 9, 1), 1, 0),
    ]
    assert table.schema["difference_pico"] == pl.Int128
    total = by_model(table).row(0, named=True)
    assert (total["requests"], total["stated_pico"], total["reason"]) == (
        2, 339_000 * MICRO, "cached tokens priced as fresh input",
    )  # fmt: skip


def test_parts_of_a_log_add_up_to_the_whole():
    """Three days, each with a constant factor that only the whole day shows, or does not."""
    rows = [
        stated(cost, day=1 + at % 3, **CACHED)
        for at, cost in enumerate((36_398, 34_500, 69_000, 36_398, 31_000, 69_000))
    ]
    book = PriceBook()
    priced = price(ledger(*rows), book)
    whole = reconcile_stated([priced], book)
    assert whole["requests"].to_list() == [2, 2, 2]
    assert_frame_equal(reconcile_stated([priced[:1], priced[1:4], priced[4:4], priced[4:]], book), whole)


def test_a_day_is_of_the_timezone_asked_for():
    row = call("openai", "gpt-4o", at(2026, 9, 1, 23), input=1000, output=0, stated_cost_pico=2500 * MICRO)
    book = PriceBook()
    assert reconcile_stated([price(ledger(row), book)], book, timezone="Asia/Tokyo")["day"].to_list() == [
        date(2026, 9, 2)
    ]


def test_nothing_stated_is_an_empty_table():
    book = PriceBook()
    table = reconcile_stated([price(ledger(call("openai", "gpt-4o", at(2026, 9, 1), input=1, output=1)), book)], book)
    assert table.height == 0
    assert by_model(table).height == 0
