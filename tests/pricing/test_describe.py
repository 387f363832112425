from datetime import date
from decimal import Decimal

import pytest

from llm_audit.errors import UsageError
from llm_audit.pricing import PriceBook, Unpriced
from llm_audit.pricing.currency import Currency, parse_currency
from llm_audit.pricing.describe import diff_prices, list_prices, price_details, verify_price_file

DAY = date(2026, 9, 1)


def test_prices_are_listed_by_pattern_with_context_tiers():
    listed = list_prices(PriceBook(), provider="google", model="gemini-2.5-*", at=DAY)
    pro = listed.filter(listed["model"] == "gemini-2.5-pro")
    assert pro.select("context_from", "input_rate", "output_rate").rows() == [
        (0, 1_250_000, 10_000_000), (200_001, 2_500_000, 15_000_000),
    ]  # fmt: skip
    assert listed["provider"].unique().to_list() == ["google"]


def test_a_model_is_shown_in_every_service_tier_with_the_days_its_price_changes():
    shown = price_details(PriceBook(), "openai", "o3-2025-04-16", at=DAY)
    assert shown.model_line == "o3"
    assert set(shown.rates["service_tier"]) == {"standard", "batch", "flex", "priority", "fast"}
    assert date(2025, 6, 10) in shown.changes
    assert shown.reason is None


def test_an_unknown_model_is_shown_with_names_that_are_known():
    shown = price_details(PriceBook(), "openai", "gpt-4o-mimi", at=DAY)
    assert shown.reason is Unpriced.UNKNOWN_MODEL
    assert "openai/gpt-4o-mini" in shown.suggestions
    assert shown.rates.height == 0


def test_differences_between_days_and_between_books(tmp_path):
    book = PriceBook()
    o3 = [list_prices(book, provider="openai", model="o3", at=day) for day in (date(2025, 5, 1), DAY)]
    changed = {row["rate"]: (row["before"], row["after"]) for row in diff_prices(*o3).iter_rows(named=True)}
    assert changed["input"] == (10_000_000, 2_000_000)
    assert changed["output"] == (40_000_000, 8_000_000)
    assert "per_tool_call" not in changed
    file = tmp_path / "own.toml"
    file.write_text('[[price]]\nprovider = "vllm"\nmodel = "house"\ninput = 1\noutput = 2\n')
    own = [list_prices(b, model="house", at=DAY) for b in (book, PriceBook([file]))]
    assert diff_prices(*own).select("rate", "before", "after").filter(rate="output").rows() == [
        ("output", None, 2_000_000)
    ]


def test_a_price_file_is_verified_against_the_table(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(
        '[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 2.25\noutput = 9\n'
        '[[price]]\nprovider = "openai"\nmodel = "gpt-4o-minni"\ninput = 1\n'
        '[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 0.0000025\n'
        '[[discount]]\nprovider = "anthropic"\npercent = 10\n'
    )
    fine, misspelled, wrong_unit, discount = verify_price_file(file)
    assert fine.where == f"{file}:1"
    assert (fine.models, fine.notes) == (2, ())  # the line and its dated snapshot of May 2024
    assert misspelled.models == 0
    assert "openai/gpt-4o-mini" in misspelled.notes[0]
    assert "dollars per million tokens" in wrong_unit.notes[0]
    assert discount.models > 20
    with pytest.raises(UsageError):
        verify_price_file(tmp_path / "none.toml")


def test_amounts_are_converted_once_with_the_rate_given():
    assert parse_currency("usd") == Currency()
    assert Currency().note is None
    euro = parse_currency(" eur = 0.92 ")
    assert euro == Currency("EUR", Decimal("0.92"))
    assert euro.amount(10**12) == "0.92"
    assert euro.amount(-3) == "-0.000000000003"
    assert "0.92 EUR" in euro.note
    assert parse_currency("USD=1") == Currency()
    assert "at 1 EUR" in parse_currency("EUR=1").note  # its amounts are no dollars, though as many


@pytest.mark.parametrize("text", ["EUR", "EUR=", "EUR=0", "EUR=-1", "EUR=nan", "E=1", "=1", "EUR=1e9", "USD=0.9"])
def test_a_currency_without_a_rate_is_an_error(text):
    with pytest.raises(UsageError, match="--currency EUR=0.92"):
        parse_currency(text)
