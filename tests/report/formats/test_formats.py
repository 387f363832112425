"""Each format on a whole audit: what was last looked at, and that its figures are the document's."""

import csv
import io
import json
import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import msgspec
import openpyxl
import polars as pl
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.pictures import drawn
from tests.report import build, compared, hostile
from tests.report.frames import frames
from tests.report.golden import assert_golden

from llm_audit.document import audit as d
from llm_audit.document.audit import Document, decode
from llm_audit.document.comparison import InconclusiveIs
from llm_audit.errors import UsageError
from llm_audit.report.formats.focus import COLUMNS, COLUMNS_1_0
from llm_audit.report.interface import Frames, Options
from llm_audit.report.registry import RENDERERS, by_suffix, render
from llm_audit.report.tables import everything

CALLS = build.calls(2)


@pytest.fixture(scope="module")
def document() -> Document:
    return build.rich()


def rendered(document: Document, name: str) -> bytes:
    return render(document, name, frames=frames(CALLS), options=Options(check=compared.check()))


@pytest.mark.parametrize("name", ["markdown", "github", "junit", "sarif", "openmetrics", "groups-csv"])
def test_text_formats_are_as_last_looked_at(document: Document, name: str) -> None:
    suffix = (RENDERERS[name].suffixes or (".txt",))[0]
    assert_golden(f"{name}{suffix}", rendered(document, name))


@pytest.mark.parametrize("name", ["csv", "focus", "focus-1.0"])
def test_rows_are_as_last_looked_at(document: Document, name: str) -> None:
    assert_golden(f"{name}.csv", render(document, name, frames=frames(CALLS[:6])))


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_rendering_again_gives_the_same_bytes(name: str) -> None:
    first = rendered(build.rich(2), name)
    if name == "html":  # the others have no charts, or the same ones
        drawn.cache_clear()
    assert rendered(build.rich(2), name) == first


def test_json_reads_back(document: Document) -> None:
    assert decode(rendered(document, "json")) == document


def test_suffixes_name_their_format() -> None:
    assert by_suffix("a/report.HTML").name == "html"
    assert by_suffix("x.focus.csv").name == "focus"
    assert by_suffix("x.groups.csv").name == "groups-csv"
    assert by_suffix("x.csv").name == "csv"
    with pytest.raises(UsageError, match="suffix of x.doc"):
        by_suffix("x.doc")


def test_what_a_format_needs_is_asked_for(document: Document) -> None:
    with pytest.raises(UsageError, match="row per request"):
        render(document, "csv")
    with pytest.raises(UsageError, match="shows gates"):
        render(document, "junit")
    with pytest.raises(UsageError, match="no report format 'pdf'"):
        render(document, "pdf")


def test_csv_sums_to_the_cost_exactly_and_leaves_the_unknown_empty(document: Document) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(document, "csv").decode())))
    assert len(rows) == len(CALLS) + 1
    assert sum(Decimal(row["cost_usd"] or 0) for row in rows) * 10**12 == sum(call.cost for call in CALLS)
    assert [row["cost_usd"] for row in rows if row["model"] == "acme-ft-7b"] == [""]
    assert {len(row["request_key"]) for row in rows} == {16}


def test_parquet_reads_back_the_rows(document: Document) -> None:
    read = pl.read_parquet(rendered(document, "parquet"))
    assert read["cost_pico"].sum() == sum(call.cost for call in CALLS)
    assert read.height == len(CALLS) + 1


def test_groups_parquet_holds_exact_amounts(document: Document) -> None:
    read = pl.read_parquet(rendered(document, "groups-parquet")).filter(pl.col("dimension") == "team")
    assert read["cost"].sum() == Decimal(document.cost.actual)


