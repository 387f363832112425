from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from tests.pricing.build import at, call, ledger

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.pricing import PriceBook, costs_by_day, list_costs, price, tie_out
from llm_audit.pricing.invoice import read_invoice
from llm_audit.pricing.invoiced_costs import reconcile_invoice

USD = 10**12

OPENAI = """start_time,start_time_iso,amount_value,amount_currency,line_item,project_name
1788220800,2026-09-01T00:00:00+00:00,2.5,usd,"gpt-4o-2024-08-06, input",web
1788220800,2026-09-01T00:00:00+00:00,10,usd,"gpt-4o-2024-08-06, output",web
1788220800,2026-09-01T00:00:00+00:00,0.40,usd,"image generation units",web
1788307200,2026-09-02T00:00:00+00:00,1.00,eur,"gpt-4o-2024-08-06, input",web
1788307200,2026-09-02T00:00:00+00:00,0,usd,"gpt-4o-2024-08-06, input",web
"""
LATER = """1788307200,2026-09-03T00:00:00+00:00,1.00,usd,"gpt-4o-2024-08-06, input",web
1790812800,2026-10-01T00:00:00+00:00,3.00,usd,"gpt-4o-2024-08-06, input",web
"""
ANTHROPIC = """usage_date_utc,model,workspace,usage_type,token_type,cost_usd
2026-09-01,Claude Sonnet 4.5,Default,message,uncached_input,3.00
2026-09-01,claude-haiku-4-5-20251001,Default,message,output,5.00
"""
CUR = """lineItem/UsageStartDate,lineItem/ProductCode,lineItem/UsageType,lineItem/UnblendedCost,lineItem/CurrencyCode
2026-09-01T00:00:00Z,AmazonBedrock,USE1-NovaLite-input-tokens,0.06,USD
2026-09-01T01:00:00Z,AmazonBedrock,USE1-Claude3.5Sonnet-output-tokens,15,USD
2026-09-01T01:00:00Z,AmazonEC2,BoxUsage,99,USD
"""
CUR2 = """line_item_usage_start_date,line_item_product_code,line_item_usage_type,line_item_unblended_cost
2026-09-01 00:00:00,AmazonBedrock,USE1-Llama3-3-70B-input-tokens,0.72
"""
FOCUS = """ChargePeriodStart,BilledCost,EffectiveCost,BillingCurrency,ServiceName,ProviderName,SkuId,ChargeDescription
2026-09-01T00:00:00Z,5,4,USD,Azure OpenAI,Microsoft,,gpt-4o-mini input tokens
"""


@pytest.fixture(scope="module")
def catalog():
    return Catalog.load()


@pytest.fixture
def lines(tmp_path, catalog):
    def read(text):
        path = tmp_path / "invoice.csv"
        path.write_text(text, encoding="utf-8")
        return read_invoice(path, catalog=catalog)

    return read


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (OPENAI, "openai", [
            (2, "openai", "gpt-4o", 2.5, None),
            (3, "openai", "gpt-4o", 10, None),
            (4, "openai", None, 0.4, "no known model named"),
            (5, "openai", "gpt-4o", 1, "in EUR, not in dollars"),
        ]),
        (ANTHROPIC, "anthropic", [
            (2, "anthropic", "claude-sonnet-4-5", 3, None),
            (3, "anthropic", "claude-haiku-4-5", 5, None),
        ]),
        (CUR, "aws-cur", [(2, "aws", "nova-lite", 0.06, None), (3, "aws", "claude-3-5-sonnet", 15, None)]),
        (CUR2, "aws-cur", [(2, "aws", "llama-3.3-70b-instruct", 0.72, None)]),
        (FOCUS, "focus", [(2, "azure", "gpt-4o-mini", 4, None)]),
    ],
)  # fmt: skip
def test_cost_exports_become_lines_of_day_model_and_amount(lines, text, kind, expected):
    invoice = lines(text)
    assert invoice.kind == kind
    rows = invoice.lines.select("line", "provider", "model_id", "amount_pico", "unmatched").rows()
    assert rows == [(line, who, model, round(amount * USD), why) for line, who, model, amount, why in expected]
    assert set(invoice.lines["day"]) <= {date(2026, 9, 1), date(2026, 9, 2)}


@pytest.mark.parametrize(
    ("written", "usd"),
    [
        ('"1,234.50"', "1234.50"),
        ('"1,234,567"', "1234567"),
        ("-$2.5", "-2.5"),
        (".5", "0.5"),
        ("1e-7", "0.0000001"),
        ("12000000.01", "12000000.01"),  # more than one request can cost
        *((unclear, None) for unclear in ('"0,035"', '"1.234,50"', '"1,000"', "(5.00)", "NaN", "1e99", "$", "1_000")),
    ],
)
def test_an_amount_is_read_where_it_can_mean_one_thing(lines, written, usd):
    invoice = lines(
        f'start_time_iso,amount_value,amount_currency,line_item\n2026-09-01,{written},usd,"gpt-4o, input"\n'
    )
    (amount, why) = invoice.lines.select("amount_pico", "unmatched").row(0)
    assert amount == (None if usd is None else Decimal(usd) * USD)
    assert why is None if usd else "no clear amount" in why


def test_times_with_an_offset_are_of_the_day_in_utc(lines):
    row = '2026-09-01T23:30:00-05:00,1,usd,"gpt-4o, input"\n'
    invoice = lines(f"start_time_iso,amount_value,amount_currency,line_item\n{row}")
    assert invoice.lines["day"].to_list() == [date(2026, 9, 2)]


