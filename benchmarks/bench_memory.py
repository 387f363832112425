"""Measure the memory of a whole `analyze` by the number of requests.

    python benchmarks/bench_memory.py [REQUESTS ...] [--jobs 2]

Writes logs of short flat records, audits each with an empty cache, and prints the largest resident memory that any one
process of the run reached, as the system accounts it, with the ratio to the first size.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ASKS = (
    "When will my parcel with number {} arrive?",
    "Write a unit test for the function parse_{} that covers empty input.",
    "Prove that {} is composite, and name its smallest factor.",
    "Translate into French: the meeting is moved to room {}.",
    "Plan the migration of {} services to the new gateway without downtime.",
)
MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5-20250929", "gemini-2.5-pro")
_EVERY_SECONDS = 0.05


def main() -> None:
    """Print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", type=int, nargs="*", default=[250_000, 1_000_000])
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    first = 0.0
    for requests in given.requests:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log.jsonl"
            write_log(log, requests)
            main_mb, other_mb, seconds = measured(log, given.jobs, Path(folder))
            size_mb = log.stat().st_size / 1e6
        largest = max(main_mb, other_mb)
        first = first or largest
        print(
            f"{requests:,} requests, {size_mb:,.0f} MB: the process that watches {main_mb:,.0f} MB, "
            f"largest of the others {other_mb:,.0f} MB, {largest / first:.2f} of the first; {seconds:.0f} s",
            flush=True,
        )


def write_log(path: Path, requests: int) -> None:
    """Write short flat records of some fifth as many conversations, by a seed."""
    chance = random.Random(7)
    with path.open("w") as file:
        for number in range(requests):
            record = {
                "timestamp": 1788220800 + number * 2_000_000 // requests,
                "model": chance.choices(MODELS, (5, 3, 2, 1))[0],
                "messages": [
                    {"role": "system", "content": f"You are the assistant of team {number % 12}."},
                    {"role": "user", "content": chance.choice(ASKS).format(number)},
                ],
                "conversation_id": f"c{chance.randrange(max(1, requests // 5))}",
                "team": f"team-{number % 12}",
                "usage": {"prompt_tokens": chance.randrange(40, 4000), "completion_tokens": chance.randrange(1, 900)},
            }
            file.write(json.dumps(record) + "\n")


def measured(log: Path, jobs: int, folder: Path) -> tuple[float, float, float]:
    """Return the peaks in MB of the process that is started, which watches, and of the largest other, and the time."""
    command = [sys.executable, "-m", "llm_audit", "analyze", str(log), "-f", "json", "--no-cache", "--jobs", str(jobs)]
    start = time.monotonic()
    peaks: dict[int, int] = {}
    with (folder / "out.json").open("wb") as out:
        run = psutil.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        while run.poll() is None:
            try:
                for process in (run, *run.children(recursive=True)):
                    peaks[process.pid] = max(peaks.get(process.pid, 0), _peak(process.pid))
            except psutil.Error:  # it has ended meanwhile
                pass
            time.sleep(_EVERY_SECONDS)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}")
    own = peaks.pop(run.pid)
    return own / 1024, max(peaks.values(), default=0) / 1024, time.monotonic() - start


def _peak(pid: int) -> int:
    """Return the peak resident memory of a process in kB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    main()
