"""Nothing in a name executes, breaks a layout or is lost, in any format."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import openpyxl
import polars as pl
import pytest
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rich.console import Console
from tests.report import hostile

from llm_audit.document.audit import decode
from llm_audit.report.interface import Options
from llm_audit.report.registry import render
from llm_audit.report.terminal.check import print_check
from llm_audit.report.terminal.screen import print_report
from llm_audit.report.text import plain

OPTIONS = Options(check=hostile.check())
OFFSETS = (0, 11, 22)
TAGS = {
    "html", "head", "meta", "title", "link", "style", "body", "a", "header", "p", "b", "nav", "ul", "ol", "li", "main",
    "section", "h1", "h2", "dl", "div", "dt", "dd", "span", "small", "figure", "figcaption", "details", "summary",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "pre", "code", "footer", "svg", "g", "path",
    "line", "rect", "text", "desc", "tspan", "defs", "clippath", "circle",
}  # fmt: skip


class Page(HTMLParser):
    """What a page consists of: its tags, the attributes that could act, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.acting: list[tuple[str, str | None]] = []
        self.links: set[str | None] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.acting += [(name, value) for name, value in attrs if name.startswith("on") or name in {"src", "srcdoc"}]
        self.links |= {value for name, value in attrs if name in {"href", "xlink:href", "action"}}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("offset", OFFSETS)
def test_html_is_made_of_its_own_tags_only(offset: int) -> None:
    document = hostile.cycled(offset)
    page = Page()
    page.feed(render(document, "html", options=OPTIONS).decode())
    assert page.tags <= TAGS
    assert page.acting == []
    assert all(link == "data:," or str(link).startswith("#") for link in page.links)
    text = "".join(page.text)
    for model in document.model_mix:
        assert plain(model.model) in text


def test_long_names_do_not_make_a_report_long() -> None:
    document = hostile.long()
    assert len(render(document, "html")) < 1_000_000
    assert len(render(document, "markdown")) < 65_536
    assert len(render(document, "openmetrics")) < 1_000_000
    assert decode(render(document, "json")) == document


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_terminal_is_sent_no_control_character_and_no_markup(width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width)
    for offset in OFFSETS:
        print_report(hostile.cycled(offset), console, details=True)
    print_check(hostile.check(), console)
    shown = file.getvalue()
    assert all(char.isprintable() or char == "\n" for char in shown)
    if width > 40:
        assert "[bold red]" in shown
        assert "[/bold red]" in shown


def test_colours_come_from_the_report_only() -> None:
    file = io.StringIO()
    print_report(hostile.cycled(), Console(file=file, width=100, force_terminal=True, color_system="standard"))
    assert set(re.findall(r"\x1b(?!\[[0-9;]*m)", file.getvalue())) == set()
    assert "\x1b]" not in file.getvalue()


@pytest.mark.parametrize("offset", OFFSETS)
def test_markdown_has_no_link_image_or_markup_of_a_name(offset: int) -> None:
    text = render(hostile.cycled(offset), "markdown", options=OPTIONS).decode()
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    tokens = [token for block in blocks for token in (block, *(block.children or []))]
    kinds = {token.type for token in tokens}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "fence", "hr", "code_block"}
    spoken = "".join(token.content for token in tokens if token.type == "text")
    assert not re.search(r"@[A-Za-z]|#[0-9]", spoken), "a mention or a reference outside code"


def test_tables_in_markdown_keep_every_row() -> None:
    text = render(hostile.cycled(), "markdown", options=OPTIONS).decode()
    rows = [token for token in MarkdownIt("commonmark").enable("table").parse(text) if token.type == "tr_open"]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = [line for line in lines if re.fullmatch(r"[|: -]+", line)]
    assert len(rows) == len(lines) - len(rules)


@pytest.mark.parametrize("offset", OFFSETS)
def test_annotations_are_the_commands_meant(offset: int) -> None:
    document = hostile.cycled(offset)
    lines = render(document, "github", options=OPTIONS).decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == 3 + len(document.warnings) + 1
    for line in lines:
        assert re.match(r"::(error|warning|notice) (file=[^,:]*,(line=\d+,)?)?title=[^,:]*::", line)


@pytest.mark.parametrize("name", ["csv", "focus"])
def test_no_csv_cell_is_a_formula_and_every_name_is_there(name: str) -> None:
    text = render(hostile.cycled(), name, frames=hostile.rows()).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    cells = [cell for row in rows for cell in row.values() if cell]
    assert not [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell) and not re.fullmatch(r"-?[\d.]+", cell)]
    assert all(char.isprintable() for cell in cells for char in cell)
    models = {row["model" if name == "csv" else "ResourceName"].removeprefix("'") for row in rows}
    assert models >= {plain(text) for text in hostile.CORPUS}


def test_parquet_keeps_names_as_they_are() -> None:
    read = pl.read_parquet(render(hostile.cycled(), "parquet", frames=hostile.rows()))
    assert set(read["model"]) == set(hostile.CORPUS)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_workbook_has_no_formula_or_link_of_a_name(offset: int) -> None:
    document = hostile.cycled(offset)
    book = openpyxl.load_workbook(io.BytesIO(render(document, "xlsx", options=OPTIONS)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    formulas = {str(cell.value) for cell in cells if cell.data_type == "f"}
    assert all(re.fullmatch(r"=SUBTOTAL\(109,[A-Z]+\d+:[A-Z]+\d+\)", formula) for formula in formulas)
    links = {cell.hyperlink.location for cell in cells if cell.hyperlink}
    assert links == {f"'{name}'!A1" for name in book.sheetnames[1:]}, "from the contents only"
    shown = {cell.value for cell in cells}
    assert {plain(model.model, limit=32_000) for model in document.model_mix} <= shown


@pytest.mark.parametrize("offset", OFFSETS)
def test_structured_formats_stay_well_formed(offset: int) -> None:
    document = hostile.cycled(offset)
    assert decode(render(document, "json")) == document
    cases = ET.fromstring(render(document, "junit", options=OPTIONS)).findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == [plain(rule.rule) for rule in hostile.check().rules]
    results = json.loads(render(document, "sarif", options=OPTIONS))["runs"][0]["results"]
    assert len(results) == 2 + len(document.findings)
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results]
    assert all(re.fullmatch(r"[A-Za-z0-9/._~%-]+", uri) for uri in uris)
    families = text_string_to_metric_families(render(document, "openmetrics").decode())
    models = {s.labels["model"] for f in families for s in f.samples if "model" in s.labels}
    assert models == {plain(model.model) for model in document.model_mix}
