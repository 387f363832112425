"""Measure ingest against one core of ``orjson.loads`` on the same log: bench_ingest.py [REQUESTS] [JOBS].

Prints ratios, which hold from machine to machine, beside the seconds and bytes of this one. Each figure is taken in a
process of its own. Memory is the sum of proportional set sizes of the process and its children, sampled every 20 ms.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import make_log

SAMPLE_SECONDS = 0.02
GROWTH = 4

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
from llm_audit.engines.local import IngestOptions, ingest
options = IngestOptions(jobs=int(sys.argv[2]), cache=sys.argv[3] == "cache")
started = time.perf_counter()
ledger = ingest([sys.argv[1]], options=options)
print(time.perf_counter() - started)
"""


def main(requests: int, jobs: int) -> None:
    """Print the figures of a log of so many requests, and the memory of one four times as large."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_AUDIT_CACHE_DIR"] = f"{folder}/cache"
        small, large = Path(folder, "small.jsonl"), Path(folder, "large.jsonl")
        make_log.write(requests, small)
        with large.open("wb") as file:
            for _ in range(GROWTH):
                file.write(small.read_bytes())
        decode = min(_run(DECODE, str(small))[0] for _ in range(3))
        runs = [_run(INGEST, str(small), str(jobs), "none") for _ in range(3)]
        seconds = min(run[0] for run in runs)
        first = _run(INGEST, str(small), str(jobs), "cache")[0]
        second = _run(INGEST, str(small), str(jobs), "cache")[0]
        figures = {
            "requests": requests,
            "megabytes": round(small.stat().st_size / 1e6),
            "jobs": jobs,
            "orjson_seconds": round(decode, 2),
            "ingest_seconds": round(seconds, 2),
            "ingest_to_orjson": round(seconds / decode, 2),
            "second_run_to_first": round(second / first, 4),
            "peak_megabytes": round(min(run[1] for run in runs) / 1e6),
            f"peak_megabytes_of_{GROWTH}x": round(_run(INGEST, str(large), str(jobs), "none")[1] / 1e6),
        }
    print(json.dumps(figures, indent=1))


def _run(code: str, *arguments: str) -> tuple[float, int]:
    """Run a script; return the seconds it prints and the peak of its memory in bytes."""
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_proportional(pid) for pid in _family(process.pid)))
        time.sleep(SAMPLE_SECONDS)
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"A measured process ended with {process.returncode}.")
    return float(output), peak


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in _family(int(child)))]


def _proportional(pid: int) -> int:
    """A process's share of the memory it maps; nothing where it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
