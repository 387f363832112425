"""Measure ingest of other files and formats against that of a plain flat log: bench_formats.py [REQUESTS].

The same log as gzip, zstd and Parquet, beside decompressing it; the same requests in formats that are slow to read, as
megabytes a second of CPU time. Each figure is of a process of its own, the least of three, without its start-up.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
import shapes
from processes import Run, least

REQUESTS = 40_000

START = "from llm_audit.engines import IngestOptions, ingest, preload"
INGEST = f"{START}; import sys; ingest([sys.argv[1]], options=IngestOptions(jobs=2, cache=False))"
DECODE = """
import sys, orjson
with open(sys.argv[1], "rb") as log:
    for line in log:
        orjson.loads(line)
"""
UNPACK = """
import sys, pyarrow as pa
with pa.OSFile(sys.argv[1]) as packed, pa.CompressedInputStream(packed, sys.argv[2]) as file:
    while file.read(1 << 20): pass
"""


def main(requests: int) -> None:
    """Print the figures of a number of requests."""
    with tempfile.TemporaryDirectory() as folder:
        logs = {name: Path(folder, f"{name}.jsonl") for name in shapes.SHAPES}
        for name, path in logs.items():
            shapes.write(name, requests, path)
        packed = pack(logs["flat"])
        started = least([sys.executable, "-c", START])
        runs = {name: without(started, measured(INGEST, str(path))) for name, path in (logs | packed).items()}
        unpacked = {name: measured(UNPACK, str(packed[name]), name) for name in ("gzip", "zstd")}
        decoded = measured(DECODE, str(logs["flat"]))
        speeds = {name: path.stat().st_size / 1e6 / runs[name].cpu_seconds for name, path in logs.items()}
        flat = runs["flat"]
        figures = {
            "requests": requests,
            "flat_to_orjson_cpu": round(flat.cpu_seconds / decoded.cpu_seconds, 2),
            "cpu_seconds_per_100k": {name: round(runs[name].cpu_seconds * 1e5 / requests, 2) for name in logs},
            "speed_to_flat": {name: round(speed / speeds["flat"], 2) for name, speed in speeds.items()},
            "wall_to_plain": {name: round(runs[name].seconds / flat.seconds, 2) for name in packed},
            "cpu_to_plain": {name: round(runs[name].cpu_seconds / flat.cpu_seconds, 2) for name in packed},
            "unpacking_to_plain_cpu": {
                name: round(taken.cpu_seconds / flat.cpu_seconds, 2) for name, taken in unpacked.items()
            },
        }
    print(json.dumps(figures, indent=1))


def pack(log: Path) -> dict[str, Path]:
    """Write the log as gzip, zstd and Parquet."""
    packed = {name: log.with_name(f"log.{name}") for name in ("gzip", "zstd", "parquet")}
    with log.open("rb") as plain, gzip.open(packed["gzip"], "wb", compresslevel=6) as file:
        shutil.copyfileobj(plain, file)
    with log.open("rb") as plain, pa.CompressedOutputStream(str(packed["zstd"]), "zstd") as file:
        shutil.copyfileobj(plain, file)
    table = pj.read_json(log, read_options=pj.ReadOptions(block_size=1 << 24))
    pq.write_table(table, packed["parquet"], compression="zstd", row_group_size=8192)
    return packed


def measured(code: str, *arguments: str) -> Run:
    """Run a script three times."""
    return least([sys.executable, "-c", code, *arguments])


def without(start: Run, taken: Run) -> Run:
    """Return the times of a run without those of its start."""
    return Run(taken.seconds - start.seconds, taken.cpu_seconds - start.cpu_seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
