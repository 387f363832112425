from datetime import date
from decimal import Decimal

import pytest
from tests.pricing.build import at, call, ledger

from llm_audit.errors import UsageError
from llm_audit.money import usd
from llm_audit.pricing import PriceBook, price
from llm_audit.pricing.rules import read_price_file


@pytest.fixture
def file(tmp_path):
    def write(text, name="prices.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def dollars(row, *files, aliases=None):
    book = PriceBook(files, aliases=aliases)
    priced = price(ledger(row), book)
    cost = priced["cost_pico"][0]
    return usd(cost) if cost is not None else priced["unpriced_reason"][0]


GPT_4O = call("azure", "gpt-4o", at(2026, 3, 1), input=1_000_000, cache_read=1_000_000, output=1_000_000)


def test_a_users_price_replaces_the_rates_it_gives_and_no_others(file):
    contract = file('[[price]]\nprovider = "azure"\nmodel = "gpt-4o*"\ninput = 2\noutput = 8\nsource = "contract 7"\n')
    assert dollars(GPT_4O) == "13.75"
    assert dollars(GPT_4O, contract) == "11.25"
    book = PriceBook([contract])
    price(ledger(GPT_4O), book)
    assert book.rates.select("source", "basis").row(0) == ("user file", "fallback: openai's price; contract 7")


def test_dates_are_inclusive_and_outside_them_the_listed_price_holds(file):
    rule = file('[[price]]\nmodel = "gpt-4o"\nfrom = 2026-02-01\nto = 2026-03-01\ninput = 1\n')
    days = [at(2026, 1, 31, 23, 59), at(2026, 2, 1, 0), at(2026, 3, 1, 23, 59), at(2026, 3, 2, 0)]
    calls = [call("openai", "gpt-4o", day, input=1_000_000, output=0) for day in days]
    assert [dollars(row, rule) for row in calls] == ["2.50", "1.00", "1.00", "2.50"]


def test_discounts_apply_last_and_the_last_that_matches_wins(file):
    half = file('[[discount]]\nprovider = "azure"\npercent = 50\n[[discount]]\nmodel = "gpt-4o"\npercent = 12.5\n')
    assert dollars(GPT_4O, half) == "12.03125"
    output_only = file('[[discount]]\npercent = 100\nrates = ["output"]\n', "free.toml")
    assert dollars(GPT_4O, output_only) == "3.75"
    surcharge = file("[[discount]]\npercent = -10\n", "surcharge.toml")
    assert dollars(GPT_4O, surcharge) == "15.125"


def test_a_discount_comes_off_fees_too(file):
    """Two file searches at $2.50 a thousand and one web search at $10 a thousand."""
    row = call("openai", "gpt-5", at(2026, 3, 1), input=0, output=0, tool_calls_billed=1, fees_billed="file_search=2")
    assert dollars(row) == "0.015"
    assert dollars(row, file("[[discount]]\npercent = 50\n")) == "0.0075"
    assert dollars(row, file('[[discount]]\npercent = 100\nrates = ["per_file_search"]\n', "free.toml")) == "0.01"
    own = file("[[price]]\nper_file_search = 0.001\n[[discount]]\npercent = 50\n", "own.toml")
    assert dollars(row, own) == "0.006"


@pytest.mark.parametrize(
    ("provider", "model", "tier"),
    [
        ("openai", "gpt-4o", "flex"),
        ("openai", "o4-mini-deep-research", "batch"),
        ("anthropic", "claude-sonnet-4-0", "batch"),
    ],
)
def test_the_published_discount_of_a_tier_is_of_its_tokens(provider, model, tier):
    searches = {"input": 1_000_000, "output": 0, "tool_calls_billed": 1}
    standard, cheaper = (call(provider, model, at(2026, 3, 1), tier=which, **searches) for which in ("standard", tier))
    search = Decimal("0.01")
    assert Decimal(dollars(cheaper)) - search == (Decimal(dollars(standard)) - search) / 2


def test_a_rule_for_a_model_line_leaves_its_fine_tunes_alone(file):
    rule = file('[[price]]\nmodel = "gpt-4o"\ninput = 1\n')
    tune = call("openai", "ft:gpt-4o-2024-08-06:acme::x1", at(2026, 3, 1), input=1_000_000, output=0)
    assert dollars(tune, rule) == "3.75"
    own = file('[[price]]\nmodel = "ft:gpt-4o*"\ninput = 2\n', "own.toml")
    assert dollars(tune, own) == "2.00"


def test_later_files_override_earlier_ones(file):
    first = file('[[price]]\nmodel = "gpt-4o"\ninput = 1\ncache_read = 0\noutput = 1\n', "a.toml")
    second = file('[[price]]\nmodel = "gpt-4o"\noutput = 5\n', "b.toml")
    assert dollars(GPT_4O, first, second) == "6.00"
    assert dollars(GPT_4O, second, first) == "2.00"


def test_a_model_of_ones_own_is_priced_by_the_file_alone(file):
    own = file('[[price]]\nprovider = "vllm"\nmodel = "house-*"\ninput = 0.1\noutput = 0.4\nper_call = 0.002\n')
    row = call("vllm", "house-7b", at(2026, 3, 1), input=1_000_000, cache_read=1_000_000, output=1_000_000)
    assert dollars(row) == "unknown_provider"
    assert dollars(row, own) == "0.602"  # cached tokens are input where no rate tells them apart


def test_context_steps_and_hours_of_a_file(file):
    steps = file(
        '[[price]]\nprovider = "vllm"\nmodel = "house"\ninput = 1\noutput = 1\n'
        '[[price]]\nprovider = "vllm"\nmodel = "house"\ncontext_from = 1000\ninput = 2\n'
        '[[price]]\nprovider = "vllm"\nmodel = "house"\nhours = "22:00-06:00"\ninput = 0\n'
    )
    calls = [
        call("vllm", "house", at(2026, 3, 1, hour), input=tokens, output=0)
        for hour, tokens in ((12, 999), (12, 1000), (23, 999), (5, 1000), (6, 999))
    ]
    assert [dollars(row, steps) for row in calls] == ["0.000999", "0.002", "0.00", "0.00", "0.000999"]


def test_batch_calls_keep_their_discount_under_a_users_standard_price(file):
    contract = file('[[price]]\nmodel = "gpt-4o"\ninput = 2\n')
    row = call("openai", "gpt-4o", at(2026, 11, 1), tier="batch", input=1_000_000, output=0)
    assert dollars(row, contract) == "1.00"
    own = file('[[price]]\nmodel = "gpt-4o"\nservice_tier = "batch"\ninput = 0.7\n', "batch.toml")
    assert dollars(row, own) == "0.70"


def test_aliases_name_deployments_profiles_and_arns(file):
    names = file(
        '[aliases]\n"prod-chat" = "azure/gpt-4o"\n"eu-*" = "gpt-4o-mini"\n'
        '"arn:aws:bedrock:*:application-inference-profile/abc" = "bedrock/us.amazon.nova-lite-v1:0"\n'
    )
    million = {"input": 1_000_000, "output": 0}
    assert dollars(call("azure", "prod-chat", at(2026, 3, 1), **million), names) == "2.50"
    assert dollars(call("azure", "EU-west-chat", at(2026, 3, 1), **million), names) == "0.15"
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    assert dollars(call("aws", profile, at(2026, 3, 1), **million), names) == "0.06"
    assert dollars(call("azure", "prod-chat", at(2026, 3, 1), **million), names, aliases={"prod-chat": "o3"}) == "2.00"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("price = 3\n", None, "headed [[price]]"),
        ('[[price]]\nmodel = "x"\ninputs = 3\n', 3, "unknown key 'inputs'"),
        ('# a\n\n[[price]]\ninput = 1\n\n[[price]]\nmodel = "x"\ninput = "3"\n', 8, "must be a number"),
        ('[[price]]\nmodel = "x"\n', 1, "gives no rate"),
        ("[[price]]\ninput = -1\n", 2, "from 0 to 100000"),
        ('[[price]]\ninput = 1\nfrom = "2026-01-01"\n', 3, "date without quotes"),
        ("[[price]]\ninput = 1\nfrom = 2026-02-01\nto = 2026-01-01\n", 4, "before from"),
        ('[[price]]\ninput = 1\nservice_tier = "cheap"\n', 3, "standard, batch, flex, priority"),
        ('[[price]]\ninput = 1\nhours = "9-17"\n', 3, "16:30-00:30"),
        ('[[price]]\ninput = 1\ndays = ["sunday"]\n', 3, "mon, tue"),
        ("[[price]]\ninput = 1\ncontext_from = 1.5\n", 3, "whole number"),
        ('[[discount]]\nprovider = "openai"\n', 1, "needs percent"),
        ("[[discount]]\npercent = 120\n", 2, "-1000"),
        ('[[discount]]\npercent = 1\nrates = ["in"]\n', 3, "rates must be"),
        ('[aliases]\n"a" = 3\n', 2, "in quotes"),
        ("[rates]\ninput = 1\n", 1, "unknown key 'rates'"),
        ("input = = 1\n", None, "not valid TOML"),
    ],
)
def test_mistakes_name_the_file_the_line_and_what_to_do(file, text, line, says):
    path = file(text)
    with pytest.raises(UsageError) as error:
        read_price_file(path)
    message = str(error.value)
    assert message.startswith(f"{path}:{line}:" if line else str(path))
    assert says in message


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="Cannot read the price file"):
        PriceBook([tmp_path / "none.toml"])


