"""What models that nobody measured would add is stated apart, and no part of the headline."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
from tests.audit.build import assumed, catalog, ledger, rows

from llm_audit.audit.run import AuditOptions, run
from llm_audit.audit.simulate import simulate
from llm_audit.document.audit import FlagshipTax
from llm_audit.ledger.schema import Category
from llm_audit.policy import Policy
from llm_audit.pricing import PriceBook

NOBODY = {f"measured_{category.value}": False for category in Category}
KNOWN = catalog({"gpt-4o": 2.0, "gpt-4.1-mini": 1.0, "gpt-4o-mini": 0.9}, gpt_4o_mini=NOBODY)
MEASURED_ONLY = catalog({"gpt-4o": 2.0, "gpt-4.1-mini": 1.0})


def tax(folder, frame: pl.DataFrame, policy: Policy, known=KNOWN) -> FlagshipTax:
    options = AuditOptions(resamples=100)
    made = run(ledger(folder, frame), policy=policy, catalog=known, book=PriceBook(), options=options)
    return made.document.flagship_tax


def test_the_headline_is_that_of_measured_models_and_the_rest_is_a_line_of_its_own(tmp_path):
    frame = rows(*({"difficulty": -6.0, "conversation": number} for number in range(40)))
    toml = 'decision = "quality_loss"\nmax_quality_loss = 5'
    found = tax(tmp_path / "found", frame, assumed(toml))
    alone = tax(tmp_path / "alone", frame, assumed(toml), MEASURED_ONLY)
    taken = tax(tmp_path / "taken", frame, assumed(f"{toml}\nunmeasured = true"))
    assert found.expected == alone.expected
    assert (found.ceiling, found.floor) == (alone.ceiling, alone.floor)
    assert found.unmeasured is not None
    assert (found.unmeasured.models, found.unmeasured.requests) == (["gpt-4o-mini"], 40)
    further = Decimal(taken.expected.amount) - Decimal(found.expected.amount)
    # 1,000 input and 200 output tokens: $0.00072 on gpt-4.1-mini, $0.00027 on gpt-4o-mini.
    assert Decimal(found.unmeasured.amount) == further == 40 * Decimal("0.00045")
    assert taken.unmeasured is None


def test_a_model_used_that_nobody_measured_leaves_lost_answers_unknown(tmp_path):
    unknown = catalog(gpt_4o={f"ability_{category.value}": None for category in Category})
    known, policy = rows({"model": "gpt-4.1-mini"}), assumed('decision = "always"', escalation=0.5)
    both = pl.concat([known, rows({"model": "gpt-4o", "request_key": 2})])
    alone = tax(tmp_path / "alone", known, policy, unknown)
    found = tax(tmp_path / "both", both, policy, unknown)
    assert (alone.moved_requests, found.moved_requests) == (1, 2)
    assert alone.quality is not None
    assert alone.quality.lost_answers > 0
    assert found.quality is None
    assert {part.source for part in found.expected.parts} == {part.source for part in alone.expected.parts}
    options = AuditOptions(resamples=5)
    for name, frame, lost in (("alone", known, alone.quality.lost_answers), ("both", both, None)):
        done = simulate(
            ledger(tmp_path / f"simulated {name}", frame), [policy], catalog=unknown, book=PriceBook(), options=options
        )
        assert done.policies[0].lost_answers == lost
        assert (done.policies[0].saved_per_lost_answer is None) == (lost is None)
