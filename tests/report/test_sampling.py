"""Reports of logs that are declared a sample: the words that say so, once, and the figures that are scaled."""

import io

import msgspec
import openpyxl
import pytest
from tests.report import build
from tests.report.frames import frames

from llm_audit.document.audit import Document
from llm_audit.document.rhythm import MonthEnd
from llm_audit.report.registry import render
from llm_audit.report.tables.billing import by_basis
from llm_audit.report.tables.rhythm import run_rate
from llm_audit.report.verdict import verdict

SENTENCE = (
    "These logs are declared a sample of 1 request in 400: figures a month and a year are scaled to all traffic, and "
    "all others are of the logs alone."
)


def sampled(rate: float = 0.0025) -> Document:
    return msgspec.structs.replace(build.rich(2), sampling_rate=rate)


@pytest.mark.parametrize("name", ["html", "explore", "markdown", "slack"])
def test_a_report_says_once_that_the_logs_are_a_sample(name: str) -> None:
    text = " ".join(render(sampled(), name, frames=frames(build.calls(2))).decode().split())
    assert text.count("declared a sample") == 1
    assert SENTENCE in text
    assert "declared a sample" not in render(build.rich(2), name, frames=frames(build.calls(2))).decode()


def test_the_workbook_says_so_in_its_summary() -> None:
    book = openpyxl.load_workbook(io.BytesIO(render(sampled(), "xlsx")))
    facts = {row[0].value: (row[1].value, row[2].value) for row in book["Summary"].iter_rows() if row[0].value}
    assert facts["Sampling rate"] == (0.0025, SENTENCE)
    assert "SamplingRate" in book.defined_names
    assert "Sampling rate" not in {
        row[0].value for row in openpyxl.load_workbook(io.BytesIO(render(build.rich(2), "xlsx")))["Summary"].iter_rows()
    }


def test_a_rate_that_is_no_part_in_n_is_a_share() -> None:
    assert "a sample of 30% of all requests:" in verdict(sampled(0.3)).sampling


def test_a_whole_month_of_a_sample_is_an_estimate() -> None:
    end = MonthEnd(
        month="2026-09", spent="10003.00", expected_days=0, amount="10003.00", low="8837.00", high="11169.00"
    )
    rate = msgspec.structs.replace(build.rich(2).run_rate, month_end=end)
    whole = msgspec.structs.replace(build.rich(2), run_rate=rate)
    assert "2026-09" not in verdict(whole).rate_more
    said = verdict(msgspec.structs.replace(whole, sampling_rate=0.0025)).rate_more
    assert "2026-09 came to ≈ $10,000 ($8,840 to $11,200)" in said


def test_tables_that_are_scaled_say_so() -> None:
    document = msgspec.structs.replace(sampled(), billing=build.billing())
    assert run_rate(document).note == "Scaled from a sample to all traffic."
    assert by_basis(document).note.endswith("for the leverage, the cost of this sample is scaled to it.")
    assert run_rate(build.rich(2)).note == ""
