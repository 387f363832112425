"""What limits for stakes cost is in every report, and so is what was not judged, by language."""

import msgspec
import pytest
from tests.report import build, pages

from llm_audit.document.audit import Document
from llm_audit.report.registry import render
from llm_audit.report.tables import everything, judgement
from llm_audit.report.verdict import verdict

HARM = "Where a wrong answer could do harm, stricter limits keep"


def held(requests: int, saving: str, lost: float) -> Document:
    document = build.rich(2)
    assert document.stakes is not None
    changed = {"held_requests": requests, "further_saving": saving, "further_lost_answers": lost}
    return msgspec.structs.replace(document, stakes=msgspec.structs.replace(document.stakes, **changed))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            held(33, "1.24", 2.4),
            f"{HARM} 33 requests on their models, which forgoes $1.24 and avoids 2.4 lost answers.",
        ),
        (held(1, "0.10", 1.0), f"{HARM} 1 request on its model, which forgoes $0.10 and avoids 1 lost answer."),
        (held(2, "0.10", -0.2), f"{HARM} 2 requests on their models, which forgoes $0.10."),
        (held(2, "-0.10", 0.0), f"{HARM} 2 requests on their models."),
        (held(0, "0.00", 0.0), ""),
        (build.sparse(), ""),
    ],
)
def test_the_cost_of_limits_is_a_sentence(document: Document, said: str) -> None:
    assert verdict(document).stakes == said


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_reports_for_people_have_the_sentence_and_both_tables(name: str) -> None:
    document = build.rich(2)
    page = pages.unlinked(render(document, name).decode().replace("\\", ""))
    assert verdict(document).stakes in page
    for word in ("Held by limits", "destructive", "Cost not judged", "thai"):
        assert word in page


def test_both_tables_are_among_all() -> None:
    document = build.rich(2)
    shown = {full.key: full for full in everything(document)}
    assert [row[0] for row in shown["stakes"].rows] == ["none", "legal", "destructive"]
    assert shown["languages"].rows[-1] == ("unknown", 41, None, 41, None)
    assert judgement.stakes(build.sparse()).rows == ()
