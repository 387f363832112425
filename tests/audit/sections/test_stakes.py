"""Spend by stakes, and what a policy's limits for them forgo."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from tests.audit.build import assumed, catalog, ledger, many, rows

from llm_audit.audit.run import AuditOptions, run
from llm_audit.catalog import Catalog
from llm_audit.document.audit import Document, Stakes
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import Policy, load, parse
from llm_audit.pricing import PriceBook
from llm_audit.vocabulary import Stakes as Kind

FREE = 'decision = "quality_loss"\nmax_quality_loss = 30'
KEPT = f"{FREE}\n[stakes.medical]\nkeep = true"


def audited(folder, frame: pl.DataFrame, policy: Policy, known: Catalog | None = None) -> Document:
    return run(
        ledger(folder, frame),
        policy=policy,
        catalog=known or catalog(),
        book=PriceBook(),
        options=AuditOptions(resamples=20),
    ).document


def test_what_a_limit_costs_can_be_worked_out_by_hand(tmp_path):
    """1,000 input and 200 output tokens cost $0.0045 on gpt-4o and $0.00027 on gpt-4o-mini."""
    easy = {"difficulty": -9.0, "input_tokens": 1_000, "output_tokens": 200}
    frame = rows({**easy, "stakes": "medical"}, {**easy, "stakes": "legal"}, easy, {**easy, "stakes": "medical"})
    found = audited(tmp_path, frame, assumed(KEPT)).stakes
    assert found is not None
    by_kind = {row.stakes: row for row in found.rows}
    assert list(by_kind) == ["medical", "none", "legal"]  # most cost first, then in the order of the vocabulary
    medical, none = by_kind["medical"], by_kind["none"]
    assert (medical.requests, medical.moved_requests, medical.held_requests) == (2, 0, 2)
    assert Decimal(medical.cost) == 2 * Decimal("0.0045")
    assert Decimal(medical.further_saving) == 2 * Decimal("0.00423") == Decimal(found.further_saving)
    assert (none.requests, none.moved_requests, none.held_requests, none.further_saving) == (1, 1, 0, "0.00")
    assert found.held_requests == 2


def test_the_answers_that_a_limit_avoids_are_those_that_the_policy_would_lose(tmp_path):
    asked = rows({"difficulty": -2.0, "stakes": "medical"})
    held = audited(tmp_path / "held", asked, assumed(KEPT))
    free = audited(tmp_path / "free", asked, assumed(FREE))
    assert free.flagship_tax.quality is not None
    assert held.stakes is not None
    assert held.stakes.further_lost_answers == free.flagship_tax.quality.lost_answers > 0
    assert held.flagship_tax.quality is None


def test_rows_add_up_to_the_audit_and_the_saving_to_that_of_the_policy_without_limits(tmp_path):
    kinds = [None, None, None, *(kind.value for kind in Kind)]
    frame = many(700, conversations=90)
    staked = pl.Series([kinds[number % len(kinds)] for number in range(frame.height)], dtype=SCHEMA["stakes"])
    frame, known = frame.with_columns(stakes=staked), Catalog.load()
    policy = load("small-by-default")
    limited = audited(tmp_path / "limited", frame, policy, known)
    free = audited(tmp_path / "free", frame, parse(policy.toml.split("[stakes")[0], where="free"), known)
    found = limited.stakes
    assert found is not None
    assert sum(row.requests for row in found.rows) == limited.requests.audited
    assert sum(row.held_requests for row in found.rows) == found.held_requests > 0
    assert sum(Decimal(row.cost or 0) for row in found.rows) == Decimal(limited.cost.actual)
    assert sum(Decimal(row.further_saving) for row in found.rows) == Decimal(found.further_saving)
    saved = Decimal(free.flagship_tax.expected.amount) - Decimal(limited.flagship_tax.expected.amount)
    assert Decimal(found.further_saving) == saved > 0
    assert free.stakes is not None
    assert (free.stakes.held_requests, free.stakes.further_saving) == (0, "0.00")


@pytest.mark.parametrize("stakes", [None, "legal"])
def test_a_log_without_stakes_has_no_section(tmp_path, stakes):
    found = audited(tmp_path, rows({"stakes": stakes}, {}), assumed(KEPT)).stakes
    assert isinstance(found, Stakes) if stakes else found is None


def test_a_kind_without_any_price_has_no_cost(tmp_path):
    frame = rows({"stakes": "legal", "model": "nobody-knows", "model_requested": "nobody-knows"}, {})
    found = audited(tmp_path, frame, assumed(KEPT)).stakes
    assert found is not None
    assert {row.stakes: row.cost for row in found.rows} == {"none": "0.0045", "legal": None}
