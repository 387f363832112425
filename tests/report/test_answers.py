"""Answers lost and unmeasured models are stated beside the saving, and the headline has one range."""

import io
import zipfile
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from rich.console import Console
from tests.audit.documents import earlier
from tests.report import build, pages

from llm_audit.audit.currency import convert
from llm_audit.document.audit import Document, PreferenceGap, Quality, Unmeasured
from llm_audit.pricing import Currency
from llm_audit.report.charts import routing as charts
from llm_audit.report.decisions import measure, outcome, source
from llm_audit.report.registry import render
from llm_audit.report.tables import answers, routing
from llm_audit.report.terminal.screen import print_report
from llm_audit.report.verdict import verdict


def with_tax(**changed: Any) -> Document:
    document = build.rich(2)
    return msgspec.structs.replace(document, flagship_tax=msgspec.structs.replace(document.flagship_tax, **changed))


def lost(per_1000: float, low: float, high: float, *, gained: float = 0.0, saved: str | None = "2.50") -> Quality:
    return Quality(
        lost_answers=per_1000,
        gained_answers=gained,
        lost_per_1000=per_1000,
        lost_per_1000_low=low,
        lost_per_1000_high=high,
        saved_per_lost_answer=saved,
    )


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (
            lost(22.3, 9.14, 48.2, gained=14.4),
            (
                "About 22 answers in 1,000 moved requests are expected to be lost beyond a second run of the same model"
                " (9.1 to 48), 14 gained; $2.50 saved for each lost answer."
            ),
        ),
        (
            lost(1.04, 0.0, 3.0, gained=0.3),
            (
                "About 1 answer in 1,000 moved requests is expected to be lost beyond a second run of the same model"
                " (0 to 3), 0.3 gained; $2.50 saved for each lost answer."
            ),
        ),
        (
            lost(0.0, 0.0, 0.01, saved=None),
            (
                "No answer in 1,000 moved requests is expected to be lost beyond a second run of the same model"
                " (0 to <0.1), none gained."
            ),
        ),
        (
            lost(4.0, 2.0, 6.0, saved="-1.00"),
            (
                "About 4 answers in 1,000 moved requests are expected to be lost beyond a second run of the same model"
                " (2 to 6), none gained."
            ),
        ),
        (None, ""),
    ],
)
def test_the_answers_lost_are_stated_beside_the_saving(quality: Quality | None, said: str) -> None:
    assert verdict(with_tax(quality=quality, moved_requests=1000)).quality == said


@pytest.mark.parametrize(
    ("unmeasured", "said"),
    [
        (
            Unmeasured(amount="6.20", requests=1, models=["gpt-5-nano"]),
            "A further $6.20 if a model unmeasured on such prompts holds up (gpt-5-nano), on 1 request.",
        ),
        (
            Unmeasured(amount="6.20", requests=2, models=["a", "b", "c", "d", "e"]),
            "A further $6.20 if models unmeasured on such prompts hold up (a, b, c and 2 more), on 2 requests.",
        ),
        (Unmeasured(amount="-0.10", requests=2, models=["a"]), ""),
        (None, ""),
    ],
)
def test_unmeasured_models_are_a_line_of_their_own(unmeasured: Unmeasured | None, said: str) -> None:
    summary = verdict(with_tax(unmeasured=unmeasured))
    assert summary.unmeasured == said
    assert "6.20" not in summary.headline + summary.tax + summary.tax_note


def test_the_headline_has_one_range_and_the_floor_is_a_sentence() -> None:
    document = build.rich(2)
    summary = verdict(document)
    file = io.StringIO()
    print_report(document, Console(file=file, width=80))
    assert "floor" not in summary.headline + summary.tax_note
    assert "floor" not in file.getvalue()
    assert "all assumptions at their pessimistic ends at once" in summary.floor_note
    for name in ("html", "markdown"):
        lines = render(document, name).decode().splitlines()
        assert not [line for line in lines if "interval" in line and "; floor" in line]
    page = pages.unlinked(render(document, "html").decode())
    assert page.index(summary.floor_note) > page.index('id="estimates-title"')
    assert page.index(summary.quality) < page.index("Top actions")


@pytest.mark.parametrize("name", ["html", "markdown", "xlsx"])
def test_every_report_for_people_has_both_sentences(name: str) -> None:
    document = build.rich(2)
    summary = verdict(document)
    if name == "xlsx":
        with zipfile.ZipFile(io.BytesIO(render(document, name))) as book:
            said = book.read("xl/sharedStrings.xml").decode()
    else:
        said = pages.unlinked(render(document, name).decode().replace("\\", ""))
    assert summary.quality in said
    assert summary.unmeasured in said


