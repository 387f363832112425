"""Reports that tell what was billed from what an API would have charged."""

import csv
import io
import re
from decimal import Decimal

import msgspec
import openpyxl
import polars as pl
import pytest
from tests.audit.documents import earlier
from tests.report import build
from tests.report.frames import frames

from llm_audit.document.audit import Document
from llm_audit.report.interface import Frames
from llm_audit.report.registry import render
from llm_audit.report.tables.billing import by_basis
from llm_audit.report.text import UNKNOWN
from llm_audit.report.verdict import verdict

CALLS = build.calls(2)


def document(**parts: bool) -> Document:
    return msgspec.structs.replace(build.rich(2), billing=build.billing(**parts))


def test_the_headline_states_the_billed_figure_first_and_the_other_beside_it() -> None:
    said = verdict(document())
    assert said.headline == (
        "An estimated $2.00 of $10.00 billed was flagship tax ($1.00 to $3.00): the small-by-default policy would have"
        " cost $8.00. Beside it, $30.00 is API-equivalent and was not billed: an estimated $6.00 of it was flagship"
        " tax, and the policy would have cost $24.00."
    )
    assert (said.spent, said.spent_amount, said.tax, said.tax_amount) == ("$10.00", "10.00", "$2.00", "2.00")
    assert said.spent_note == (
        "billed, 100 priced requests; not billed: $30.00 API-equivalent, 50 priced requests; 41 without a known price"
    )
    assert said.tax_note == (
        "20.0% of billed spend; 90% interval $1.00 to $3.00; not billed: $6.00, 20.0% of the API-equivalent"
    )
    assert said.rate_note.startswith("billed a month (")


def test_what_could_be_judged_of_the_billed_part_is_said_beside_the_whole() -> None:
    billing = build.billing()
    assert billing.billed is not None
    billed = msgspec.structs.replace(billing.billed, covered_share=0.25)
    said = verdict(msgspec.structs.replace(build.rich(2), billing=msgspec.structs.replace(billing, billed=billed)))
    assert said.covered_note == "of spend at API prices could be judged and routed, 25.0% of what is billed"
    assert verdict(build.rich(2)).covered_note == "of spend could be judged and routed"


def with_nothing_judged(name: str) -> Document:
    """A document of which nothing of one part could be judged and routed."""
    billing = build.billing()
    part = msgspec.structs.replace(
        getattr(billing, name), policy_cost=None, flagship_tax=None, share=None, covered_share=0.0
    )
    return msgspec.structs.replace(build.rich(2), billing=msgspec.structs.replace(billing, **{name: part}))


def test_where_nothing_billed_could_be_judged_its_tax_is_unknown() -> None:
    shown = with_nothing_judged("billed")
    said = verdict(shown)
    assert said.headline.startswith(
        "None of $10.00 billed could be judged and routed, so its flagship tax is not known. Beside it, $30.00 is"
    )
    assert said.tax == UNKNOWN
    assert said.tax_note.startswith("no billed request could be judged and routed; not billed: $6.00, 20.0%")
    metrics = render(shown, "openmetrics").decode()
    assert 'flagship_tax_by_billing_usd{dollars="api_equivalent"} 6.00' in metrics
    assert 'flagship_tax_by_billing_usd{dollars="billed"}' not in metrics


def test_where_nothing_else_could_be_judged_it_is_said_beside_what_is_billed() -> None:
    said = verdict(with_nothing_judged("api_equivalent"))
    assert said.headline.endswith("was not billed: none of it could be judged and routed.")
    assert said.tax_note.endswith("not billed: a tax that is not known")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("billed", (UNKNOWN, "not billed: $30.00 API-eq")),
        ("api_equivalent", ("$10.00", "not billed: unknown API-eq")),
    ],
)
def test_what_has_no_price_is_no_spend_of_zero(name: str, shown: tuple[str, str]) -> None:
    made = with_nothing_judged(name)
    part = msgspec.structs.replace(getattr(made.billing, name), priced_requests=0, cost=None)
    audit = msgspec.structs.replace(made, billing=msgspec.structs.replace(made.billing, **{name: part}))
    said = verdict(audit)
    assert said.spent == shown[0]
    assert shown[1] in said.spent_note
    book = openpyxl.load_workbook(io.BytesIO(render(audit, "xlsx")))
    cell = {"billed": "Spent", "api_equivalent": "ApiEquivalent"}[name]
    sheet, place = next(iter(book.defined_names[cell].destinations))
    assert book[sheet][place].value is None