@pytest.mark.parametrize(("name", "columns"), [("focus", COLUMNS), ("focus-1.0", COLUMNS_1_0)])
def test_focus_rows_are_complete_and_add_up(document: Document, name: str, columns: tuple[str, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(document, name).decode())))
    assert tuple(rows[0]) == columns
    assert sum(Decimal(row["BilledCost"]) for row in rows) * 10**12 == sum(call.cost for call in CALLS)
    assert sum(Decimal(row["x_PolicyCost"]) for row in rows) * 10**12 == sum(call.policy for call in CALLS)
    tokens = sum(Decimal(row["ConsumedQuantity"]) for row in rows)
    assert tokens == sum(call.tokens for call in CALLS)
    for row in rows:
        assert Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ListCost"])
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert "policy" not in "".join(name.lower() for name in row if not name.startswith("x_"))
    assert all(row["x_TokenType"] in {"input", "cache_read", "output"} for row in rows)


def test_focus_tells_list_cost_from_contracted_cost(document: Document) -> None:
    """One provider gives half off, apart from output, which it does not list; the others charge list prices."""
    requests = frames(CALLS).requests
    factor = pl.when(pl.col("provider") == "openai").then(2).otherwise(1)
    listed = [(pl.col(name) * factor).alias(f"list_{name}") for name in requests.columns if name.startswith("cost_")]
    made = Frames(make=lambda: requests.with_columns(listed).with_columns(list_cost_output_pico=pl.lit(None)))
    rows = list(csv.DictReader(io.StringIO(render(document, "focus", frames=made).decode())))
    for row in rows:
        times = 2 if row["ProviderName"] == "openai" and row["x_TokenType"] != "output" else 1
        assert Decimal(row["ListCost"]) == Decimal(row["ContractedCost"]) * times
        assert row["EffectiveCost"] == row["BilledCost"] == row["ContractedCost"]
    assert {row["ProviderName"] for row in rows} >= {"openai", "anthropic"}


def test_focus_names_model_direction_and_cache_action_as_properties_of_the_price(document: Document) -> None:
    written = msgspec.structs.replace(document.price_rows[0], rates={"cache_write_5m": "6.25"})  # claude-opus-4-5
    changed = msgspec.structs.replace(document, price_rows=[written, *document.price_rows[1:]])
    models = {"developer": pl.lit("Anthropic"), "family": pl.lit("claude"), "model_id": pl.col("model")}
    requests = frames(CALLS).requests.with_columns(**models)
    rows = csv.DictReader(io.StringIO(render(changed, "focus", frames=Frames(make=lambda: requests)).decode()))
    found = {(row["ResourceId"], row["x_TokenType"]): json.loads(row["SkuPriceDetails"]) for row in rows}
    identity = {
        "x_ModelDeveloper": "Anthropic", "x_ModelFamily": "claude", "x_ModelId": "claude-opus-4-5",
        "x_CatalogModelId": "claude-opus-4-5", "x_ServiceTier": "standard",
    }  # fmt: skip
    opus = {kind: found["claude-opus-4-5", kind] for kind in ("input", "cache_read", "output")}
    assert opus["input"] == identity | {"x_TokenDirection": "Input", "x_TokenCacheAction": "Uncached"}
    assert opus["cache_read"] == identity | {"x_TokenDirection": "Input", "x_TokenCacheAction": "Read"}
    assert opus["output"] == identity | {"x_TokenDirection": "Output"}
    assert "x_TokenCacheAction" not in found["gpt-5", "input"], "its meter of input counts cached tokens too"


def test_focus_needs_a_time() -> None:
    with pytest.raises(UsageError, match="no request has a time"):
        render(build.sparse(), "focus", frames=frames(CALLS))


def test_openmetrics_parses_and_states_the_mix(document: Document) -> None:
    families = list(text_string_to_metric_families(rendered(document, "openmetrics").decode()))
    assert all(family.type == "gauge" for family in families)
    values = {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}
    assert values["llm_audit_flagship_tax_usd", ("estimate", "expected")] == pytest.approx(51.03458887)
    assert values["llm_audit_unpriced_requests_ratio",] == pytest.approx(41 / 5749)
    tiers = [value for key, value in values.items() if key[0] == "llm_audit_tier_cost_ratio"]
    assert sum(tiers) == pytest.approx(1)


