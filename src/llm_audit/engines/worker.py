"""What a process does with a bundle of shards: read, recognise, judge, and write a part of the ledger."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from llm_audit.engines.context import Toolbox
from llm_audit.engines.digest import Digest, digest
from llm_audit.engines.row_batches import Judge, Row, row, table
from llm_audit.ledger.arrow import parquet_writer
from llm_audit.ledger.part_cache import Cache
from llm_audit.ledger.tally import Part, ShardTally
from llm_audit.sources.entry import Entry, NotACall, Rejected, Request
from llm_audit.sources.files.storage import on_disk
from llm_audit.sources.read import ShardReader, content_hash
from llm_audit.sources.split import Bundle, Shard

MAX_ROWS = 8192
MAX_ASK_CHARS = 1 << 24
"""A batch is judged and laid out when it has this many rows, or this much text to judge."""


@dataclass(frozen=True, slots=True)
class Task:
    """A bundle to make a part of.

    Attributes:
        bundle: What to read.
        work: Names the bundle and what reads it, in the cache.
        target: The file to write rows to.
        cache: The cache's folder, or None to use none.
    """

    bundle: Bundle
    work: str
    target: Path
    cache: Path | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return sum(shard.size_bytes for shard in self.bundle)


def process(task: Task, tools: Toolbox) -> Part:
    """Make the part of a bundle, or take it from the cache where one of the same content is kept.

    Raises:
        UsageError: A file cannot be opened or fetched.
    """
    cache = Cache(task.cache) if task.cache is not None else None
    with ExitStack() as fetched:
        bundle = [replace(shard, source=fetched.enter_context(on_disk(shard.source))) for shard in task.bundle]
        if cache is not None and cache.has_candidates(task.work):
            kept = cache.part(task.work, [content_hash(shard) for shard in bundle])
            if kept is not None:
                return kept
        with PartWriter(task.target, tools.judge) as writer:
            tallies = [_read_shard(index, shard, tools, writer) for index, shard in enumerate(bundle)]
    part = Part(file=str(task.target) if writer.rows else None, rows=writer.rows, shards=tallies)
    if cache is not None:
        cache.keep_part(task.work, part)
    return part


class PartWriter:
    """Collects rows and writes them a batch at a time."""

    def __init__(self, target: Path, judge: Judge) -> None:
        self.rows = 0
        self._target = target
        self._judge = judge
        self._held: list[Row] = []
        self._ask_chars = 0
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, row: Row, ask_chars: int) -> None:
        """Take a row and the size of its ask, and write a batch when there is enough."""
        self._held.append(row)
        self._ask_chars += ask_chars
        if len(self._held) >= MAX_ROWS or self._ask_chars >= MAX_ASK_CHARS:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        if self._writer is None:
            self._writer = parquet_writer(self._target)
        self._writer.write_table(table(self._held, self._judge))
        self.rows += len(self._held)
        self._held.clear()
        self._ask_chars = 0


def _read_shard(index: int, shard: Shard, tools: Toolbox, writer: PartWriter) -> ShardTally:
    reader = ShardReader(shard, formats=tools.formats, forced=tools.forced)
    tally = ShardTally(content="")
    entries = reader.detector.entries
    place = requests = 0
    for line, item in reader:
        for name, entry in entries(line, item):
            if isinstance(entry, Request):
                requests += 1
                found = _digested(entry, tools)
                writer.add(row((place, index, line), name, entry, found), len(found.ask))
            else:
                _count(tally, line, entry)
            place += 1
    tally.entries, tally.requests = place, requests
    tally.lines, tally.content = reader.lines, reader.content
    tally.formats = dict(sorted(reader.detector.records.items()))
    if shard.end is None:
        tally.sha256 = tally.content
    return tally


def _digested(request: Request, tools: Toolbox) -> Digest:
    if request.usage.usage_source == "none":
        tools.fill(request)
    found = digest(request)
    # The text has been hashed and chosen from; only the ask is held until the batch is judged.
    request.messages = request.completion = None
    return found


def _count(tally: ShardTally, line: int, entry: Entry) -> None:
    if isinstance(entry, NotACall):
        reason = entry.reason.value
        tally.not_calls[reason] = tally.not_calls.get(reason, 0) + 1
    elif isinstance(entry, Rejected):
        tally.refuse(entry.reason.value, line)
