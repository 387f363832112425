"""Parts made up for tests: calls with their chains of prompts, traces and ids, cut into files, shards and bundles."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from llm_audit.ledger import Ledger
from llm_audit.ledger.arrow import ARROW_SCHEMA, parquet_writer
from llm_audit.ledger.assembly import OffsetPart, assemble, with_offsets
from llm_audit.ledger.parts import LedgerPart, ShardTally
from llm_audit.ledger.schema import SCHEMA
from llm_audit.ledger.shared import Mapper, in_process
from llm_audit.ledger.shared.relay import FAN

START = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Log:
    """Files of rows; ``shards`` says where each is cut, and ``bundles`` how many shards are in a bundle."""

    files: tuple[tuple[dict[str, Any], ...], ...]
    shard_rows: int = 1_000
    bundle_shards: int = 1
    folder: Path = field(default_factory=Path)

    def parts(self) -> list[OffsetPart]:
        """The parts, as workers write them."""
        shards = [
            (number, rows[start : start + self.shard_rows])
            for number, rows in enumerate(self.files)
            for start in range(0, len(rows), self.shard_rows)
        ]
        found = []
        for place in range(0, len(shards), self.bundle_shards):
            bundle = shards[place : place + self.bundle_shards]
            file = self.folder / f"part-{place}.parquet"
            rows = [
                {"input": at, "line": entry // 2 + 1, "entry": entry, "usage_source": "reported"} | row
                for at, (_, shard) in enumerate(bundle)
                for entry, row in enumerate(shard)
            ]
            frame = pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA)
            with parquet_writer(file) as writer:
                writer.write_table(frame.to_arrow().cast(ARROW_SCHEMA))
            tallies = [
                ShardTally(content=str(shard), lines=(len(shard) + 1) // 2, entries=len(shard), requests=len(shard))
                for _, shard in bundle
            ]
            part = LedgerPart(file=str(file), rows=len(rows), shards=tallies)
            found.append((part, [number for number, _ in bundle]))
        return with_offsets(found)

    def inputs(self) -> list[tuple[str, int, str]]:
        """Path, size and hash of each file; files of equal rows have equal hashes."""
        return [
            (f"{number}.jsonl", len(rows), sha256(repr(rows).encode()).hexdigest())
            for number, rows in enumerate(self.files)
        ]

    def assembled(
        self,
        partitions: int | None,
        target: Path,
        *,
        workspace: Path | None = None,
        run: Mapper = in_process,
        fan: int = FAN,
        group_rows: int = 1,
    ) -> Ledger:
        """The ledger of all parts, each of which is a group of its own by default."""
        target.mkdir(parents=True, exist_ok=True)
        made = assemble(
            self.parts(),
            inputs=self.inputs(),
            target=target,
            notes=[],
            fingerprints={"ingest": "1"},
            partitions=partitions,
            workspace=workspace,
            run=run,
            fan=fan,
            group_rows=group_rows,
        )
        return Ledger(target, made.manifest)


def chain(*messages: int) -> dict[str, int | None]:
    """Prompt hashes of a request whose messages are numbers: even ones are said by people, odd ones by the model."""

    def prompt(count: int) -> int:
        return int.from_bytes(sha256(repr(messages[:count]).encode()).digest()[:6])

    replies = [place for place, message in enumerate(messages) if message % 2]
    return {
        "prompt_hash": prompt(len(messages)),
        "parent_prompt_hash": prompt(replies[-1]) if replies else None,
        "opening_hash": prompt(replies[0] if replies and replies[0] else len(messages)),
    }
