"""Measure the whole command against DuckDB and ``orjson.loads`` on the same log: bench_command.py [REQUESTS].

DuckDB scans the log and sums its token counts on all cores; ``orjson`` decodes its lines on one. The command is run
with an empty cache, again over the unchanged log, and with another policy. Each figure is of a process of its own,
start-up included: the least of three, but for runs that fill the cache. CPU time is that of all descendants too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import make_log

REQUESTS = 200_000
RUNS = 3

DECODE = """
import sys, orjson
with open(sys.argv[1], "rb") as log:
    for line in log:
        orjson.loads(line)
"""
SCAN = """
import sys, duckdb
counts = "usage.prompt_tokens, usage.completion_tokens"
total = ", ".join(f"sum({name})" for name in counts.split(", "))
duckdb.sql(f"select model, {total} from read_json('{sys.argv[1]}') group by model").fetchall()
"""


class Run(NamedTuple):
    """The time of a process and its descendants."""

    seconds: float
    cpu_seconds: float


def main(requests: int) -> None:
    """Print the figures of a log of a number of requests."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.jsonl")
        make_log.write(requests, log)
        time.sleep(3)  # a log that has just changed is hashed again
        decoded = _least([sys.executable, "-c", DECODE, str(log)])
        scanned = _least([sys.executable, "-c", SCAN, str(log)])
        os.environ["LLM_AUDIT_CACHE_DIR"] = f"{folder}/cache"
        analyze = [sys.executable, "-m", "llm_audit", "analyze", str(log), "-q", "-o", f"{folder}/report.json"]
        first = _run(analyze)
        second = _least(analyze)
        other = _run([*analyze, "--policy", "always-small"])
        started = _least([sys.executable, "-m", "llm_audit", "--help"])
        runs = {"orjson": decoded, "duckdb": scanned, "first": first, "second": second, "other policy": other}
        figures = {
            "requests": requests,
            "megabytes": round(log.stat().st_size / 1e6),
            "seconds": {name: round(run.seconds, 2) for name, run in runs.items()},
            "cpu_seconds": {name: round(run.cpu_seconds, 2) for name, run in runs.items()},
            "first_to_duckdb": _ratios(first, scanned),
            "first_to_orjson": _ratios(first, decoded),
            "second_to_first": _ratios(second, first),
            "other_policy_to_first": _ratios(other, first),
            "help_seconds": round(started.seconds, 2),
        }
    print(json.dumps(figures, indent=1))


def _ratios(run: Run, base: Run) -> dict[str, float]:
    return {"wall": round(run.seconds / base.seconds, 3), "cpu": round(run.cpu_seconds / base.cpu_seconds, 3)}


def _least(command: list[str]) -> Run:
    runs = [_run(command) for _ in range(RUNS)]
    return Run(min(run.seconds for run in runs), min(run.cpu_seconds for run in runs))


def _run(command: list[str]) -> Run:
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
