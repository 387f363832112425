"""Print the tables of docs/scale.md: what larger logs would take, from rates measured on one machine.

    python benchmarks/scale_table.py [--ingest-mb-s 36] [--audit-us 60] [--task-ms 5] ...

It extrapolates, and measures nothing; each rate has the value that was measured for docs/scale.md as its default. Files
and requests are counted by the code that makes them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from llm_audit.ledger.assembly import PARTITION_ROWS
from llm_audit.ledger.shared.relay import Relay

TB = 10**12
SIZES_TB = (1, 10, 100, 1_000)
BUNDLE_BYTES = 1 << 30
SECONDS_AN_HOUR = 3_600
WRITE_REQUESTS = 3  # of Arrow's client: begin, send, finish
SLICE_REQUESTS = 3  # the size, the index, the slice
FETCH_REQUESTS = 2  # the size, the content
TOGETHER = 16  # sums that are added up at once


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks, files that they write, slices that they read of files, and files that they read as a whole."""

    tasks: int = 0
    files: int = 0
    slices: int = 0
    fetches: int = 0

    def __add__(self, other: Work) -> Work:
        """Return the sum."""
        return Work(
            self.tasks + other.tasks, self.files + other.files, self.slices + other.slices, self.fetches + other.fetches
        )

    @property
    def writes(self) -> int:
        """Return the requests that write: of files, and of a receipt for each task."""
        return WRITE_REQUESTS * (self.files + self.tasks)

    @property
    def reads(self) -> int:
        """Return the requests that read: of slices, of files, and of the receipt that may be there."""
        return SLICE_REQUESTS * self.slices + FETCH_REQUESTS * self.fetches + self.tasks


def relayed(sources: int, readers: int) -> Work:
    """Return what carries rows from files to readers, beside the tasks at both ends."""
    relay = Relay(uri="", kind="", sources=sources, readers=readers)
    steps = slices = 0
    for level in range(1, relay.levels):
        ranges = -(-readers // relay.width(level - 1))
        steps += ranges * relay.groups(level)
        slices += ranges * relay.groups(level - 1)
    return Work(tasks=steps, files=sources + steps, slices=slices + readers * relay.groups(relay.levels - 1))


def assembly(parts: int, partitions: int) -> Work:
    """Return the assembly of a log that has neither duplicates nor traces that span conversations."""
    steps = Work(tasks=2 * parts + 3 * partitions, files=3 * partitions, fetches=2 * parts)
    keys, rows = relayed(parts, partitions), relayed(parts, partitions)
    return steps + keys + keys + Work(files=parts) + rows  # merge keys and links; owners are written and not read


def audit(partitions: int) -> Work:
    """Return the audit: four stages, of which three read the ledger, two exchanges, and sums."""
    sums = 3 * partitions // (TOGETHER - 1)
    own = Work(tasks=4 * partitions + sums, files=4 * partitions + sums, fetches=3 * partitions + 3 * partitions)
    return own + relayed(partitions, partitions) + relayed(partitions, partitions)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--request-bytes", type=float, default=3_500, help="of the log, a request")
    parser.add_argument("--part-bytes", type=float, default=41, help="of a part, a request")
    parser.add_argument("--exchange-bytes", type=float, default=38, help="that steps exchange, a request and level")
    parser.add_argument("--ingest-mb-s", type=float, default=36, help="read and judged by a core")
    parser.add_argument("--assembly-us", type=float, default=25, help="of a core, a request")
    parser.add_argument("--slice-ms", type=float, default=1.2, help="of a core, a slice that is read")
    parser.add_argument("--audit-us", type=float, default=89, help="of a core, a request")
    parser.add_argument("--task-ms", type=float, default=5, help="of the scheduler and the client, a task")
    parser.add_argument("--usd-core-hour", type=float, default=0.085, help="of an instance, a core")
    parser.add_argument("--usd-million-reads", type=float, default=0.4, help="of a store, a million requests to read")
    parser.add_argument("--usd-million-writes", type=float, default=5.0, help="likewise, to write")
    given = parser.parse_args()
    work, cost = [], []
    for size in SIZES_TB:
        log = size * TB
        requests = log / given.request_bytes
        parts, partitions = round(log / BUNDLE_BYTES), round(requests / PARTITION_ROWS)
        read = log / (given.ingest_mb_s * 10**6) / SECONDS_AN_HOUR
        made, audited = assembly(parts, partitions), audit(partitions)
        steps = made + audited + Work(tasks=parts, files=parts)
        levels = Relay(uri="", kind="", sources=parts, readers=partitions).levels
        work.append(
            (
                f"{size:,} TB", f"{requests:.1e}", f"{parts:,}", f"{partitions:,}", f"{levels}", _count(steps.tasks),
                _count(steps.files + steps.tasks), _count(steps.slices), f"{_count(parts * partitions * 3)}",
                _count(steps.reads), _count(steps.writes),
                _bytes(requests * (given.part_bytes + levels * given.exchange_bytes)),
            )
        )  # fmt: skip
        assemble = (requests * given.assembly_us / 10**6 + made.slices * given.slice_ms / 1_000) / SECONDS_AN_HOUR
        audit_hours = (requests * given.audit_us / 10**6 + audited.slices * given.slice_ms / 1_000) / SECONDS_AN_HOUR
        scheduler = steps.tasks * given.task_ms / 1_000 / SECONDS_AN_HOUR
        store = (steps.reads * given.usd_million_reads + steps.writes * given.usd_million_writes) / 10**6
        cores = (read + assemble + audit_hours) * given.usd_core_hour
        cost.append(
            (
                f"{size:,} TB", f"{read:,.0f}", f"{assemble:,.0f}", f"{audit_hours:,.0f}", f"{scheduler:,.1f}",
                f"{cores / size:,.2f}", f"{store / size:,.2f}",
            )
        )  # fmt: skip
    _print(
        ("log", "requests", "parts", "partitions", "levels", "tasks", "objects", "slices read", "of one level",
         "requests to read", "to write", "bytes written by steps"),
        work,
    )  # fmt: skip
    print()
    _print(
        ("log", "core hours to read", "to assemble", "to audit", "scheduler, hours", "USD a TB, cores",
         "USD a TB, requests to the store"),
        cost,
    )  # fmt: skip


def _print(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("| " + " | ".join(names) + " |")
    print("|" + "--:|" * len(names))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def _count(count: float) -> str:
    return f"{count:,.0f}" if count < 10**6 else f"{count:.1e}"


def _bytes(count: float) -> str:
    units = ("B", "kB", "MB", "GB", "TB")
    for power, (unit, _) in enumerate(pairwise((*units, ""))):
        if count < 1_000 ** (power + 1):
            return f"{count / 1_000**power:,.0f} {unit}"
    return f"{count / TB:,.0f} TB"


if __name__ == "__main__":
    main()
