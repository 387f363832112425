"""Print the table of docs/scale.md: what larger logs would take, from rates measured on one machine.

    python benchmarks/scale_table.py [--ingest-mb-s 36] [--audit-us 60] [--task-ms 5] ...

It extrapolates, and measures nothing; each rate has the value that was measured for docs/scale.md as its default.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

TB = 10**12
SIZES_TB = (1, 10, 100, 1_000)
BUNDLE_BYTES = 1 << 30
PARTITION_ROWS = 200_000
SECONDS_AN_HOUR = 3_600


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--request-bytes", type=float, default=3_500, help="of the log, a request")
    parser.add_argument("--part-bytes", type=float, default=41, help="of a part, a request")
    parser.add_argument("--exchange-bytes", type=float, default=38, help="of all files that steps exchange, a request")
    parser.add_argument("--ingest-mb-s", type=float, default=36, help="read and judged by a core")
    parser.add_argument("--assembly-us", type=float, default=25, help="of a core, a request")
    parser.add_argument("--slice-ms", type=float, default=1.2, help="of a core, for each part and partition")
    parser.add_argument("--audit-us", type=float, default=89, help="of a core, a request")
    parser.add_argument("--task-ms", type=float, default=5, help="of the scheduler and the client, a task")
    parser.add_argument("--usd-core-hour", type=float, default=0.085, help="of an instance, a core")
    given = parser.parse_args()
    names = (
        "log", "requests", "tasks that read", "partitions", "written by the steps", "core hours to read",
        "to assemble", "to audit", "scheduler, hours", "USD a TB",
    )  # fmt: skip
    print("| " + " | ".join(names) + " |")
    print("|" + "--:|" * len(names))
    for size in SIZES_TB:
        log = size * TB
        requests = log / given.request_bytes
        bundles, partitions = log / BUNDLE_BYTES, requests / PARTITION_ROWS
        read = log / (given.ingest_mb_s * 10**6) / SECONDS_AN_HOUR
        slices = bundles * partitions * given.slice_ms / 1_000
        assemble = (requests * given.assembly_us / 10**6 + slices) / SECONDS_AN_HOUR
        audit = requests * given.audit_us / 10**6 / SECONDS_AN_HOUR
        tasks = 3 * bundles + 6 * partitions
        cells = (
            f"{size:,} TB", f"{requests:.1e}", f"{bundles:,.0f}", f"{partitions:,.0f}",
            _bytes(requests * (given.part_bytes + given.exchange_bytes)), f"{read:,.0f}", f"{assemble:,.0f}",
            f"{audit:,.0f}", f"{tasks * given.task_ms / 1_000 / SECONDS_AN_HOUR:,.1f}",
            f"{(read + assemble + audit) * given.usd_core_hour / size:,.2f}",
        )  # fmt: skip
        print("| " + " | ".join(cells) + " |")


def _bytes(count: float) -> str:
    units = ("B", "kB", "MB", "GB", "TB")
    for power, (unit, _) in enumerate(pairwise((*units, ""))):
        if count < 1_000 ** (power + 1):
            return f"{count / 1_000**power:,.0f} {unit}"
    return f"{count / TB:,.0f} TB"


if __name__ == "__main__":
    main()
