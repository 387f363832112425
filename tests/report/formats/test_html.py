import base64
import hashlib
import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import msgspec
import pytest
from markupsafe import Markup
from tests.report import build, pages
from tests.report.golden import assert_golden

from llm_audit.document.audit import Document
from llm_audit.report import rounding, table
from llm_audit.report.charts import routing as charts
from llm_audit.report.charts import spend as spend_charts
from llm_audit.report.charts.svg import PALETTE
from llm_audit.report.definitions import Definitions
from llm_audit.report.formats.html import sentence
from llm_audit.report.registry import render
from llm_audit.report.table import Column
from llm_audit.report.text import money
from llm_audit.report.verdict import verdict

SECTIONS = (
    "verdict", "variance", "daily", "model-mix", "groups", "findings", "sensitivity", "traces", "observed", "tokens",
    "coverage", "quality", "method", "prices", "policy", "inputs", "reproduce",
)  # fmt: skip
CHARTS = ("estimates", "waterfall", "daily", "models", "mix", "teams", "flow", "frontier", "tornado")


@pytest.fixture(scope="module")
def page() -> str:
    return pages.page()


def test_rejected_records_are_the_first_of_the_notices(page: str) -> None:
    notices = page.partition('<div class="warnings"')[2].partition("</div>")[0]
    first = re.findall(r"<li>(.*?)</li>", notices, re.DOTALL)[0]
    assert first.startswith("17 records were rejected: ")


def test_every_section_is_there_in_the_order_of_reading(page: str) -> None:
    assert tuple(re.findall(r'<section id="([^"]+)"', page)) == SECTIONS


def test_a_section_with_nothing_to_show_is_left_out() -> None:
    page = render(build.sparse(), "html").decode()
    assert not {"variance", "daily", "model-mix", "findings", "traces", "observed"} & set(
        re.findall(r'<section id="([^"]+)"', page)
    )
    assert "No request has a known price" in page
    assert_golden("sparse.html", page.encode())


def test_each_chart_has_a_message_a_description_and_a_table_beside_it(page: str) -> None:
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) == len(CHARTS)
    for key, figure in zip(CHARTS, figures, strict=True):
        svg = ET.fromstring(re.search(r"<svg.*?</svg>", figure, re.DOTALL)[0])  # type: ignore[index]
        names = {child.get("id"): child.text for child in svg if child.tag.endswith(("title", "desc"))}
        assert svg.get("role") == "img"
        assert svg.get("aria-labelledby") == f"{key}-title {key}-desc"
        assert all(names[f"{key}-{part}"] for part in ("title", "desc"))
        assert "<details" in figure
        assert "<table" in figure