def test_what_else_a_cloud_sells_is_not_compared_with_models(lines):
    header, azure = FOCUS.splitlines()
    machines = "2026-09-01T00:00:00Z,900,900,USD,Virtual Machines,Microsoft,,D4s v5 hours"
    assert lines(f"{header}\n{azure}\n{machines}").lines["amount_pico"].to_list() == [4 * USD]
    by_category = f"{header},ServiceCategory\n{machines},Compute\n{machines},AI and Machine Learning\n"
    assert lines(by_category).lines["line"].to_list() == [3]


def test_an_unknown_export_and_a_missing_file_say_what_to_give(tmp_path, catalog):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"other.csv:1: .*FOCUS"):
        read_invoice(path, catalog=catalog)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        read_invoice(path, catalog=catalog)
    with pytest.raises(UsageError, match="Cannot read the invoice"):
        read_invoice(tmp_path / "none.csv", catalog=catalog)


def test_an_invoice_is_held_against_the_log_by_day_and_model(lines, catalog):
    rows = (
        call("openai", "gpt-4o", at(2026, 9, 1), input=1_000_000, output=1_000_000),  # 12.50, as invoiced
        call("openai", "gpt-4o-mini", at(2026, 9, 1), input=1_000_000, output=0),  # 0.15, not invoiced
        call("anthropic", "claude-haiku-4-5", at(2026, 9, 1), input=1, output=1),  # another provider's bill
    )
    result = reconcile_invoice([price(ledger(*rows), PriceBook())], lines(OPENAI), catalog=catalog)
    table = result.rows.select("model_id", "requests", "invoiced_pico", "computed_pico", "reason").rows()
    assert table == [
        ("gpt-4o-mini", 1, 0, round(0.15 * USD), "in the log only: billed elsewhere, not yet, or under another model"),
        ("gpt-4o", 1, round(12.5 * USD), round(12.5 * USD), "agrees"),
    ]
    assert result.unmatched["line"].to_list() == [4, 5]
    assert result.outside_pico == 0
    parts = [price(ledger(row), PriceBook()) for row in (*rows, rows[0])]
    doubled = reconcile_invoice(parts, lines(OPENAI), catalog=catalog).rows.filter(pl.col("model_id") == "gpt-4o")
    assert doubled.select("requests", "computed_pico").rows() == [(2, round(25 * USD))]


def test_what_only_the_invoice_has_is_said(lines, catalog):
    log = price(ledger(call("anthropic", "claude-haiku-4-5", at(2026, 9, 1), input=0, output=500_000)), PriceBook())
    result = reconcile_invoice([log], lines(ANTHROPIC), catalog=catalog)
    reasons = dict(result.rows.select("model_id", "reason").rows())
    assert reasons["claude-sonnet-4-5"] == "invoiced only: calls that are not in the log"
    assert reasons["claude-haiku-4-5"] == "invoiced more: calls that are not in the log, or tax and fees"
    elsewhere = price(ledger(call("anthropic", "claude-haiku-4-5", at(2026, 8, 1), input=0, output=5)), PriceBook())
    assert reconcile_invoice([elsewhere], lines(ANTHROPIC), catalog=catalog).outside_pico == 8 * USD


def test_months_of_a_provider_tie_out_whether_lines_name_a_model_or_not(tmp_path, lines, catalog):
    """By hand: gpt-4o at $2.50 a million tokens, 20 % off by contract; $2.50 + $10 + $0.40 invoiced in September."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[discount]]\nprovider = "openai"\npercent = 20\n')
    book = PriceBook([prices])
    rows = ledger(
        call("openai", "gpt-4o-2024-08-06", at(2026, 9, 1), input=4_000_000, output=0),
        call("anthropic", "claude-haiku-4-5-20251001", at(2026, 9, 1), input=1_000_000, output=0),
    )
    priced = list_costs(price(rows, book), book)
    months, left_out = tie_out(costs_by_day(priced, catalog=catalog), lines(OPENAI + LATER).lines)
    anthropic, september, october = months.rows(named=True)
    assert (anthropic["provider"], anthropic["invoiced_pico"], anthropic["difference_pico"]) == (
        "anthropic",
        None,
        None,
    )
    assert anthropic["reason"] == "no line of this provider on the invoice"
    assert (september["provider"], september["month"], september["requests"]) == ("openai", "2026-09", 1)
    assert september["list_pico"] == 10 * USD
    assert september["computed_pico"] == 8 * USD
    assert september["stated_pico"] is None
    assert september["invoiced_pico"] == 13_900 * USD // 1000
    assert september["uncovered_pico"] == 1 * USD, "one line is on a day without a request"
    assert september["difference_pico"] == 4_900 * USD // 1000
    assert september["reason"].startswith("invoiced more")
    assert (october["requests"], october["invoiced_pico"], october["uncovered_pico"]) == (0, 3 * USD, 3 * USD)
    assert left_out["unmatched"].to_list() == ["in EUR, not in dollars"]


def test_requests_that_are_not_billed_by_use_are_held_against_no_invoice(lines, catalog):
    """$2.50 of gpt-4o by use and as much on a plan, beside an invoice of $2.50."""
    row = call("openai", "gpt-4o-2024-08-06", at(2026, 9, 1), input=1_000_000, output=0)
    priced = price(ledger(row, row), PriceBook()).with_columns(
        billing_basis=pl.Series(["pay_as_you_go", "subscription"])
    )
    invoice = lines("\n".join(OPENAI.splitlines()[:2])).lines
    billed, plan = tie_out(costs_by_day(priced, catalog=catalog), invoice)[0].rows(named=True)
    assert (billed["computed_pico"], billed["difference_pico"], billed["reason"]) == (2_500_000_000_000, 0, "agrees")
    assert (plan["computed_pico"], plan["invoiced_pico"], plan["difference_pico"]) == (2_500_000_000_000, None, None)
    assert plan["reason"].startswith("not billed by use")
