"""Cut a ledger of tests into partitions, as ingest cuts a large one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.ledger import Ledger
from llm_audit.ledger.manifest import MANIFEST_FILE, encode_manifest, requests_files
from llm_audit.ledger.row_hashes import hash_rows


def partitioned(ledger: Ledger, partitions: int, folder: Path) -> Ledger:
    """The same requests in several partitions, those of a conversation or trace in one of them."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = ledger.frame.sort("input", "line", "entry")
    number = hash_rows([_groups(frame)]) % np.uint64(partitions)
    for place, name in enumerate(requests_files(partitions)):
        frame.filter(pl.Series(number == place)).write_parquet(folder / name)
    manifest = replace(ledger.manifest, partitions=partitions)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(manifest))
    return Ledger(folder, manifest)


def _groups(frame: pl.DataFrame) -> np.ndarray:
    """The smallest row that each row is connected to, by steps over conversations and traces."""
    group = pl.Series("group", np.arange(frame.height), pl.UInt64)
    rows = frame.select("conversation", "trace")
    while True:
        before = group
        for name in ("conversation", "trace"):
            lowest = rows.with_columns(group).select(
                pl.when(pl.col(name).is_null()).then("group").otherwise(pl.col("group").min().over(name)).alias("group")
            )
            group = lowest["group"]
        if group.equals(before):
            return group.to_numpy()
