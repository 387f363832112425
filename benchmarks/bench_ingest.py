"""Measure ingest against one core of ``orjson.loads`` on the same log: bench_ingest.py [REQUESTS] [JOBS].

Prints ratios, which hold from machine to machine, beside the seconds and bytes of this one. Each figure is taken in a
process of its own. CPU time is that of the process and its descendants, and shows what a machine busy with other work
hides. Memory is the sum of their proportional set sizes, sampled every 20 ms in a run that is not timed, since adding
them up takes a good part of a core.
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

SAMPLE_SECONDS = 0.02
GROWTH = 4
RUNS = 3

DECODE = """
import sys, time, orjson
started = time.perf_counter()
with open(sys.argv[1], "rb") as log:
    for line in log:
        orjson.loads(line)
print(time.perf_counter() - started)
"""
INGEST = """
import sys, time
from llm_audit.engines import IngestOptions, ingest
options = IngestOptions(jobs=int(sys.argv[2]), cache=sys.argv[3] == "cache")
started = time.perf_counter()
ledger = ingest([sys.argv[1]], options=options)
print(time.perf_counter() - started)
"""


class Run(NamedTuple):
    """The time and memory of a run."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int  # 0 where it was not watched


def main(requests: int, jobs: int) -> None:
    """Print the figures of a log of a number of requests, and the memory of one four times as large."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_AUDIT_CACHE_DIR"] = f"{folder}/cache"
        small, large = Path(folder, "small.jsonl"), Path(folder, "large.jsonl")
        make_log.write(requests, small)
        make_log.write(GROWTH * requests, large, seed=2)
        decoded = [_run(DECODE, str(small)) for _ in range(RUNS)]
        runs = [_run(INGEST, str(small), str(jobs), "none") for _ in range(RUNS)]
        decode, ingest = min(run.seconds for run in decoded), min(run.seconds for run in runs)
        first = _run(INGEST, str(small), str(jobs), "cache").seconds
        second = _run(INGEST, str(small), str(jobs), "cache").seconds
        figures = {
            "requests": requests,
            "megabytes": round(small.stat().st_size / 1e6),
            "jobs": jobs,
            "orjson_seconds": round(decode, 2),
            "ingest_seconds": round(ingest, 2),
            "ingest_to_orjson": round(ingest / decode, 2),
            "cpu_to_orjson_cpu": round(
                min(run.cpu_seconds for run in runs) / min(run.cpu_seconds for run in decoded), 2
            ),
            "second_run_to_first": round(second / first, 4),
            "peak_megabytes": round(_run(INGEST, str(small), str(jobs), "none", memory=True).peak_bytes / 1e6),
            f"peak_megabytes_of_{GROWTH}x": round(
                _run(INGEST, str(large), str(jobs), "none", memory=True).peak_bytes / 1e6
            ),
        }
    print(json.dumps(figures, indent=1))


def _run(code: str, *arguments: str, memory: bool = False) -> Run:
    """Run a script that prints its seconds, and measure its processes; their memory only on request."""
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    peak, ticks = 0, {}
    while process.poll() is None:
        family = _family(process.pid)
        peak = max(peak, sum(_proportional(pid) for pid in family) if memory else 0)
        ticks |= {pid: spent for pid in family if (spent := _ticks(pid))}
        time.sleep(SAMPLE_SECONDS)
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"A measured process ended with {process.returncode}.")
    return Run(float(output), sum(ticks.values()) / os.sysconf("SC_CLK_TCK"), peak)


def _ticks(pid: int) -> int:
    """Return the user and system time of a process in clock ticks; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in _family(int(child)))]


def _proportional(pid: int) -> int:
    """Return the proportional set size of a process; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