def test_the_fingerprint_changes_with_files_and_aliases_only(file):
    path = file('[[price]]\nmodel = "x"\ninput = 1\n')
    plain = PriceBook().fingerprint
    assert plain == PriceBook().fingerprint
    assert len({plain, PriceBook([path]).fingerprint, PriceBook(aliases={"a": "gpt-4o"}).fingerprint}) == 3


def test_every_packaged_correction_names_its_source_and_the_day_it_was_checked():
    (overlay,) = PriceBook().files
    assert all(rule.source for rule in overlay.rules)
    assert all(rule.scope.start <= date(2026, 11, 23) for rule in overlay.rules)


def test_a_rule_for_the_tables_name_holds_for_the_same_model_by_any_name(file):
    """A policy asks for a candidate by the catalogue's name, which is not the provider's."""
    rule = file('[[price]]\nprovider = "mistral"\nmodel = "mixtral-8x7b"\ninput = 0.24\n')
    for name in ("mixtral-8x7b", "open-mixtral-8x7b", "mixtral-8x7b-instruct"):
        row = call("mistral", name, at(2024, 5, 1), input=1_000_000, output=0)
        assert (dollars(row), dollars(row, rule)) == ("0.70", "0.24")
    other = call("mistral", "mixtral-8x22b", at(2024, 5, 1), input=1_000_000, output=0)
    assert dollars(other, rule) == dollars(other)