def test_a_tax_is_known_alike_in_the_headline_and_in_the_run_rate() -> None:
    """Of what is all billed, so little could be judged that its share rounds to zero; it keeps its model."""
    rich, billing = build.rich(2), build.billing(equivalent=False)
    assert billing.billed is not None
    none = {"amount": "0.00", "share": 0.0}
    tax = msgspec.structs.replace(rich.flagship_tax, covered_share=0.0, moved_requests=0)
    tax = msgspec.structs.replace(tax, expected=msgspec.structs.replace(tax.expected, **none, low="0.00", high="0.00"))
    part = msgspec.structs.replace(billing.billed, covered_share=0.0, flagship_tax="0.00", share=0.0)
    known = msgspec.structs.replace(rich, flagship_tax=tax, billing=msgspec.structs.replace(billing, billed=part))
    unknown = earlier(known)
    assert (known.knows_headline_tax, unknown.knows_headline_tax) == (True, False)
    assert (verdict(known).tax, verdict(unknown).tax) == ("$0", UNKNOWN)
    assert ("flagship tax" in verdict(known).rate_note, "flagship tax" in verdict(unknown).rate_note) == (True, False)


@pytest.mark.parametrize(("parts", "kind"), [({"equivalent": False}, "billed"), ({"billed": False}, "API-equivalent")])
def test_with_one_kind_of_dollars_the_headline_names_it(parts: dict[str, bool], kind: str) -> None:
    shown = document(**parts)
    said, plain = verdict(shown), verdict(build.rich(2))
    assert said.headline == plain.headline.replace(f"of {plain.spent} was", f"of {plain.spent} {kind} was")
    assert kind in said.headline
    assert said.spent_note == f"{kind}, {plain.spent_note}"
    assert (said.spent, said.tax, said.tax_note) == (plain.spent, plain.tax, plain.tax_note)


def test_nothing_declared_changes_no_sentence() -> None:
    undeclared = msgspec.structs.replace(build.billing(equivalent=False), declared=False)
    assert verdict(msgspec.structs.replace(build.rich(2), billing=undeclared)) == verdict(build.rich(2))


def test_no_figure_adds_the_two() -> None:
    for name in ("markdown", "slack", "html"):
        text = re.sub(r"<[^>]*>", "", render(document(), name).decode())
        assert "$10.00 billed" in text
        assert "$30.00" in text
        assert not re.search(r"\$40\.00|\$8\.00 (of|billed)", text)
    assert not any(column.sums for column in by_basis(document()).columns if column.title != "Requests")


def test_the_table_shows_the_leverage_of_a_plan() -> None:
    full = by_basis(document())
    assert [column.title for column in full.columns][-2:] == ["Plan cost", "Leverage"]
    assert [row[:4] + row[-2:] for row in full.rows] == [
        ("pay as you go", "", "billed", 104, "", ""),
        ("subscription", "format=claude-code", "API-equivalent", 50, "10.00", "3.00 to 1"),
    ]
    for name in ("markdown", "html"):
        assert "By billing basis" in render(document(), name).decode()
    assert not by_basis(build.rich(2)).rows


def test_named_cells_of_the_workbook_hold_the_billed_figures() -> None:
    book = openpyxl.load_workbook(io.BytesIO(render(document(), "xlsx")))
    cells = {
        name: book["Summary"][place.attr_text.split("!")[1].replace("$", "")].value
        for name, place in book.defined_names.items()
    }
    assert {name: cells[name] for name in ("Spent", "FlagshipTax", "FlagshipTaxLow", "PolicyCost")} == {
        "Spent": 10, "FlagshipTax": 2, "FlagshipTaxLow": 1, "PolicyCost": 8,
    }  # fmt: skip
    assert (cells["ApiEquivalent"], cells["ApiEquivalentTax"]) == (30, 6)


@pytest.mark.parametrize("name", ["focus", "focus-1.0"])
def test_focus_has_no_effective_cost_of_what_is_not_billed(name: str) -> None:
    basis = pl.when(pl.col("provider") == "anthropic").then(pl.lit("subscription")).otherwise(pl.lit("own_key"))
    requests = frames(CALLS).requests.with_columns(billing_basis=basis)
    rows = list(csv.DictReader(io.StringIO(render(document(), name, frames=Frames(make=lambda: requests)).decode())))
    assert {row["x_BillingBasis"] for row in rows} == {"subscription", "own_key"}
    for row in rows:
        contracted, zero = row["ContractedCost"], "0.00"
        planned = row["x_BillingBasis"] == "subscription"
        assert (row["BilledCost"], row["EffectiveCost"]) == ((zero, zero) if planned else (contracted, contracted))
        assert row["x_ApiEquivalentCost"] == (contracted if planned else zero)
    costs = {call.model: Decimal(0) for call in CALLS}
    for call in CALLS:
        costs[call.model] += Decimal(call.cost) / 10**12
    billed = sum(cost for model, cost in costs.items() if not model.startswith("claude"))
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == billed


def test_metrics_tell_the_two_apart() -> None:
    text = render(document(), "openmetrics").decode()
    assert 'llm_audit_cost_by_billing_usd{dollars="billed"} 10.00' in text
    assert 'llm_audit_flagship_tax_by_billing_usd{dollars="api_equivalent"} 6.00' in text
    assert "by_billing" not in render(build.rich(2), "openmetrics").decode()
