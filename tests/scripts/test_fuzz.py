"""A short run of the fuzzer, and that it would notice what it is for."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from llm_audit.sources.formats.registry import all_formats

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "scripts/fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fuzz"]


def test_damaged_records_cost_no_more_than_themselves(fuzz) -> None:
    figures = fuzz.Figures()
    fuzz.fuzz_records(figures, random.Random(7), until=lambda found: found.records >= 600)
    assert figures.outcomes["Request"] > 100
    assert figures.outcomes["Rejected"] > 10


def test_spoilt_files_are_accounted_for(fuzz) -> None:
    figures = fuzz.Figures()
    fuzz.fuzz_files(figures, random.Random(7), until=lambda found: found.files >= 32)
    assert figures.outcomes["audited in files"] > 10


def test_the_same_seed_gives_the_same_damage(fuzz) -> None:
    record = {"a": [1, {"content": "x"}], "usage": {"n": 2}}
    found = [fuzz.damaged(record, [record], random.Random(3)) for _ in range(2)]
    assert repr(found[0]) == repr(found[1])
    assert record == {"a": [1, {"content": "x"}], "usage": {"n": 2}}


def test_an_adapter_that_fails_is_a_fault(fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_record, _context):
        raise KeyError("x")
        yield

    monkeypatch.setattr(fuzz, "all_formats", lambda: [replace(form, entries=failing) for form in all_formats()])
    with pytest.raises(fuzz.FaultError, match="failed with KeyError"):
        fuzz.fuzz_records(fuzz.Figures(), random.Random(1), until=lambda found: found.records >= 400)
