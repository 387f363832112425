"""Measure the whole command against DuckDB and ``orjson.loads`` on the same log: bench_command.py [REQUESTS].

DuckDB scans the log and sums its token counts on all cores; ``orjson`` decodes its lines on one. The command is run
with an empty cache, again over the unchanged log, and with another policy. Each figure is of a process of its own,
start-up included: the least of three, but for runs that fill the cache. CPU time is that of descendants whose end was
waited for, and so leaves out the processes that read and audit.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import make_log
from processes import Run, least, run

REQUESTS = 200_000

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


def main(requests: int) -> None:
    """Print the figures of a log of a number of requests."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.jsonl")
        make_log.write(requests, log)
        time.sleep(3)  # a log that has just changed is hashed again
        decoded = least([sys.executable, "-c", DECODE, str(log)])
        scanned = least([sys.executable, "-c", SCAN, str(log)])
        os.environ["LLM_AUDIT_CACHE_DIR"] = f"{folder}/cache"
        analyze = [sys.executable, "-m", "llm_audit", "analyze", str(log), "-q", "-o", f"{folder}/report.json"]
        first = run(analyze)
        second = least(analyze)
        other = run([*analyze, "--policy", "always-small"])
        started = least([sys.executable, "-m", "llm_audit", "--help"])
        runs = {"orjson": decoded, "duckdb": scanned, "first": first, "second": second, "other policy": other}
        figures = {
            "requests": requests,
            "megabytes": round(log.stat().st_size / 1e6),
            "seconds": {name: round(taken.seconds, 2) for name, taken in runs.items()},
            "cpu_seconds": {name: round(taken.cpu_seconds, 2) for name, taken in runs.items()},
            "first_to_duckdb": _ratios(first, scanned),
            "first_to_orjson": _ratios(first, decoded),
            "second_to_first": _ratios(second, first),
            "other_policy_to_first": _ratios(other, first),
            "help_seconds": round(started.seconds, 2),
        }
    print(json.dumps(figures, indent=1))


def _ratios(taken: Run, base: Run) -> dict[str, float]:
    return {"wall": round(taken.seconds / base.seconds, 3), "cpu": round(taken.cpu_seconds / base.cpu_seconds, 3)}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