def test_openmetrics_states_answers_lost_and_leaves_them_out_where_nothing_moves(document: Document) -> None:
    written = render(document, "openmetrics").decode()
    assert "llm_audit_lost_answers_per_1000 22.277\n" in written
    assert 'llm_audit_lost_answers_per_1000_interval{bound="high"} 48.5\n' in written
    assert "llm_audit_unmeasured_saving_usd 6.20\n" in written
    tax = msgspec.structs.replace(document.flagship_tax, quality=None, unmeasured=None)
    written = render(msgspec.structs.replace(document, flagship_tax=tax), "openmetrics").decode()
    assert "lost_answers" not in written
    assert "unmeasured" not in written


def test_openmetrics_caps_its_series_and_keeps_the_sum(document: Document) -> None:
    many = [msgspec.structs.replace(document.model_mix[0], model=f"m{i}", request_share=0.001) for i in range(1000)]
    wide = msgspec.structs.replace(document, model_mix=many)
    data = render(wide, "openmetrics", options=Options(max_series=40)).decode()
    families = {f.name: f for f in text_string_to_metric_families(data)}
    shares = families["llm_audit_model_requests_ratio"].samples
    assert len(shares) == 10
    assert shares[-1].labels["model"] == "other"
    assert sum(sample.value for sample in shares) == pytest.approx(1)


def test_junit_counts_what_it_holds(document: Document) -> None:
    suite = ET.fromstring(rendered(document, "junit")).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")
    assert len(suite.findall("testcase/failure")) == 1
    assert len(suite.findall("testcase/skipped")) == 2


def test_sarif_is_anchored_where_the_rule_is_written(document: Document) -> None:
    log = json.loads(rendered(document, "sarif"))
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= known
    first = run["results"][0]
    assert first["level"] == "error"
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "llm-audit.toml"}, "region": {"startLine": 7}}


def test_a_rule_of_the_command_line_is_not_located_in_a_file(document: Document) -> None:
    run = json.loads(rendered(document, "sarif"))["runs"][0]
    assert not any("tokens_per_request" in result["message"]["text"] for result in run["results"])
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["associatedRule"] == {"id": "gate-inconclusive"}
    assert notification["level"] == "warning"
    annotated = rendered(document, "github").decode().splitlines()
    (line,) = [line for line in annotated if "tokens_per_request" in line]
    assert line.startswith("::warning title=tokens_per_request%3A+10%25 inconclusive::")


@pytest.mark.parametrize(
    ("counts_as", "level", "failures"),
    [
        (InconclusiveIs.PASSED, "notice", "1"),
        (InconclusiveIs.WARNING, "warning", "1"),
        (InconclusiveIs.FAILURE, "error", "2"),
    ],
)
def test_an_inconclusive_rule_is_annotated_as_what_it_counts_as(
    document: Document, counts_as: InconclusiveIs, level: str, failures: str
) -> None:
    options = Options(check=msgspec.structs.replace(compared.check(), inconclusive_is=counts_as))
    assert f"::{level} title=tokens_per_request" in render(document, "github", options=options).decode()
    suite = ET.fromstring(render(document, "junit", options=options)).find("testsuite")
    assert suite is not None
    assert suite.get("failures") == failures


def test_markdown_is_short_first_and_fits_a_comment(document: Document) -> None:
    text = rendered(document, "markdown").decode()
    assert text.startswith("### llm-audit: 1 of 4 gates failed, 1 inconclusive, 1 not evaluated\n")
    assert len(text) < 65_536


def test_markdown_reads_as_plain_text(document: Document) -> None:
    text = rendered(document, "markdown").decode()
    assert not re.search(r"</?[a-zA-Z!]|&[a-z]+;", text)
    assert "\\" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) > 8
    for lines in tables:
        assert len({len(line) for line in lines}) == 1, "columns are aligned"
    assert sum(len(lines[0]) <= 80 for lines in tables) > len(tables) / 2


def test_markdown_of_a_huge_audit_still_fits(document: Document) -> None:
    long = hostile.renamed(document, lambda name: name + "|`<@x>" * 100)
    assert len(render(long, "markdown").decode()) < 65_536