def test_ids_are_used_once(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_charts_use_only_colours_that_the_style_sheet_turns_dark(page: str) -> None:
    known = {light for light, _ in PALETTE.values()} | {"none", "transparent"}
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert set(re.findall(r'\b(?:fill|stroke)="([^"]*)"', svg)) <= known


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_that_wcag_asks_for(shade: int) -> None:
    ground = PALETTE["ground"][shade]
    assert all(contrast(PALETTE[name][shade], ground) >= 4.5 for name in ("ink", "muted", "accent"))
    assert all(contrast(PALETTE[name][shade], ground) >= 3 for name in ("frontier", "mid", "small"))


def test_the_policy_allows_this_style_sheet_and_nothing_else(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    assert " style=" not in page
    assert "<script" not in page


def test_rounded_amounts_tell_the_exact_one(page: str) -> None:
    document = build.rich(pages.DAYS)
    for amount in (document.cost.actual, document.flagship_tax.expected.amount, document.routes[0].actual_cost):
        assert f'title="USD {amount}"' in page


def test_a_negative_tax_is_said_plainly() -> None:
    document = build.rich(3)
    expected = msgspec.structs.replace(document.flagship_tax.expected, amount="-4.00", low="-6.00", high="-2.50")
    tax = msgspec.structs.replace(document.flagship_tax, expected=expected)
    said = verdict(msgspec.structs.replace(document, flagship_tax=tax))
    assert "The policy would have cost an estimated $4.00 more" in said.headline
    assert "There is no flagship tax" in said.headline
    assert "interval \u2212$6.00 to \u2212$2.50" in said.tax_note


@pytest.mark.parametrize(
    ("actual", "tax", "low", "high", "said"),
    [
        ("25.394", "15.416", "14.1", "16", "$15.42 of $25.39 was flagship tax ($14.10 to $16.00)|cost $9.97"),
        ("1234.567", "0.4549", "0.4", "0.5", "$0.45 of $1,234.57 was flagship tax ($0.40 to $0.50)|cost $1,234.12"),
        ("3000.4", "1000.4", "900", "2000", "$1,000 of $3,000 was flagship tax ($900.00 to $2,000)|cost $2,000"),
        (
            "0.0127",
            "0.00127",
            "0.001",
            "0.002",
            "$0.0013 of $0.0127 was flagship tax ($0.0010 to $0.0020)|cost $0.0114",
        ),
    ],
)
def test_the_headline_is_an_estimate_with_its_range_and_adds_up(
    actual: str, tax: str, low: str, high: str, said: str
) -> None:
    document = build.rich(3)
    expected = msgspec.structs.replace(document.flagship_tax.expected, amount=tax, low=low, high=high)
    changed = msgspec.structs.replace(
        document,
        cost=msgspec.structs.replace(document.cost, actual=actual),
        flagship_tax=msgspec.structs.replace(document.flagship_tax, expected=expected),
    )
    estimate, _, policy = said.partition("|")
    assert verdict(changed).headline == f"An estimated {estimate}: the small-by-default policy would have {policy}."


def test_an_interval_over_zero_is_in_the_headline() -> None:
    document = build.rich(3)
    expected = msgspec.structs.replace(document.flagship_tax.expected, low="-0.50")
    tax = msgspec.structs.replace(document.flagship_tax, expected=expected)
    assert "The interval includes zero." in verdict(msgspec.structs.replace(document, flagship_tax=tax)).headline


def huge() -> Document:
    """Five years, and ten thousand of everything that a log can name."""
    document = build.rich(7)
    dates = [(date(2021, 1, 1) + timedelta(days=i)).isoformat() for i in range(1800)]
    many: dict[str, list] = {
        "daily": [msgspec.structs.replace(document.daily[i % 7], date=day) for i, day in enumerate(dates)],
        "model_mix_daily": [
            msgspec.structs.replace(row, date=day) for row in document.model_mix_daily for day in dates
        ],
    }
    for field in ("model_mix", "routes", "findings", "spend", "unpriced_models", "price_rows", "inputs", "quality"):
        rows = getattr(document, field)
        many[field] = [rows[i % len(rows)] for i in range(10_000)]
    team = document.groups["team"][0]
    names = [msgspec.structs.replace(team, name=f"team {i}") for i in range(10_000)]
    return msgspec.structs.replace(document, **many, groups={"team": names, "app": names}, warnings=["x" * 900] * 5000)


def test_a_huge_audit_is_still_a_page_under_a_megabyte() -> None:
    page = render(huge(), "html")
    assert len(page) < 1_000_000
    assert b"and 9,960 more" in page


def test_what_a_sentence_marks_as_code_is_code_and_nothing_in_it_is_markup() -> None:
    assert sentence("run `llm-audit sample`") == "run <code>llm-audit sample</code>"
    assert sentence("`<b>&` and `") == "<code>&lt;b&gt;&amp;</code> and `"
    document = build.rich(3)
    finding = msgspec.structs.replace(document.findings[0], action="Run `llm-audit sample <x>` first.")
    changed = msgspec.structs.replace(document, findings=[finding])
    assert "Run <code>llm-audit sample &lt;x&gt;</code> first." in render(changed, "html").decode()
    assert "Run `llm-audit sample <x>` first" in render(changed, "markdown").decode()
    assert 'Run \\"llm-audit sample <x>\\" first.' in render(changed, "sarif").decode()


def test_what_is_not_printed_is_named_where_it_would_be(page: str) -> None:
    rows = len(build.rich(pages.DAYS).model_mix_daily)
    printed = re.findall(r'<p class="printed">([^<]*)</p>', page)
    assert any(f"Model mix by day ({rows})" in line for line in printed)
    assert any("Price rows used (8)" in line for line in printed), "a whole section"
    assert all(line.startswith(("On screen and in the workbook only: ", "Printed are the first ")) for line in printed)


def test_a_term_is_linked_to_its_definition_where_it_is_first_used(page: str) -> None:
    links = re.findall(r'<a class="term" href="#(term-[^"]+)" title="[^"]+">([^<]+)</a>', page)
    assert len({target for target, _ in links}) == len(links)
    assert {"term-flagship-tax", "term-p-suffices", "term-herfindahl-index", "term-gate"} <= {t for t, _ in links}
    assert '<dt id="term-bfcl">BFCL</dt>' in page
    linked = Definitions().link(Markup("run <code>gate</code> & the gates of a <b>tier</b>, tiers: gate"))
    assert linked.count("term-gate") == linked.count("term-tier") == 1
    assert "<code>gate</code>" in linked
    assert ">gates</a>" in linked


def test_every_chart_fits_a_telephone(page: str) -> None:
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    for key, figure in zip(CHARTS, figures, strict=True):
        _, narrow = re.findall(r'<svg[^>]*viewBox="0 0 ([\d.]+) ', figure)
        assert float(narrow) <= 375, key


def test_amounts_add_up_as_shown_or_the_difference_is_explained() -> None:
    document = build.rich(3)
    spent = document.cost.actual
    columns = ("Cost", "Policy cost", "Flagship tax")
    rows = [("a", "1.004", "0.336", "0.668"), ("b", "2.004", "1.0", "1.004")]
    made = table.table("t", "T", (Column("Name"), *map(table.money, columns)), rows)
    balanced = rounding.balanced(made, spent=spent)
    assert balanced.rows[0][1:] == ("1.004", "0.33", "0.668"), "1.00 less 0.67"
    assert rounding.note(balanced, ("total", "3.008", "1.34", "1.672"), currency="USD").startswith(
        "Each amount is rounded on its own, so amounts as shown differ from their sums by up to $0.010"
    )
    assert rounding.note(balanced, ("total", "3.00", "1.33", "1.67"), currency="USD") == ""


def test_a_model_of_two_providers_is_named_with_its_provider() -> None:
    document = build.rich(3)
    again = msgspec.structs.replace(document.model_mix[0], provider="aws")
    changed = msgspec.structs.replace(document, model_mix=[again, *document.model_mix])
    drawn = spend_charts.models(changed)
    assert drawn is not None
    assert f">{again.model} (aws)<" in drawn.svg
    assert f">{again.model} ({document.model_mix[0].provider})<" in drawn.svg
    page = render(changed, "html").decode()
    assert f"Added up over several providers: {again.model}." in page


def test_the_chart_of_the_verdict_fits_a_telephone_with_all_three_estimates() -> None:
    document = build.rich(3)
    tax = document.flagship_tax
    drawn = charts.estimates(document)
    assert drawn is not None
    assert float(re.findall(r'viewBox="0 0 ([\d.]+) ', drawn.narrow)[0]) <= 400 - 2 * 16 - 2 * 8
    for estimate in (tax.floor, tax.expected, tax.ceiling):
        assert f">{money(estimate.amount)}<" in drawn.narrow
