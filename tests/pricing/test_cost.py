from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pricing.build import at, call, ledger

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.pricing import COST_COLUMNS, PriceBook, list_costs, price, rates_for

BOOK = PriceBook()


def cost(*rows, book=None):
    return price(ledger(*rows), book or BOOK)["cost_pico"].to_list()


def dollars(*rows, book=None):
    return [None if pico is None else usd(pico) for pico in cost(*rows, book=book)]


def test_invoice_of_an_openai_call_with_cached_input():
    # gpt-4o, $2.50 input, $1.25 cached, $10 output: 500 fresh, 1536 cached, 300 out
    row = call("openai", "gpt-4o-2024-08-06", at(2026, 9, 1), input=500, cache_read=1536, output=300)
    assert dollars(row) == ["0.00617"]


def test_invoice_of_an_anthropic_call_with_both_cache_lifetimes():
    # claude-sonnet-4-5: 3.00 in, 0.30 read, 3.75 five minutes, 6.00 one hour, 15.00 out
    row = call(
        "anthropic", "claude-sonnet-4-5-20250929", at(2026, 9, 1),
        input=21, cache_read=18_000, cache_write_5m=2_000, cache_write_1h=1_000, output=800,
    )  # fmt: skip
    assert dollars(row) == ["0.030963"]


def test_invoice_of_a_gemini_call_on_either_side_of_the_long_context_cliff():
    # gemini-2.5-pro: 1.25 / 10 up to 200,000 input tokens, 2.50 / 15 above, on all tokens of the request
    below = call("google", "gemini-2.5-pro", at(2026, 1, 5), input=200_000, output=1000)
    above = call("google", "gemini-2.5-pro", at(2026, 1, 5), input=200_001, output=1000)
    cached = call("google", "gemini-2.5-pro", at(2026, 1, 5), input=1, cache_read=200_000, output=0)
    assert dollars(below, above, cached) == ["0.26", "0.5150025", "0.0500025"]


def test_invoice_of_bedrock_calls_by_region_and_batch():
    # nova-lite 0.06 / 0.24; Haiku 4.5 1.00 / 5.00 worldwide, 10 % more in a region, half in a batch
    time = at(2026, 3, 1)
    rows = (
        call("bedrock", "us.amazon.nova-lite-v1:0", time, input=1_000_000, output=0),
        call("bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", time, input=1_000_000, output=0),
        call("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", time, input=1_000_000, output=0),
        call("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", time, tier="batch", input=1_000_000, output=0),
    )
    assert dollars(*rows) == ["0.06", "1.00", "1.10", "0.55"]


def test_bedrock_service_tiers():
    model = "us.amazon.nova-pro-v1:0"  # 0.80 a million: half in flex, 1.75 times with priority
    rows = [call("aws", model, at(2026, 3, 1), tier=tier, input=1_000_000, output=0) for tier in ("flex", "priority")]
    assert dollars(*rows) == ["0.40", "1.40"]


def test_azure_data_zones_cost_a_tenth_more():
    rows = [
        call("litellm", name, at(2026, 3, 1), input=1_000_000, output=0) for name in ("azure/gpt-4o", "azure/eu/gpt-4o")
    ]
    assert dollars(*rows) == ["2.50", "2.75"]


def test_reasoning_audio_and_calls_are_charged_once_and_at_their_own_rates():
    rows = (
        # 32 audio in, 4 text in, 64 audio out, 16 text out per million
        call("openai", "gpt-realtime", at(2026, 6, 1), input=1000, audio_input=500, output=100, audio_output=50),
        # reasoning is part of output: 200 of 1000 output tokens at 3.00 instead of 8.00; 5.00 a thousand searches
        call("perplexity", "sonar-deep-research", at(2026, 6, 1), input=0, output=1000, reasoning_tokens=200),
        call("anthropic", "claude-sonnet-4-5", at(2026, 6, 1), input=0, output=0, tool_calls_billed=3),
    )
    assert dollars(*rows) == ["0.0248", "0.007", "0.03"]


