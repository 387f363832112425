"""What comes next is loaded once there is progress, and not before."""

import sys

import pytest

from llm_audit.cli.audit_run import loading


def test_a_module_is_loaded_once_other_processes_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    seen: list[tuple[int, int]] = []
    with loading("this", lambda done, total: seen.append((done, total))):
        pass
    assert "this" not in sys.modules
    with loading("this", lambda done, total: seen.append((done, total))) as progress:
        progress(1, 3)
        progress(2, 3)
    assert "this" in sys.modules
    assert seen == [(1, 3), (2, 3)]
    with loading("this", None) as progress:
        progress(1, 1)
