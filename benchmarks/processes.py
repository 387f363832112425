"""Measurement of a process with its descendants."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from contextlib import suppress
from typing import NamedTuple

RUNS = 3
_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux


class Run(NamedTuple):
    """The time of a process and its descendants."""

    seconds: float
    cpu_seconds: float


def least(command: list[str], *, runs: int = RUNS) -> Run:
    """Return the least times of several runs."""
    found = [run(command) for _ in range(runs)]
    return Run(min(taken.seconds for taken in found), min(taken.cpu_seconds for taken in found))


def run(command: list[str]) -> Run:
    """Run a command and measure it. Only Linux counts processes that outlive the one that started them."""
    if hasattr(ctypes.CDLL(None), "prctl"):
        ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    with suppress(ChildProcessError):  # no child is left
        while True:
            os.wait()  # counts what a server of processes, and thereby its own, have taken
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu)
