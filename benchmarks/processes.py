"""Measurement of a process with its descendants."""

from __future__ import annotations

import os
import subprocess
import time
from typing import NamedTuple

RUNS = 3


class Run(NamedTuple):
    """The time of a process and its descendants."""

    seconds: float
    cpu_seconds: float


def least(command: list[str], *, runs: int = RUNS) -> Run:
    """Return the least times of several runs."""
    found = [run(command) for _ in range(runs)]
    return Run(min(taken.seconds for taken in found), min(taken.cpu_seconds for taken in found))


def run(command: list[str]) -> Run:
    """Run a command and measure it."""
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu)
