"""What comes next is loaded once there is progress, and not before."""

import sys
from unittest.mock import patch

from llm_audit.cli.audit_run import loading


@patch.dict(sys.modules)  # what is loaded here is not loaded for the tests that follow
def test_a_module_is_loaded_once_other_processes_work() -> None:
    sys.modules.pop("this", None)
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
