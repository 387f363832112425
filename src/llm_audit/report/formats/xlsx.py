"""The report as a workbook: contents, a summary with named cells, and at most twelve sheets of tables with charts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult
from llm_audit.report import table
from llm_audit.report.charts.svg import LIGHT
from llm_audit.report.interface import Frames, Options
from llm_audit.report.spreadsheet.workbook import ROWS, Fact, Placed, Workbook
from llm_audit.report.table import Column, ColumnKind, Table
from llm_audit.report.tables import check as check_tables
from llm_audit.report.tables import everything
from llm_audit.report.text import plain
from llm_audit.report.verdict import verdict
from llm_audit.vocabulary import TIERS

_SHEETS = {
    "Invoice": ("tie_out", "not_invoiced", "invoice_left_out"),
    "Findings": ("findings", "actions", "waste"),
    "Days": ("daily",),
    "Models": ("model_mix", "tiers", "weekly_mix", "concentration", "tokens", "unpriced"),
    "Models by day": ("daily_mix",),
    "Policy": ("estimates", "interval", "answers", "unmeasured", "frontier", "tornado", "policy"),
    "Routes": (
        "routes", "coverage", "gates", "stakes", "break_even", "trace_routing", "traces", "observed_pairs",
        "observed_routers",
    ),
}  # fmt: skip
"""Tables by their key on the sheets that have them; groups and all other tables follow on sheets of their own."""
_BARS = 10
_DARK = LIGHT["frontier"]
_COLUMN, _BAR, _STACKED, _LINE = (
    {"type": "column"}, {"type": "bar"}, {"type": "column", "subtype": "stacked"}, {"type": "line"},
)  # fmt: skip


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render a workbook. No text from a log becomes a formula or a link; formulas are column totals only."""
    buffer = io.BytesIO()
    settings = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, settings) as book:
        comments = plain(document.command, limit=250)
        book.set_properties({"title": "LLM spend audit", "comments": comments, "created": _made(document)})
        _write(document, options.check if options else None, Workbook(book))
    return buffer.getvalue()


def _write(document: Document, check: CheckResult | None, book: Workbook) -> None:
    sheets = dict(_sheets(document, check))
    book.start("Contents")
    book.title("LLM spend audit")
    facts = list(_facts(document))
    summary = table.table("summary", "Summary, with named cells", (Column("Figure"),), ((f.title,) for f in facts))
    book.contents([("Summary", [summary]), *sheets.items()])
    book.start("Summary")
    book.facts(facts)
    for name, tables in sheets.items():
        book.start(name)
        for full in tables:
            _draw(book, book.add(table.cap(full, ROWS)))


def _made(document: Document) -> datetime:
    """Return the time of the last request and not of the clock, so that the same audit gives the same bytes."""
    end = document.period.end
    return (datetime.fromisoformat(end) if end else datetime(2000, 1, 1, tzinfo=UTC)).replace(
        tzinfo=None, microsecond=0
    )


def _sheets(document: Document, check: CheckResult | None) -> Iterator[tuple[str, list[Table]]]:
    """Yield each sheet with its tables, without those that have no row."""
    if check is not None and (compared := [full for full in check_tables.everything(check) if full.rows]):
        yield "Gates", compared
    filled = {full.key: full for full in everything(document) if full.rows}
    for name, keys in _SHEETS.items():
        if found := [filled.pop(key) for key in keys if key in filled]:
            yield name, found
    groups = [filled.pop(key) for key in [*filled] if key == "spend" or key.startswith(("by_", "top_"))]
    for name, rest in (("Groups", groups), ("Data", [*filled.values()])):
        if rest:
            yield name, rest


