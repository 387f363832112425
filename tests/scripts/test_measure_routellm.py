from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import polars as pl
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def measure(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("measure_routellm", SCRIPTS / "measure_routellm.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "measure_routellm", module)
    spec.loader.exec_module(module)
    return module


def test_the_audit_of_a_labelled_set_costs_what_the_paper_says_a_call_costs(measure):
    verbs = ["Translate", "Prove", "Name", "Implement", "Summarise"]
    nouns = ["a greeting", "the central limit theorem", "the capital of Peru", "a lock-free queue in C++"]
    questions = [f"{verb} {noun}." for verb in verbs for noun in nouns]
    rows = pl.DataFrame({"prompt": questions, "strong_score": [1.0] * 20, "weak_score": [1.0] * 10 + [0.0] * 10})
    found = measure.audit(rows, share=0.25)
    tokens = (95 + 264) / 1e6
    assert found.actual == pytest.approx(20 * tokens * 24.7)
    strong = found.strong_calls * 20
    assert 5 <= strong < 20  # a quarter, and what ties with the last of it
    assert found.policy == pytest.approx(tokens * (strong * 24.7 + (20 - strong) * 0.24))
    assert found.expected > found.policy  # lost answers are asked again
    random = tokens * 20 * (found.recovered * 24.7 + (1 - found.recovered) * 0.24)
    assert found.over_random == pytest.approx(random / found.policy)
    assert found.over_strong == pytest.approx(20 * tokens * 24.7 / found.policy)
