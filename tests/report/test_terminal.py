import io

import pytest
from rich.console import Console
from tests.report import build, compared
from tests.report.golden import assert_golden

from llm_audit.report.glossary import GLOSSARY
from llm_audit.report.terminal import print_glossary, print_report
from llm_audit.report.terminal_check import print_check


def printed(width: int, *, details: bool = False, document=None) -> str:
    file = io.StringIO()
    print_report(document or build.rich(), Console(file=file, width=width), details=details)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_first_screen_answers(width: int) -> None:
    shown = printed(width)
    lines = shown.splitlines()
    assert len(lines) <= 26
    assert all(len(line) <= width for line in lines)
    said = " ".join(shown.split())
    for answer in ("$127.80", "$51.03", "39.9%", "$43.89", "$56.65", "95%", "78.8%", "5,749", "6,124", "118", "17"):
        assert answer in said
    assert "1 contracts uses gemini-2.5-pro where" in shown
    assert "\x1b" not in shown, "no colour where there is no terminal"
    assert_golden(f"terminal-{width}.txt", shown.encode())


def test_details_show_every_section() -> None:
    shown = printed(100, details=True)
    for title in ("Routes", "By team", "Kept back by gates", "Tokens and cost by type", "Data quality", "Price rows"):
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
    assert "1 of 3 gates failed, 1 not evaluated" in said
    assert "to save $39.24 at this volume; since then requests have cost $6.90 more." in said


def test_the_glossary_explains_the_words() -> None:
    file = io.StringIO()
    print_glossary(Console(file=file, width=80))
    assert all(word in file.getvalue() for word in GLOSSARY)
