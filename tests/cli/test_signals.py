"""Signals and crashes, each in a process of its own; only processes started here are ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit.ledger.workspace import Workspace, remove_abandoned

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a run is watched over on Linux")

_LONGEST = 300
"""Seconds after which a process has not ended for sure, however busy the machine is; one that ends takes a fraction."""

# Waits in the middle of an audit, with a temporary folder, until a signal comes.
WAITING = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which a parent may ignore
import llm_audit.cli
from llm_audit.engines import local

def wait(*_, **__):
    from llm_audit.ledger.workspace import Workspace
    holder = Workspace()
    print("ready", os.getpid(), flush=True)
    time.sleep(600)

import llm_audit.api.ledgers
llm_audit.api.ledgers.ingest = wait
llm_audit.cli.main(["analyze", sys.argv[1]])
"""
CRASHING = """
import ctypes, os, signal, sys
import llm_audit.api.ledgers, llm_audit.cli

def crash(*_, **__):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), int(sys.argv[2]))

llm_audit.api.ledgers.ingest = crash
llm_audit.cli.main(["analyze", sys.argv[1]])
"""


def start(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(write_log(tmp_path / "log.jsonl", requests=3))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().split()[1])


def test_what_waits_for_the_end_of_a_run_is_done_and_written() -> None:
    ending = "import atexit, llm_audit.cli; atexit.register(print, 'at exit'); llm_audit.cli.main(['nothing'])"
    found = subprocess.run([sys.executable, "-c", ending], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (2, "at exit\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("to_child", [False, True])
def test_a_signal_ends_a_run_cleanly(tmp_path: Path, number: int, code: int, to_child: bool) -> None:
    process, child = start(tmp_path)
    assert child != process.pid
    assert len(os.listdir(tmp_path / "tmp")) == 1
    os.kill(child if to_child else process.pid, number)
    _, said = process.communicate(timeout=_LONGEST)
    assert (process.returncode, said) == (code, "error: Interrupted; no report was written.\n")
    assert os.listdir(tmp_path / "tmp") == []


def test_two_signals_at_once_are_one(tmp_path: Path) -> None:
    process, child = start(tmp_path)
    for target in (child, process.pid, process.pid):
        os.kill(target, signal.SIGTERM)
    _, said = process.communicate(timeout=_LONGEST)
    assert (process.returncode, said.count("\n")) == (143, 1)


def test_a_run_whose_parent_was_killed_ends_and_cleans_up(tmp_path: Path) -> None:
    process, child = start(tmp_path)
    process.kill()
    process.communicate(timeout=_LONGEST)  # both ends of its output are closed: the child has ended too
    end = time.monotonic() + _LONGEST
    while Path(f"/proc/{child}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGSEGV, 70, "native code crashed (SIGSEGV)"),
        (signal.SIGTRAP, 70, "native code crashed (SIGTRAP)"),
        (signal.SIGABRT, 70, "native code crashed (SIGABRT)"),
        (signal.SIGBUS, 70, "native code crashed (SIGBUS)"),
        (signal.SIGILL, 70, "native code crashed (SIGILL)"),
        (signal.SIGKILL, 2, "memory ran out"),
        (signal.SIGTERM, 143, ""),
    ],
)
def test_a_crash_of_native_code_has_a_documented_exit_code(tmp_path: Path, number: int, code: int, words: str) -> None:
    log = write_log(tmp_path / "log.jsonl", requests=3)
    done = subprocess.run(
        [sys.executable, "-c", CRASHING, str(log), str(int(number))], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_folders_of_dead_runs_go_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = (
        "import os, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from llm_audit.ledger.workspace import Workspace\n"
        "made = Workspace(); print(made.path); sys.stdout.flush(); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    dead = Path(done.stdout.strip())
    assert dead.is_dir()
    alive = Workspace()
    (tmp_path / "llm-audit-of-another-program").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "run.lock").touch()
    (tmp_path / "llm-audit-link").symlink_to(tmp_path / "elsewhere")
    remove_abandoned()
    assert sorted(os.listdir(tmp_path)) == sorted(
        ["elsewhere", "llm-audit-link", "llm-audit-of-another-program", alive.path.name]
    )
    assert (tmp_path / "elsewhere" / "run.lock").exists()
