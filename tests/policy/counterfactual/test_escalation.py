from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.audit.build import catalog, rows

from llm_audit.policy import escalation_rate, missed, parse, route
from llm_audit.policy.counterfactual.escalation import check_cost, escalation_cost
from llm_audit.policy.file.model import Cascade
from llm_audit.pricing import PriceBook, price

CASCADE = Cascade(check_usd=0.0001, recall=0.8, false_alarm=0.1)


def test_without_a_cascade_a_share_of_the_lost_answers_is_paid_again():
    rate = escalation_rate(np.array([0.5]), np.array([0.1]), cascade=None, share=0.5)
    assert rate.tolist() == pytest.approx([0.05])


def test_a_cascade_pays_for_what_its_check_rejects_and_for_what_it_misses():
    rate = escalation_rate(np.array([0.6]), np.array([0.1]), cascade=CASCADE, share=0.5)
    rejected = 0.4 * 0.8 + 0.6 * 0.1
    left = 0.1 * (1 - 0.8)
    assert missed(np.array([0.1]), CASCADE).tolist() == pytest.approx([left])
    assert rate.tolist() == pytest.approx([rejected + left * 0.5])


def test_costs_are_whole_and_unknown_probabilities_cost_nothing():
    assert escalation_cost(np.array([0.25, np.nan]), np.array([10, 10])).tolist() == [2, 0]
    assert check_cost(CASCADE) == 100_000_000


def policy(check_usd: float):
    return parse(
        f"""
        name = "cascade"
        target = 0.05
        [ladders]
        any = ["gpt-4o-mini", "gpt-4o"]
        [assumptions]
        escalation = 1.0
        [cascade]
        check_usd = {check_usd}
        recall = 0.0
        false_alarm = 0.0
        """,
        where="test",
    )


def test_the_decision_counts_the_answers_that_a_cascade_misses():
    # A check that finds nothing leaves every lost answer to be repeated: a move pays only while
    # small + check + P(lost) x large stays below large.
    frame = rows({"difficulty": 1.0, "category": "code"})
    book = PriceBook()
    priced = price(frame, book)
    large = priced["cost_pico"][0]
    moved = route(priced, policy(0.0), catalog=catalog(), book=book)
    lost = 1 - moved["p_suffices"][0]
    assert moved["outcome"][0] == "moved"
    small = moved["ceiling_pico"][0]
    room = (large * (1 - lost) - small) / 10**12
    costly = route(priced, policy(room * 1.001), catalog=catalog(), book=book)
    affordable = route(priced, policy(room * 0.5), catalog=catalog(), book=book)
    assert (affordable["outcome"][0], costly["outcome"][0]) == ("moved", "no_capable_model")


def test_no_other_module_works_out_a_cascade():
    package = Path(__file__).resolve().parents[3] / "src" / "llm_audit"
    users = [path for path in package.rglob("*.py") if "false_alarm" in path.read_text(encoding="utf-8")]
    assert {path.name for path in users} <= {"escalation.py", "model.py", "load.py"}
