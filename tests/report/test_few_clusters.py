"""A handful of conversations gives no headline that anybody could sign, and every report says why."""

import msgspec
import pytest
from tests.report import build

from llm_audit.document.audit import Document
from llm_audit.report.charts.routing import estimates
from llm_audit.report.registry import render
from llm_audit.report.verdict import verdict


def document(clusters: int, *, amount: str | None = None) -> Document:
    rich = build.rich()
    expected = msgspec.structs.replace(rich.flagship_tax.expected, clusters=clusters)
    if amount is not None:
        expected = msgspec.structs.replace(expected, amount=amount)
    return msgspec.structs.replace(rich, flagship_tax=msgspec.structs.replace(rich.flagship_tax, expected=expected))


@pytest.mark.parametrize(("clusters", "few"), [(1, "1 conversation"), (29, "29 conversations")])
@pytest.mark.parametrize("amount", [None, "-5.00", "0.00"])
def test_a_few_conversations_are_no_headline(clusters: int, few: str, amount: str | None) -> None:
    said = verdict(document(clusters, amount=amount))
    assert said.headline.startswith(f"Only {few}, where 30 are needed to rely on an estimate")
    assert "flagship tax" not in said.headline
    assert said.tax_note.endswith(f"; {few}, too few for an interval")
    chart = estimates(document(clusters))
    assert chart is not None
    assert "between" not in chart.title


@pytest.mark.parametrize("clusters", [30, 812])
def test_enough_conversations_are(clusters: int) -> None:
    said = verdict(document(clusters))
    assert said.headline.startswith("An estimated ")
    assert "% interval " in said.tax_note


@pytest.mark.parametrize("name", ["markdown", "slack", "github", "html"])
def test_every_report_says_why(name: str) -> None:
    written = render(document(12), name).decode()
    assert "12 conversations" in written
    assert "An estimated" not in written