def _facts(document: Document) -> Iterator[Fact]:
    """Yield the summary: figures with names that other workbooks can link to, then sentences."""
    said, tax, cost = verdict(document), document.flagship_tax, document.cost
    money, count, parts = ColumnKind.MONEY, ColumnKind.COUNT, document.apart
    expected = (parts[0].expected if parts else None) or tax.expected
    priced = cost.priced_requests > 0

    def amount(title: str, value: str | None, name: str, note: str = "") -> Fact:
        return Fact(title=title, value=value if priced else None, kind=money, name=name, note=note)

    yield Fact(title="Verdict", value=said.headline)
    yield Fact(title="Period", value=said.period)
    yield Fact(title="Currency", value=document.currency, kind=ColumnKind.TEXT, name="Currency")
    if said.sampling:
        rate_of = document.sampling_rate
        yield Fact(title="Sampling rate", value=rate_of, kind=ColumnKind.SHARE, name="SamplingRate", note=said.sampling)
    yield amount("Spent", said.spent_amount, "Spent", said.spent_note)
    yield amount("Flagship tax, expected", said.tax_amount, "FlagshipTax", said.tax_note)
    yield amount("Flagship tax, low", expected.low, "FlagshipTaxLow", f"{expected.confidence:.0%} interval")
    yield amount("Flagship tax, high", expected.high, "FlagshipTaxHigh", f"{expected.confidence:.0%} interval")
    yield amount("Policy cost, expected", expected.policy_cost, "PolicyCost", f"policy {plain(document.policy.name)}")
    yield amount("Floor of the flagship tax", tax.floor.amount, "FlagshipTaxFloor", said.floor_note)
    yield amount("Ceiling of the flagship tax", tax.ceiling.amount, "FlagshipTaxCeiling")
    if parts is not None:
        yield amount("API-equivalent, not billed", parts[1].cost, "ApiEquivalent")
        yield amount("Flagship tax of the API-equivalent", parts[1].flagship_tax, "ApiEquivalentTax")
    rate = document.run_rate
    if rate is not None and rate.monthly is not None and rate.annual is not None:
        monthly, _, _ = said.rate_note.partition("; ")
        yield amount("Spend a month, at the log's rhythm", rate.monthly.amount, "MonthlyRunRate", monthly)
        yield amount("Spend a year, at the log's rhythm", rate.annual.amount, "AnnualRunRate", said.rate_more)
        yield amount("Flagship tax a month", rate.tax_monthly, "FlagshipTaxMonthly")
    share = tax.covered_share if priced else None
    yield Fact(title="Covered", value=share, kind=ColumnKind.SHARE, name="CoveredShare", note=said.covered_note)
    audited = document.requests.audited
    yield Fact(title="Requests audited", value=audited, kind=count, name="Requests", note=said.audited_note)
    yield Fact(title="Requests without a price", value=cost.unpriced_requests, kind=count, name="UnpricedRequests")
    yield Fact(title="Requests moved", value=tax.moved_requests, kind=count, name="MovedRequests")
    if tax.quality is not None:
        lost = tax.quality.lost_per_1000
        yield Fact(
            title="Answers lost in 1,000 moved", value=lost, kind=ColumnKind.SCORE, name="LostAnswersPer1000",
            note=said.quality,
        )  # fmt: skip
    sentences = (
        ("Preference", said.preference),
        ("Not included", said.unmeasured),
        ("Stakes", said.stakes),
        *(("Warning", warning) for warning in said.warnings),
    )
    for title, sentence in sentences:
        if sentence:
            yield Fact(title=title, value=sentence)
    yield Fact(title="Command", value=document.command)


def _draw(book: Workbook, place: Placed) -> None:
    """Add the chart of a table, if it has one."""
    match place.table.key:
        case "daily":
            under = book.chart(
                _STACKED,
                (series for tier in TIERS for series in _series(place, tier.capitalize(), colour=LIGHT[tier])),
                title="Cost by day and tier, and the policy's cost",
                place=place,
            )
            book.overlay(under, _LINE, _series(place, "Policy cost", colour=LIGHT["accent"]))
        case "model_mix":
            chart = book.chart(_BAR, _series(place, "Cost", rows=_BARS), title="Cost by model", place=place)
            chart.set_y_axis({"reverse": True})
            chart.set_legend({"none": True})
        case "by_team" | "by_app":
            series = [*_series(place, "Cost", rows=_BARS), *_series(place, "Policy cost", _BARS, LIGHT["accent"])]
            book.chart(_COLUMN, series, title=f"{place.table.title}: cost and the policy's cost", place=place)
        case "tie_out":
            series = [*_series(place, "Invoiced"), *_series(place, "Computed", colour=LIGHT["small"])]
            book.chart(_COLUMN, series, title="Invoiced and computed cost", place=place)
        case _:
            pass


def _series(
    place: Placed, title: str, rows: int | None = None, colour: str = LIGHT["frontier"]
) -> Iterator[dict[str, Any]]:
    """Yield the series of a column, with the first column's names; none where the table lacks it."""
    column = place.column(title)
    if column is not None:
        paint = {"color": colour}
        yield {
            "name": title,
            "categories": place.cells(0, rows),
            "values": place.cells(column, rows),
            "fill": paint,
            "line": paint | {"width": 2},
        }
