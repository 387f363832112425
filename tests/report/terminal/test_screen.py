import io
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console
from tests.report import build, compared
from tests.report.golden import assert_golden

from llm_audit.document import audit as d
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.report.glossary import GLOSSARY
from llm_audit.report.rounding import balanced
from llm_audit.report.table import NUMERIC, Column, Priority, cap, count, money, table, write
from llm_audit.report.tables import check, everything, spend
from llm_audit.report.terminal.check import print_check
from llm_audit.report.terminal.screen import print_glossary, print_report, print_table
from llm_audit.report.text import money as money_text
from llm_audit.report.verdict import verdict


def printed(width: int, *, details: bool = False, document=None) -> str:
    file = io.StringIO()
    print_report(document or build.rich(), Console(file=file, width=width), details=details)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_first_screen_answers(width: int) -> None:
    shown = printed(width)
    lines = shown.splitlines()
    assert len(lines) <= (36 if width == 60 else 34)  # actions wrap, and are never cut off
    assert all(len(line) <= width for line in lines)
    said = " ".join(shown.split())
    for answer in ("$127.80", "$51.03", "39.9%", "$43.89", "$56.65", "95%", "78.8%", "5,749", "6,124", "118", "17"):
        assert answer in said
    assert "1 contracts uses gemini-2.5-pro where" in shown
    assert "\x1b" not in shown, "no colour where there is no terminal"
    assert_golden(f"terminal-{width}.txt", shown.encode())


@pytest.mark.parametrize("scale", [1, 1_000_000])
@pytest.mark.parametrize("width", [30, 34, 40, 47])
def test_no_figure_is_cut_where_there_is_little_room(width: int, scale: int) -> None:
    document = build.rich()
    actual = f"{Decimal(document.cost.actual) * scale:f}"
    document = msgspec.structs.replace(document, cost=msgspec.structs.replace(document.cost, actual=actual))
    shown = printed(width, document=document)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert "…" not in "".join(line for line in shown.splitlines() if "template" not in line and "-" not in line)
    words = set(shown.split())
    said = verdict(document)
    notes = (said.spent_note, said.tax_note, said.covered_note, said.audited_note)
    stated = {said.spent, said.tax, said.covered, said.audited, *" ".join(notes).split()}
    assert {word for word in stated if any(character.isdigit() for character in word)} <= words
    for finding in said.actions:
        assert money_text(finding.amount) in words


def test_rejected_records_are_named_with_a_place_and_a_remedy() -> None:
    rejected = [d.RejectedReason(reason="unknown_format", count=1, examples=[d.Example(file="odd.jsonl", line=4)])]
    document = build.rich()
    requests = msgspec.structs.replace(document.requests, rejected=1)
    shown = " ".join(
        printed(120, document=msgspec.structs.replace(document, rejected=rejected, requests=requests)).split()
    )
    assert (
        '! 1 record was rejected: of no known log format, first odd.jsonl:4. "llm-audit formats suggest PATH"' in shown
    )


@pytest.mark.parametrize("width", [60, 80, 110, 120])
def test_no_table_is_wider_than_the_terminal_and_what_is_left_out_is_named(width: int) -> None:
    document = priced_by_many()
    shown = printed(width, details=True, document=document)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    blocks = "\n".join(line.strip() for line in shown.splitlines()).split("\n\n")
    told = {block.partition("\n")[0]: " ".join(block.split()) for block in blocks}
    for exact in everything(document):
        if not exact.rows:
            continue
        whole = balanced(exact, spent=document.cost.actual)
        said = told[whole.title]
        for index, column in enumerate(whole.columns):
            named = f"{column.title}" in said.partition("Columns left out to fit: ")[2]
            if column.kind in NUMERIC and not named:
                for row in cap(whole, 15).rows:
                    assert write(row[index], column, currency="USD") in said, (whole.title, column.title)


def priced_by_many():
    """A document whose price rows have a rate for each token type."""
    document = build.rich(3)
    kinds = [*TOKEN_TYPES, "image_input", "reasoning"]
    rows = [
        msgspec.structs.replace(row, rates={kind: f"{i}{j}.{i}5" for j, kind in enumerate(kinds)})
        for i, row in enumerate(document.price_rows, start=1)
    ]
    return msgspec.structs.replace(document, price_rows=rows)