def test_nothing_is_stated_where_no_request_has_a_price() -> None:
    summary = verdict(build.sparse())
    assert (summary.quality, summary.unmeasured, summary.floor_note) == ("", "", "")


def test_the_frontier_is_over_what_the_policy_decides_by() -> None:
    document = build.rich(2)
    shown = answers.frontier(document)
    assert shown.columns[0].title == "Limit: answers lost in 100"
    assert [row[0] for row in shown.rows][:4] == ["0.25", "0.5", "1", "2 (in use)"]
    drawn = charts.frontier(document)
    assert drawn is not None
    assert "expected to lose 63 answers at the limit in use (2 in 100)" in drawn.title
    assert "answers expected to be lost" in drawn.svg
    other = msgspec.structs.replace(document.policy, decision="p_suffices", target=0.9)
    named = msgspec.structs.replace(document, policy=other)
    assert answers.frontier(named).columns[0].title == "Target P(suffices)"
    assert ("target P(suffices)", "0.90") in routing.policy(named).rows
    assert ("limit: answers lost in 100", "2") in routing.policy(document).rows


def test_outcomes_and_sources_read_as_words() -> None:
    assert outcome("unmeasured") == "kept: nobody measured the cheaper models"
    assert outcome("something_new") == "something new"
    assert source("assumptions").startswith("assumptions: ")
    assert measure("something_new").write(1.5) == "1.5"


def test_no_interval_stands_where_nothing_moves() -> None:
    zero = msgspec.structs.replace(
        build.rich(2).flagship_tax.expected, amount="0.00", share=0.0, low="0.00", high="0.00"
    )
    said = verdict(with_tax(expected=zero, moved_requests=0))
    assert said.tax_note == "0.0% of spend; the policy moves no request"
    assert said.headline.startswith("The policy would have cost the same")
    unjudged = with_tax(expected=zero, moved_requests=0, covered_cost="0.00", covered_share=0.0)
    said = verdict(earlier(unjudged))
    assert said.headline == "None of $11.38 could be judged and routed, so a flagship tax is not known."
    keep = msgspec.structs.replace(unjudged, policy=msgspec.structs.replace(unjudged.policy, decision="never"))
    assert verdict(earlier(keep)).headline.startswith("The policy would have cost the same")


def test_the_period_says_where_days_have_no_request() -> None:
    document = build.rich(2)
    some = msgspec.structs.replace(
        document.period, start="2026-09-01T00:00:00+00:00", end="2026-09-30T23:00:00+00:00", days=24, timezone="UTC"
    )
    assert verdict(msgspec.structs.replace(document, period=some)).period == (
        "2026-09-01 to 2026-09-30 (requests on 24 of 30 days, UTC)"
    )


@pytest.mark.parametrize(
    ("share", "low", "high", "known", "said"),
    [
        (0.1477, 0.114, 0.1816, 10, "Of 100 readers, 15 more would prefer today's answers (11 to 18); known for 10"),
        (-0.05, -0.08, -0.02, 12, "Of 100 readers, 5 more would prefer the policy's answers (2 to 8); known for 12"),
        (0.004, -0.01, 0.018, 1, "Of 100 readers, 0.4 more would prefer today's answers (\u22121 to 1.8); known for 1"),
        (None, None, None, 0, "answers of the models used is unknown: none of the 12 moved requests has ratings."),
    ],
)
def test_readers_are_counted_net_and_what_is_unknown_is_said(share, low, high, known, said) -> None:
    gap = PreferenceGap(gap=share, low=low, high=high, known_requests=known, moved_requests=12)
    document = with_tax(preference=gap)
    assert said in verdict(document).preference
    for name in ("html", "markdown"):
        shown = render(document, name).decode().replace("\\", "").replace("&#39;", "'")
        assert said.split(";")[0] in shown
    assert verdict(with_tax(preference=None)).preference == ""


def test_a_route_shows_its_gap_and_a_kept_request_none() -> None:
    found = routing.routes(build.rich(2))
    place = [column.title for column in found.columns].index("Preference gap")
    assert {row[place] for row in found.rows if row[1] == "kept"} <= {""}
    assert {row[place] for row in found.rows if row[1] != "kept"} == {0.126}


def test_what_an_answer_saves_is_in_the_currency_of_the_report() -> None:
    summary = verdict(convert(build.rich(2), Currency("EUR", Decimal("0.5"))))
    assert "€0.40 saved for each lost answer" in summary.quality
    assert "A further €3.10 if" in summary.unmeasured
