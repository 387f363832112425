"""A calibration that anyone has changed is read as what it says, or refused with the path of the field."""

import json
from pathlib import Path
from typing import Any

import pytest

from llm_audit.classify.hashing import BUCKETS, HASH_VERSION
from llm_audit.classify.learning.calibration import Calibration
from llm_audit.classify.learning.calibration_file import FORMAT
from llm_audit.errors import UsageError

POSTERIOR = {
    "names": ["a", "b"], "mean": [0.5, 0.0], "factor": [[0.5], [0.0, 1.0]], "verdicts": [30, 0], "template_sd": 0.75
}  # fmt: skip
SAVED: dict[str, Any] = {
    "format": FORMAT, "hash_version": HASH_VERSION, "classifier": "x", "outcomes": 30, "buckets": [3], "weights": [0.5],
    "shift": {"m": 0.1}, "shift_sd": {"m": 0.2}, "most": None, "before": 0.6, "after": 0.5, "posterior": POSTERIOR,
}  # fmt: skip


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(SAVED))
    found = Calibration.load(tmp_path / "c.json")
    assert (found.buckets.tolist(), found.weights.tolist(), found.shift) == ([3], [0.5], {"m": 0.1})
    assert found.posterior is not None
    assert found.posterior.factor.tolist() == [[0.5, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"outcomes": "30"}, "$.outcomes"),
        ({"outcomes": -1}, "$.outcomes"),
        ({"buckets": [BUCKETS]}, "$.buckets[0]"),
        ({"buckets": [1, 2]}, "$.weights"),
        ({"shift_sd": {}}, "$.shift_sd"),
        ({"most": []}, "$.most"),
        ({"posterior": {**POSTERIOR, "mean": [0.5]}}, "$.posterior"),
        ({"posterior": {**POSTERIOR, "factor": [[0.5], [0.0]]}}, "$.posterior.factor"),
        ({"posterior": {**POSTERIOR, "verdicts": [1e300, 0]}}, "$.posterior.verdicts[0]"),
        ({"bonus": 1}, "bonus"),
    ],
)
def test_a_changed_field_is_named(changed: dict[str, Any], path: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(SAVED | changed))
    with pytest.raises(UsageError) as refused:
        Calibration.load(tmp_path / "c.json")
    assert path in str(refused.value)
    assert "Make it with llm-audit calibrate" in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"format": 99, "hash_version": 1}', "\x00"])
def test_what_is_no_calibration_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UsageError, match="calibrat"):
        Calibration.load(tmp_path / "c.json")
