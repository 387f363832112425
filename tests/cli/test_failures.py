"""No failure has the exit code of another, and none shows a traceback."""

import errno
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import PanicException
from tests.cli.conftest import write_log

from llm_audit.cli import failures, run
from llm_audit.errors import AuditError, ExitCode

FAILURES = [
    (AuditError("Said."), 2, "error: Said."),
    (MemoryError(), 2, "Memory ran out"),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), 2, "Memory ran out"),
    (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), 2, "Cannot write /tmp/x: no space is left"),
    (OSError(errno.EFBIG, "File too large"), 2, "no space is left"),
    (pl.exceptions.ComputeError("No space left on device (os error 28)"), 2, "no space is left"),
    (PermissionError(errno.EACCES, "Permission denied", "/etc/x"), 2, "Cannot use /etc/x: Permission denied"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "/gone"), 2, "/gone"),
    (OSError("said nothing"), 70, "OSError"),
    (pl.exceptions.ComputeError("a sum"), 70, "ComputeError"),
    (PanicException("index out of bounds"), 70, "PanicException"),
    (RecursionError(), 70, "RecursionError"),
    (BrokenProcessPool(), 70, "BrokenProcessPool"),
    (SystemError("null argument"), 70, "SystemError"),
    (GeneratorExit(), 70, "GeneratorExit"),
    (KeyboardInterrupt(), 130, "Interrupted"),
    (BrokenPipeError(), 141, ""),
]


@pytest.mark.parametrize(("error", "code", "words"), FAILURES, ids=lambda value: type(value).__name__)
def test_every_failure_has_a_documented_exit_code_and_a_message(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("llm_audit.config.load", fail)
    monkeypatch.setattr("llm_audit.cli.abandon_stdout", lambda: None)
    assert run(["config", "show"]) == code
    assert code in set(ExitCode)
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert said.count("\n") <= 1


def test_only_a_gate_ends_with_1() -> None:
    assert {failures.explain(error)[0] for error, _, _ in FAILURES}.isdisjoint({ExitCode.GATE_FAILED, ExitCode.DONE})


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log whose audit is kept after the first run: for tests of what is written, not of the audit."""
    folder = tmp_path_factory.mktemp("audited")
    os.utime(write_log(folder / "log.jsonl", requests=3), (1e9, 1e9))  # a file that has just changed is read again
    return folder


def shell(script: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = f"set -o pipefail; {script.replace('llm-audit', f'{sys.executable} -m llm_audit')}"
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "LLM_AUDIT_CACHE_DIR": str(tmp_path / "cache"), **environment},
    )  # fmt: skip


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- 2>&-", ">/dev/null 2>&- <&-"])
def test_a_standard_error_that_cannot_be_written_changes_nothing(tmp_path: Path, redirection: str) -> None:
    write_log(tmp_path / "log.jsonl", requests=3)
    assert shell(f"llm-audit analyze log.jsonl -o a.json {redirection}", tmp_path).returncode == 0
    assert (tmp_path / "a.json").read_bytes().startswith(b"{")
    assert shell(f"llm-audit analyze nowhere {redirection}", tmp_path).returncode == 2


def test_a_disk_that_is_full_is_no_bug(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl")
    done = shell("ulimit -f 8; llm-audit analyze log.jsonl -q -o a.json", tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "no space is left" in done.stderr or "File too large" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "log.jsonl"]
    assert shell("llm-audit analyze log.jsonl -q -o a.json", tmp_path).returncode == 0  # nothing half-kept misleads it


@pytest.mark.parametrize("command", ["analyze log.jsonl -f json", "models", "policy show"])
def test_a_reader_that_stops_is_no_failure(audited: Path, command: str) -> None:
    for reader in ("head -1", "true"):
        done = shell(f"llm-audit {command} | {reader}", audited)
        assert done.returncode in {0, 141}
        assert done.stderr in {"", "Wrote"}


@pytest.mark.parametrize("kilobytes", [120_000, 600_000, 900_000])
def test_a_limit_of_memory_is_named_and_is_no_bug(tmp_path: Path, kilobytes: int) -> None:
    write_log(tmp_path / "log.jsonl", requests=3)
    done = shell(f"ulimit -v {kilobytes}; llm-audit analyze log.jsonl -q -f json --no-cache", tmp_path)
    assert done.returncode == 2
    assert "Memory ran out" in done.stderr
    assert "panicked" not in done.stderr
    assert "backtrace" not in done.stderr


@pytest.mark.parametrize("kept", [0, 1, 700, 5_000])
def test_standard_output_may_be_closed_at_any_point(audited: Path, kept: int) -> None:
    done = shell(f"llm-audit analyze log.jsonl -q -f json | head -c {kept}; echo ${{PIPESTATUS[0]}} >&2", audited)
    assert len(done.stdout) == kept
    assert done.stderr.strip() in {"141", "0"}  # 0 where all fitted into the pipe before its reader ended