def test_a_workbook_has_contents_and_at_most_twelve_sheets_with_every_table(document: Document) -> None:
    months = [d.InvoiceMonth(
        provider="openai", month="2026-09", requests=3, unpriced_requests=0, listed="3.00", discount="1.00",
        computed="2.00", stated=None, invoiced="2.50", uncovered="0.25", difference="0.25", reason="agrees",
    )]  # fmt: skip
    tied = msgspec.structs.replace(document, invoice=d.Invoice(files=["i.csv"], months=months, left_out=[]))
    book = openpyxl.load_workbook(io.BytesIO(rendered(tied, "xlsx")))
    assert book.sheetnames == [
        "Contents", "Summary", "Gates", "Invoice", "Findings", "Days", "Models", "Models by day", "Policy", "Routes",
        "Groups", "Data",
    ]  # fmt: skip
    written = {cell.value for sheet in book for cell in sheet["A"] if cell.value}
    listed = {cell.value for cell in book["Contents"]["B"][2:]}
    for full in everything(tied):
        assert not full.rows or full.title in written & listed, full.title
    links = [cell.hyperlink.location for row in book["Contents"].iter_rows() for cell in row if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    invoice = book["Invoice"]
    heads = [cell.value for cell in invoice[2]]
    row = {head: cell.value for head, cell in zip(heads, invoice[3], strict=True)}
    assert row["List"] - row["Discounts"] == row["Computed"] == 2
    assert row["Invoiced"] - row["On days not in the log"] - row["Computed"] == row["Difference"] == 0.25
    charts = {sheet.title: len(sheet._charts) for sheet in book if sheet._charts}
    assert charts == {"Invoice": 1, "Days": 1, "Models": 1, "Groups": 2}


def test_the_summary_of_a_workbook_has_numbers_in_named_cells(document: Document) -> None:
    book = openpyxl.load_workbook(io.BytesIO(rendered(document, "xlsx")))

    def value(name: str) -> object:
        ((sheet, cell),) = book.defined_names[name].destinations
        return book[sheet][cell].value

    expected = document.flagship_tax.expected
    assert value("Spent") == pytest.approx(float(document.cost.actual))
    assert value("FlagshipTax") == pytest.approx(float(expected.amount))
    assert value("PolicyCost") == pytest.approx(float(expected.policy_cost))
    assert (value("FlagshipTaxLow"), value("FlagshipTaxHigh")) == (float(expected.low), float(expected.high))
    assert value("Requests") == document.requests.audited
    assert value("Currency") == "USD"
    empty = openpyxl.load_workbook(io.BytesIO(render(build.sparse(), "xlsx")))
    assert empty["Summary"]["B4"].value is None, "what has no price is unknown, not zero"


def test_a_workbook_holds_numbers_filters_and_frozen_headings(document: Document) -> None:
    book = openpyxl.load_workbook(io.BytesIO(rendered(document, "xlsx")))
    sheet, rows = book["Models"], len(document.model_mix)
    assert sheet["A1"].value == "Model mix"
    heads = [cell.value for cell in sheet[2]]
    cost, requests = heads.index("Cost") + 1, heads.index("Requests") + 1
    assert sheet.freeze_panes == "B3"
    filters = [found.autoFilter.ref for found in sheet.tables.values()]
    assert filters[0] == f"A2:I{rows + 2}"
    assert len(filters) == 6
    assert isinstance(sheet.cell(3, cost).value, float)
    assert sheet.cell(3, cost).number_format.startswith("#,##0.00")
    assert sheet.cell(rows + 2, cost).value is None, "an unknown cost is an empty cell"
    assert sheet.cell(rows + 3, requests).value == f"=SUBTOTAL(109,D3:D{rows + 2})"


def test_totals_of_a_workbook_are_stored_beside_their_formulas(document: Document) -> None:
    book = openpyxl.load_workbook(io.BytesIO(rendered(document, "xlsx")), data_only=True)
    sheet = book["Groups"]
    start = next(cell.row for cell in sheet["A"] if cell.value == "By team")
    cost = [cell.value for cell in sheet[start + 1]].index("Cost") + 1
    total = sheet.cell(start + 2 + len(document.groups["team"]), cost).value
    assert total == pytest.approx(float(document.cost.actual))