def test_image_tokens_within_input_have_their_own_rate():
    # gpt-realtime: 4.00 text, 5.00 image
    row = call("openai", "gpt-realtime", at(2026, 6, 1), input=1000, image_input_tokens=600, output=0)
    assert dollars(row) == ["0.0046"]


@pytest.mark.parametrize("tier", ["batch", "flex"])
def test_batch_and_flex_are_half_before_the_table_lists_them(tier):
    book = PriceBook()
    rows = [call("openai", "gpt-5", at(2026, month, 20), tier=tier, input=1000, output=1000) for month in (3, 10)]
    assert dollars(*rows, book=book) == ["0.005625", "0.005625"]


def test_priority_follows_its_later_ratio_and_an_unknown_tier_says_that_it_fell_back():
    book = PriceBook()
    rows = (
        call("openai", "gpt-4o", at(2025, 5, 1), tier="priority", input=1000, output=0),
        call("cerebras", "gpt-oss-120b", at(2026, 5, 1), tier="priority", input=1000, output=0),
    )
    priced = price(ledger(*rows), book)
    assert usd(priced["cost_pico"][0]) == "0.00425"
    basis = dict(book.rates.select("model", "basis").iter_rows())
    assert "ratio" in basis["gpt-4o"]
    assert basis["gpt-oss-120b"].startswith("fallback: no priority price known")


def test_time_of_day_weekday_and_dated_changes():
    flash = "deepseek-v4-flash"
    rows = [
        call("deepseek", flash, time, input=1_000_000, output=0)
        for time in (
            at(2026, 7, 1, 2),  # before the first change: one price all day
            at(2026, 10, 7, 2),  # Wednesday, peak
            at(2026, 10, 7, 4),  # Wednesday, off-peak from 04:00 on
            at(2026, 10, 10, 2),  # Saturday: off-peak all day
        )
    ]
    assert dollars(*rows) == ["0.14", "0.30", "0.15", "0.15"]


def test_retired_models_of_a_two_year_old_log_are_priced_at_their_own_date():
    november = at(2024, 11, 20)
    rows = (
        call("openai", "gpt-4-0613", november, input=1000, output=1000),  # 30 / 60
        call("openai", "gpt-3.5-turbo-0125", november, input=1000, output=1000),  # 0.50 / 1.50
        call("openai", "o1-preview-2024-09-12", november, input=1000, output=1000),  # 15 / 60
        call("anthropic", "claude-3-opus-20240229", november, input=1000, output=1000),  # 15 / 75
        call("anthropic", "claude-2.1", november, input=1000, output=1000),  # 8 / 24
        call("google", "gemini-1.5-flash-002", november, input=1000, output=1000),  # 0.075 / 0.30
    )
    assert dollars(*rows) == ["0.09", "0.002", "0.075", "0.09", "0.032", "0.000375"]


def test_o3_costs_what_it_did_before_and_after_its_price_cut():
    rows = [call("openai", "o3", at(2025, month, 20), input=1000, output=1000) for month in (5, 7)]
    assert dollars(*rows) == ["0.05", "0.01"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (call("openai", "gpt-99-turbo", at(2026, 1, 1), input=1, output=1), "unknown_model"),
        (call(None, "our-own-model", at(2026, 1, 1), input=1, output=1), "unknown_provider"),
        (call("ollama", "llama3", at(2026, 1, 1), input=1, output=1), "unknown_provider"),
        (call("openai", "gpt-4o", at(2026, 1, 1)), "no_usage"),
        (call("openai", "gpt-4o", at(2026, 1, 1), input=5), "no_usage"),
        (call("openai", "gpt-4o", at(2026, 1, 1), input=2 * 10**9, output=1), "too_large"),
        (call("openai", "whisper-1", at(2026, 1, 1), input=5, output=0), "other_unit"),
        (call("openai", "text-embedding-3-small", at(2026, 1, 1), input=5, output=9), "no_rate: output"),
        (call("openai", " ", at(2026, 1, 1), input=5, output=9), "no_model"),
    ],
)
def test_what_cannot_be_priced_is_named_and_never_zero(row, reason):
    priced = price(ledger(row, call("openai", "gpt-4o", at(2026, 1, 1), input=1, output=1)), PriceBook())
    assert priced["unpriced_reason"].to_list() == [reason, None]
    assert set(priced.select("price_id", "cost_pico", *COST_COLUMNS).row(0)) == {None}
    assert None not in priced.select("price_id", "cost_pico", *COST_COLUMNS).row(1)


