"""What models that nobody measured would add is stated apart, and no part of the headline."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
from tests.audit.build import assumed, catalog, ledger, rows

from llm_audit.audit.run import AuditOptions, run
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
