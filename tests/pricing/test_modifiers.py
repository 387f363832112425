"""What changes a price beside the tokens: modes, places, fees and kinds of output. Figures are worked out by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.pricing.build import at, call, ledger

from llm_audit.pricing import PRICED_AT, PriceBook, price

DAY = at(2026, 11, 2)


def cost(*rows):
    return price(ledger(*rows), PriceBook())


def usd(row) -> Decimal | None:
    pico = cost(row)["cost_pico"][0]
    return None if pico is None else Decimal(pico) / 10**12


@pytest.mark.parametrize(
    ("row", "dollars"),
    [
        # 1,000 at 10, 10,000 cached at 1, 200 at 50 a million
        (call("anthropic", "claude-opus-4-8", DAY, tier="fast", input=1000, cache_read=10_000, output=200), "0.03"),
        # 1.1 times 1,000 at 5 and 200 at 25 a million
        (call("anthropic", "claude-opus-4-6", DAY, region="us", input=1000, output=200), "0.011"),
        (call("anthropic", "claude-opus-4-5", DAY, region="us", input=1000, output=200), "0.01"),
        # 4 at 3.30, 15,178 written at 4.125, 120 at 16.50 a million: Bedrock's regional price
        (
            call(
                "anthropic",
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                DAY,
                input=4,
                cache_write_5m=15_178,
                output=120,
            ),
            "0.06460245",
        ),
        # 10 at 0.30, 1,290 of images at 30 a million
        (call("google", "gemini-2.5-flash-image", DAY, input=10, output=1290, image_output_tokens=1290), "0.038703"),
        # 1,000 at 0.50, 100 at 3 a million, 3 queries at 14 a thousand
        (call("google", "gemini-3-flash-preview", DAY, input=1000, output=100, tool_calls_billed=3), "0.0428"),
        # 10,000 at 0.25, 500 at 2 a million, 2 file searches at 2.50 a thousand, 1 container at 0.03
        (
            call(
                "openai",
                "gpt-5-mini",
                at(2026, 6, 1),
                input=10_000,
                output=500,
                fees_billed="code_session=1,file_search=2",
            ),
            "0.0385",
        ),
        # 1,000 at 30, 10,000 cached at 3, 200 at 150 a million
        (call("anthropic", "claude-opus-4-6", DAY, tier="fast", input=1000, cache_read=10_000, output=200), "0.09"),
        # the same at 2.50 and 10 a million, with a search at 25, and before 26 June 2025 at 35 a thousand
        (call("openai", "gpt-4o-search-preview", at(2025, 6, 26), input=1000, output=100), "0.0285"),
        (call("openai", "gpt-4o-search-preview", at(2025, 6, 25), input=1000, output=100), "0.0385"),
        # 8,770 at 1.25, 8,192 cached at 0.20, 3,727 at 2.50 a million, 7 searches at 5 a thousand,
        # for which a response stated 569,184,000 ticks of 10^-10 dollars
        (
            call("x-ai", "grok-4.3", DAY, input=8770, cache_read=8192, output=3727, fees_billed="server_tool=7"),
            "0.0569184",
        ),
        # 14 and 300 at 1 a million; requests at 5 and, with a large context, 12 a thousand
        (call("perplexity", "sonar", DAY, input=14, output=300), "0.005314"),
        (call("perplexity", "sonar", DAY, input=14, output=300, fees_billed="high_search=1"), "0.012314"),
    ],
)
def test_a_modifier_is_priced(row, dollars):
    assert usd(row) == Decimal(dollars)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (call("aws", "amazon.nova-pro-v1:0", DAY, input=5, output=9, fees_billed="file_search=2"), "per_file_search"),
        (call("openai", "gpt-4o", DAY, input=5, output=9, image_output_tokens=9), "image_output"),
        (
            call("openai", "gpt-5", DAY, input=5, output=9, fees_billed="maps=1,live_source=1"),
            "per_live_source and per_maps",
        ),
        (call("openai", "gpt-5", at(2026, 6, 2), input=5, output=9, fees_billed="code_session=1"), "per_code_session"),
        (
            call("openai", "gpt-4o", at(2025, 6, 25), input=5, output=9, fees_billed="preview_search=1"),
            "per_preview_search",
        ),
        (call("google", "gemini-3-flash-preview", DAY, input=5, output=9, fees_billed="maps=1"), "per_maps"),
        (call("azure", "gpt-5", DAY, input=5, output=9, tool_calls_billed=1), "per_tool_call"),
        (call("x-ai", "grok-4.3", DAY, input=5, output=9, fees_billed="other_tool=1"), "per_other_tool"),
    ],
)
def test_what_has_no_rate_is_named(row, reason):
    assert cost(row)["unpriced_reason"][0] == f"no_rate: {reason}"


@pytest.mark.parametrize("tier", ["fast", "provisioned"])
def test_a_tier_that_is_never_billed_as_standard_has_no_price_of_its_own(tier):
    row = call("mistral", "mistral-large-latest", DAY, tier=tier, input=5, output=9)
    assert cost(row)["unpriced_reason"][0] == "no_rate"


def test_rows_without_fees_keep_their_price_row_beside_those_with_fees():
    plain, with_fee = (
        call("openai", "gpt-4o", DAY, input=1000, output=100, fees_billed=fees) for fees in (None, "file_search=1")
    )
    priced = cost(plain, with_fee)
    assert priced["cost_pico"].to_list() == [3_500_000_000, 6_000_000_000]
    assert priced["price_id"].n_unique() == 2


def test_undated_rows_are_priced_when_they_are_said_to_be_and_never_in_the_future():
    row = call("deepseek", "deepseek-chat", None, input=10**6, output=0)
    book = PriceBook()
    assert book.undated_at <= datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    frame = ledger(row, row)
    moments = [at(2025, 9, 10), at(2025, 10, 10)]
    priced = price(frame.with_columns(frame["time"].clear(2).alias(PRICED_AT)), book)
    dated = frame.with_columns(ledger(*(call("x", "y", moment) for moment in moments))["time"].alias(PRICED_AT))
    assert price(dated, book)["cost_pico"].to_list() == [560_000_000_000, 280_000_000_000]
    book.undated_at = at(2025, 9, 10)
    assert price(frame, book)["cost_pico"].to_list() == [560_000_000_000] * 2
    assert priced["cost_pico"].to_list() == [280_000_000_000] * 2