def test_no_tokens_is_a_cost_of_zero_and_an_embedding_needs_no_output():
    rows = (
        call("openai", "gpt-4o", at(2026, 1, 1), input=0, output=0),
        call("openai", "text-embedding-3-small", at(2026, 1, 1), operation="embedding", input=1_000_000),
    )
    assert dollars(*rows) == ["0.00", "0.02"]


def test_a_request_without_a_time_is_priced_at_the_latest_prices():
    assert dollars(call("openai", "o3", None, input=1000, output=1000)) == ["0.01"]


def test_undated_and_dated_calls_of_one_model_do_not_share_a_price():
    rows = [call("openai", "o3", time, input=1000, output=1000) for time in (at(2025, 5, 1), None, at(2025, 5, 1))]
    assert dollars(*rows) == ["0.05", "0.01", "0.05"]


def test_an_empty_ledger_is_priced_to_nothing():
    priced = price(ledger().clear(), PriceBook())
    assert priced.height == 0
    assert {"cost_pico", "price_id", "unpriced_reason"} <= set(priced.columns)


def test_every_cost_names_its_price_row_and_equal_rows_have_equal_ids_in_every_run():
    rows = [call("openai", "gpt-4o", at(2026, 1, day), input=day, output=1) for day in range(1, 20)]
    book, other = PriceBook(), PriceBook()
    priced = price(ledger(*rows), book)
    price(ledger(call("anthropic", "claude-haiku-4-5", at(2026, 1, 1), input=1, output=1)), other)
    again = price(ledger(*reversed(rows)), other)
    assert priced["price_id"].n_unique() == 1
    assert set(priced["price_id"]) <= set(book.rates["price_id"])
    assert set(again["price_id"]) == set(priced["price_id"])


token_counts = st.fixed_dictionaries({kind: st.integers(0, 400_000) for kind in TOKEN_TYPES})
calls = st.builds(
    lambda name, tier, hours, tokens: call(*name, at(2025, 1, 1) + timedelta(hours=hours), tier=tier, **tokens),
    st.sampled_from(
        [("openai", "gpt-5.4"), ("anthropic", "claude-sonnet-4-5"), ("deepseek", "deepseek-v4-pro"),
         ("bedrock", "us.amazon.nova-pro-v1:0"), ("google", "gemini-2.5-pro"), ("openai", "unheard-of")]
    ),
    st.sampled_from(["standard", "batch", "flex"]),
    st.integers(0, 16_000),
    token_counts,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(calls, min_size=1, max_size=25), data=st.data())
def test_sums_are_equal_to_the_last_digit_for_any_order_and_split(rows, data):
    order = data.draw(st.permutations(range(len(rows))))
    split = data.draw(st.integers(0, len(rows)))
    whole = cost(*rows)
    parts = [cost(*[rows[i] for i in part]) if part else [] for part in (order[:split], order[split:])]
    shuffled = [*parts[0], *parts[1]]
    assert [whole[i] for i in order] == shuffled
    assert sum(filter(None, whole)) == sum(filter(None, shuffled))


@settings(max_examples=40, deadline=None)
@given(row=calls)
def test_parts_add_up_and_rates_for_gives_the_same_charge(row):
    priced = price(ledger(row), BOOK).row(0, named=True)
    context = sum(row[f"{kind}_tokens"] for kind in TOKEN_TYPES if not kind.endswith("output"))
    key = pl.DataFrame(
        [{name: row[name] for name in ("provider", "model", "service_tier", "time")} | {"context_tokens": context}]
    )
    rates = rates_for(key, BOOK).row(0, named=True)
    assert rates["price_id"] == priced["price_id"]
    if priced["cost_pico"] is None:
        assert rates["unpriced_reason"] == priced["unpriced_reason"]
        return
    assert priced["cost_pico"] == sum(priced[column] for column in COST_COLUMNS)
    assert priced["cost_pico"] == sum(row[f"{kind}_tokens"] * rates[f"{kind}_rate"] for kind in TOKEN_TYPES)


