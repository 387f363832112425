"""Measure the audit half on a large ledger: three policies, 1,000 resamplings, against polars reading and grouping it.

The ledger is that of the sample logs, repeated with other identifiers and later times until it has ROWS rows, and then
four times as many.

    python benchmarks/bench_audit.py [ROWS]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 1_000_000
POLICIES = ("small-by-default", "cheapest-capable", "always-small")
IDS = (
    "request_key",
    "request_id",
    "merge_key",
    "conversation",
    "trace",
    "span",
    "parent_span",
    "prompt_hash",
    "parent_prompt_hash",
    "tool_call_hash",
    "tool_result_hash",
    "reply_hash",
    "quoted_hash",
)


def build(folder: Path, rows: int) -> None:
    """Write the ledger."""
    import msgspec
    import polars as pl

    from llm_audit.engines import ingest
    from llm_audit.ledger import Ledger, write_ledger
    from llm_audit.ledger.manifest import REQUESTS_FILE

    sample = ingest([Path(__file__).parents[1] / "sample_logs"])
    frame = sample.scan().collect()
    copies = -(-rows // frame.height)
    parts = [
        frame.with_columns(
            *(pl.col(name) ^ (copy * 0x9E3779B97F4A7C15 % 2**64) for name in IDS),
            time=pl.col("time") + pl.duration(minutes=7 * copy),
        )
        for copy in range(copies)
    ]
    pl.concat(parts).head(rows).write_parquet(folder / REQUESTS_FILE)
    manifest = msgspec.structs.replace(
        sample.manifest, rows=rows, read=rows, duplicates=0, not_provider_calls=[], rejected=[]
    )
    write_ledger(Ledger(folder, manifest), folder)


def measure(folder: Path, what: str) -> None:
    """Run one measurement, and print its seconds, processor seconds and peak memory as JSON."""
    import polars as pl

    from llm_audit.audit.run import AuditOptions, run
    from llm_audit.audit.simulate import simulate
    from llm_audit.catalog import Catalog
    from llm_audit.ledger import read_ledger
    from llm_audit.policy import load
    from llm_audit.pricing import PriceBook

    ledger = read_ledger(folder)
    start, cpu = time.perf_counter(), time.process_time()
    if what == "polars":
        keys = ["provider", "model", "team", "app", "template_hash", "category", "judged", "usage_source"]
        frame = ledger.scan().collect()
        frame.group_by(keys).agg(pl.len(), pl.col("^.*_tokens$").sum(), pl.col("difficulty").mean())
    elif what == "simulate":
        simulate(
            ledger, [load(name) for name in POLICIES], catalog=Catalog.load(), book=PriceBook(), options=AuditOptions()
        )
    else:
        run(ledger, policy=load(what), catalog=Catalog.load(), book=PriceBook(), options=AuditOptions(resamples=1_000))
    seconds, processor = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"what": what, "seconds": round(seconds, 2), "cpu": round(processor, 2), "peak_mb": round(peak)}))


def compare(rows: int) -> None:
    """Build a ledger, run each measurement in its own process, and print ratios to polars."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, "--build", name, str(rows)], check=True)
        results = {}
        for what in ("polars", "small-by-default", "simulate"):
            done = subprocess.run(
                [sys.executable, __file__, "--measure", name, what], check=True, capture_output=True, text=True
            )
            results[what] = json.loads(done.stdout)
    base = results["polars"]
    print(f"{rows:,} rows")
    for what, found in results.items():
        wall, cpu = found["seconds"] / base["seconds"], found["cpu"] / base["cpu"]
        print(
            f"{what:18} {found['seconds']:7.2f} s {found['cpu']:7.2f} cpu s {found['peak_mb']:6} MB"
            f"  x{wall:.1f} wall x{cpu:.1f} cpu"
        )


def main() -> None:
    """Measure a ledger, and one of four times as many rows for the growth of memory."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    compare(rows)
    compare(4 * rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        build(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), sys.argv[3])
    else:
        main()
