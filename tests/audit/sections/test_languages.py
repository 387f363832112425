"""What could not be judged is counted in dollars by language."""

from __future__ import annotations

import polars as pl
from tests.audit.build import assumed, catalog, ledger, rows

from llm_audit.audit.run import AuditOptions, run
from llm_audit.audit.sections.languages import add_languages, language_sums, languages
from llm_audit.document.audit import LanguageRow
from llm_audit.pricing import PriceBook

ABSTAINED = {"judged": "abstained", "difficulty": None, "category": None}


def test_requests_and_dollars_by_language(tmp_path):
    frame = rows(
        {"language": "en"},
        {"language": "de"},
        {"language": "de", **ABSTAINED, "abstention": "no_signal"},
        {"language": "de"},
        {"language": "thai", **ABSTAINED, "abstention": "language"},
        {"language": "thai", **ABSTAINED, "abstention": "language", "model": "nobody-knows"},
        {**ABSTAINED, "abstention": "redacted", "model": "nobody-knows"},
    )
    found = run(
        ledger(tmp_path, frame),
        policy=assumed(),
        catalog=catalog(),
        book=PriceBook(),
        options=AuditOptions(resamples=20),
    ).document
    assert found.languages == [
        LanguageRow(
            language="de", requests=3, cost="0.0135", abstained_requests=1, abstained_cost="0.0045", unpriced_requests=0
        ),
        LanguageRow(
            language="thai",
            requests=2,
            cost="0.0045",
            abstained_requests=2,
            abstained_cost="0.0045",
            unpriced_requests=1,
        ),
        LanguageRow(
            language="en", requests=1, cost="0.0045", abstained_requests=0, abstained_cost="0.00", unpriced_requests=0
        ),
        LanguageRow(
            language=None, requests=1, cost=None, abstained_requests=1, abstained_cost=None, unpriced_requests=1
        ),
    ]
    assert sum(row.abstained_requests for row in found.languages) == found.classification.abstained


def test_sums_of_parts_are_those_of_the_whole():
    amounts = pl.DataFrame(
        {
            "language": ["en", None, "fr", "en", None, "fr"],
            "judged": ["scored", "abstained", None, "abstained", "inherited", "scored"],
            "cost_pico": [10, None, 30, 2**62, 50, 2**62],
        }
    )
    whole = language_sums(amounts)
    parts = [language_sums(amounts[:2]), language_sums(amounts[2:])]
    assert add_languages(pl.concat(parts)).equals(whole)
    assert {row.language: row.abstained_requests for row in languages(whole)} == {"en": 1, "fr": 1, None: 1}