def test_counterfactual_models_are_found_by_their_canonical_name_at_the_requests_provider():
    keys = pl.DataFrame(
        {
            "provider": ["bedrock", "azure", "openai", "openai", "google"],
            "model": ["claude-haiku-4-5", "phi-4", "gpt-4o-mini", "claude-haiku-4-5", "claude-haiku-4-5"],
            "time": [at(2026, 9, 1)] * 5,
        }
    )
    rates = rates_for(keys, PriceBook())
    assert rates["input_rate"].to_list() == [1_000_000, 125_000, 150_000, None, 1_000_000]
    assert rates["unpriced_reason"].to_list() == [None, None, None, "unknown_model", None]


def test_money_stays_exact_at_the_largest_counts():
    row = call("openai", "o1-pro", at(2026, 1, 1), input=10**9, output=10**9)
    assert Decimal(dollars(row)[0]) == Decimal(150_000) + Decimal(600_000)


def test_list_costs_leave_out_price_files_and_are_null_where_nobody_publishes_a_price(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(
        '[[discount]]\nprovider = "openai"\npercent = 20\n'
        '[[price]]\nprovider = "internal"\nmodel = "acme-7b"\ninput = 1.0\noutput = 1.0\n'
    )
    # gpt-4o, $2.50 a million tokens of input: a thousand of them are $0.0025 at list and $0.0020 by contract
    listed = call("openai", "gpt-4o-2024-08-06", at(2026, 9, 1), input=1000, output=0)
    own = call("internal", "acme-7b", at(2026, 9, 1), input=1000, output=0)
    book = PriceBook([file])
    found = list_costs(price(ledger(listed, own), book), book)
    assert [usd(pico) for pico in found["cost_pico"]] == ["0.002", "0.001"]
    assert found["list_cost_input_pico"].to_list() == [2_500_000_000, None]
    assert found["list_cost_output_pico"].to_list() == [0, None]


def test_without_price_files_the_costs_are_the_list_costs():
    book = PriceBook()
    priced = price(ledger(call("openai", "gpt-4o-2024-08-06", at(2026, 9, 1), input=1000, output=0)), book)
    assert list_costs(priced, book).columns == priced.columns


@pytest.mark.parametrize(
    "units",
    [
        {"tool_calls_billed": 10**9},  # $10 million of searches, whose pico-dollars are beyond 64 bits
        {"fees_billed": "file_search=9000000000"},
        {"fees_billed": "file_search=400000000,maps=1"},  # a fee without a rate beside it
    ],
)
def test_units_that_cost_more_than_a_request_can_have_no_cost(units):
    row = call("openai", "gpt-5", at(2026, 3, 1), input=1000, output=100, **units)
    usual = call("openai", "gpt-5", at(2026, 3, 1), input=1000, output=100, tool_calls_billed=1)
    priced = price(ledger(row, usual), PriceBook())
    assert priced["unpriced_reason"].to_list() == ["too_large", None]
    assert dollars(row, usual) == [None, "0.01225"]


def test_a_price_of_ones_own_cannot_overflow(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text('[[price]]\nprovider = "own"\nmodel = "dear"\ninput = 100000\noutput = 100000\nper_call = 100000\n')
    rows = [call("own", "dear", at(2026, 3, 1), input=count, output=count) for count in (10**9, 4_500_000, 4_600_000)]
    priced = price(ledger(*rows), PriceBook([file]))
    assert priced["unpriced_reason"].to_list() == ["too_large", None, "too_large"]
    assert priced["cost_pico"].to_list() == [None, 10**18, None]
