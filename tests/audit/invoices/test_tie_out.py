"""Months of an invoice in the document: parts that add up, and what is in no month."""

from decimal import Decimal

import msgspec
import pytest
from tests.pricing.build import at, call, ledger
from tests.report import build

from llm_audit.audit.currency import convert
from llm_audit.audit.invoices.tie_out import with_invoices
from llm_audit.catalog import Catalog
from llm_audit.document.audit import Metric
from llm_audit.pricing import PriceBook, costs_by_day, parse_currency, price, read_invoice

INVOICE = """usage_date_utc,model,workspace,usage_type,token_type,cost_usd
2026-09-01,claude-haiku-4-5-20251001,Default,message,uncached_input,1.25
,claude-haiku-4-5-20251001,Default,message,uncached_input,2.00
"""


@pytest.fixture
def tied(tmp_path):
    """One request of $1 in September and one without a time, beside an invoice of $1.25."""
    file = tmp_path / "invoice.csv"
    file.write_text(INVOICE)
    name = "claude-haiku-4-5-20251001"
    rows = ledger(
        call("anthropic", name, at(2026, 9, 1), input=1_000_000, output=0),
        call("anthropic", name, None, input=1_000_000, output=0),
    )
    catalog = Catalog.load()
    exports = [read_invoice(file, catalog=catalog)]
    return with_invoices(build.rich(2), costs_by_day(price(rows, PriceBook()), catalog=catalog), exports)


def test_each_month_adds_up_and_what_is_in_no_month_is_listed(tied):
    september, undated = tied.invoice.months
    assert (september.month, september.listed, september.discount, september.computed) == (
        "2026-09",
        "1.00",
        "0.00",
        "1.00",
    )
    assert (september.invoiced, september.uncovered, september.difference) == ("1.25", "0.00", "0.25")
    assert (undated.month, undated.computed, undated.invoiced) == ("", "1.00", None)
    (line,) = tied.invoice.left_out
    assert (line.line, line.amount, line.reason) == (3, "2.00", "no day")


def test_amounts_are_converted_with_the_document(tied):
    september = convert(tied, parse_currency("EUR=0.5")).invoice.months[0]
    assert [Decimal(x) for x in (september.listed, september.computed, september.invoiced, september.difference)] == [
        Decimal("0.5"), Decimal("0.5"), Decimal("0.625"), Decimal("0.125"),
    ]  # fmt: skip


def test_costs_of_a_sample_are_scaled_and_its_error_is_named(tmp_path):
    """One request in 400 costs $1, so that all cost $400; a small difference is the sample's."""
    file = tmp_path / "invoice.csv"
    name = "claude-haiku-4-5-20251001"
    file.write_text(INVOICE.splitlines()[0] + f"\n2026-09-01,{name},Default,message,uncached_input,450.00\n")
    rows = ledger(call("anthropic", name, at(2026, 9, 1), input=1_000_000, output=0))
    catalog = Catalog.load()
    days = costs_by_day(price(rows, PriceBook()), catalog=catalog)
    exports = [read_invoice(file, catalog=catalog)]
    # Four conversations of a dollar: a standard error of √4, so that a dollar is in one of a dollar.
    metric = Metric(name="total_cost", unit="USD", value=4.0, stderr=2.0, requests=4, clusters=4)
    document = msgspec.structs.replace(build.rich(2), sampling_rate=0.0025, metrics=[metric])
    (month,) = with_invoices(document, days, exports).invoice.months
    assert (month.computed, month.difference, month.requests) == ("400.00", "50.00", 1)
    # √(399 · $400 · $1) = $399.50, times 1.96
    assert month.reason == "within the sampling error, ±$783.00 at 95%"
    far = msgspec.structs.replace(document, metrics=[msgspec.structs.replace(metric, stderr=0.1)])
    assert with_invoices(far, days, exports).invoice.months[0].reason == (
        "invoiced more: calls that are not in the log, or tax and fees"
    )