def test_a_name_is_shortened_in_its_middle_and_a_figure_never() -> None:
    columns = (Column("Model"), Column("Provider", priority=Priority.SPARE), money("Cost"), count("Requests"))
    whole = table("t", "T", columns, [("claude-sonnet-4-5-20250929", "anthropic", "1234567.00", 7_654_321)])
    file = io.StringIO()
    print_table(whole, Console(file=file, width=49))
    assert "claude-sonnet-4-…0250929  $1,234,567  7,654,321" in file.getvalue()
    assert "Columns left out to fit: Provider." in file.getvalue()
    file = io.StringIO()
    print_table(whole, Console(file=file, width=30))
    assert [line.strip() for line in file.getvalue().splitlines() if line.strip()] == [
        "T", "claude-sonnet-4-5-20250929", "Provider anthropic", "Cost $1,234,567", "Requests 7,654,321",
    ]  # fmt: skip


def test_overlapping_actions_say_so() -> None:
    document = build.rich(2)
    overlapping = [msgspec.structs.replace(finding, overlaps=True) for finding in document.findings]
    worded = [msgspec.structs.replace(finding, detail="Calls that overlap in time.") for finding in document.findings]
    assert "do not add up" in printed(80, document=msgspec.structs.replace(document, findings=overlapping))
    assert "do not add up" not in printed(80, document=msgspec.structs.replace(document, findings=worded))


def test_a_narrow_first_screen_keeps_the_essential_columns_whatever_their_headings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model_mix = spend.model_mix

    def renamed(document):
        full = model_mix(document)
        columns = tuple(replace(column, title=f"H{index}") for index, column in enumerate(full.columns))
        return replace(full, columns=columns)

    monkeypatch.setattr(spend, "model_mix", renamed)
    headings = {
        width: next(line for line in printed(width).splitlines() if "H0" in line).split() for width in (60, 80, 120)
    }
    assert headings == {
        60: ["H0", "H3", "H7", "H8"],
        80: ["H0", "H2", "H3", "H6", "H7", "H8"],
        120: [f"H{index}" for index in range(9)],
    }


def test_each_warning_is_said_once_and_files_passed_over_are_none() -> None:
    document = msgspec.structs.replace(build.rich(2), notes=["logs/README.md was not read: not a log by its name"])
    tax = msgspec.structs.replace(document.flagship_tax, warnings=document.warnings)
    document = msgspec.structs.replace(document, flagship_tax=tax)
    assert verdict(document).warnings == tuple(document.warnings)
    assert "README" not in printed(80, document=document)
    assert "logs/README.md was not read" in printed(80, document=document, details=True)


def test_details_show_every_section() -> None:
    shown = printed(100, details=True)
    for title in (
        "Routes",
        "By team",
        "Savings blocked by gates",
        "Tokens and cost by type",
        "Data quality",
        "Price rows",
    ):
        assert f" {title}" in shown


def test_an_audit_without_prices_says_unknown_not_zero() -> None:
    shown = printed(80, document=build.sparse())
    assert "Spent" in shown
    assert "unknown" in shown
    assert "no request has a price" in shown


def test_a_check_has_a_line_for_each_rule() -> None:
    file = io.StringIO()
    print_check(compared.check(), Console(file=file, width=100))
    assert_golden("check.txt", file.getvalue().encode())
    said = " ".join(file.getvalue().split())
    assert "1 of 4 gates failed, 1 inconclusive, 1 not evaluated" in said
    assert "estimated to save $39.24; requests have since cost $6.90 more." in said


@pytest.mark.parametrize(("realised", "since"), [("6.90", "cost $6.90 less"), ("0.00", "cost the same")])
def test_what_a_rollout_saved_is_compared_with_the_estimate(realised: str, since: str) -> None:
    comparison = compared.check().comparison
    assert comparison is not None
    changed = msgspec.structs.replace(comparison, realised=realised)
    assert (check.realised(changed) or "").endswith(f"estimated to save $39.24; requests have since {since}.")


def test_the_glossary_explains_the_words() -> None:
    file = io.StringIO()
    print_glossary(Console(file=file, width=80))
    assert all(word in file.getvalue() for word in GLOSSARY)
