"""Process a bundle of shards: read, detect formats, judge, and write a part of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from llm_audit.engines.context import IngestConfig, IngestContext, load_context
from llm_audit.ledger.part_cache import PartCache
from llm_audit.ledger.parts import MAX_EXAMPLES, LedgerPart, ShardTally
from llm_audit.sources.entry import Entry, NotACall, Reason, Rejected, Request
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.storage import UnreadableError
from llm_audit.sources.format_detector import internal_error
from llm_audit.sources.formats.interface import RowPlan
from llm_audit.sources.read import NO_CONTENT, ShardReader, content_hash
from llm_audit.sources.split import Bundle, Shard

if TYPE_CHECKING:
    from llm_audit.engines.part_writer import PartWriter

_BY_VALUE = frozenset({Reason.BAD_TIME, Reason.BAD_TOKENS})
"""Reasons whose note shows the record's value; of a shard, the first is kept."""


class BundleTask(msgspec.Struct, kw_only=True, frozen=True):
    """A bundle of shards to read.

    Attributes:
        bundle: The shards.
        config: How they are read and judged.
        run: The run's own name; see ``context.load_context``.
    """

    bundle: Bundle
    config: IngestConfig
    run: str

    @property
    def size_bytes(self) -> int:
        """Return the bytes to read from disk."""
        return sum(shard.size_bytes for shard in self.bundle)

    @property
    def label(self) -> str:
        """Return the names of the files."""
        return ", ".join(sorted({shard.source.name for shard in self.bundle}))


class Task(BundleTask, kw_only=True, frozen=True):
    """A bundle to make a ledger part of.

    Attributes:
        work_key: The cache's key for the bundle and the code that reads it.
        target: The file to write rows to.
        cache: The cache's folder; None for no cache.
    """

    work_key: str
    target: Path
    cache: Path | None = None


def process(task: Task) -> LedgerPart:
    """Return the part of a bundle, from the cache where it holds one of the same content.

    Raises:
        UsageError: A file cannot be opened or fetched.
    """
    # What a table holds is known only once it is read, so that nothing kept of it can be found by its content.
    of_files = all(shard.source.table is None for shard in task.bundle)
    cache = PartCache(task.cache) if task.cache is not None and of_files else None
    folder = task.target.parent
    if cache is not None and cache.has_parts(task.work_key):
        stored = cache.part(task.work_key, [content_of(shard, folder) for shard in task.bundle])
        if stored is not None:
            return stored
    from llm_audit.engines.part_writer import PartWriter  # which the process that makes tasks does without

    context = load_context(task.config, task.run)
    with PartWriter(task.target, context.judge, context.harder) as writer:
        tallies = [_fetch_and_read(index, shard, context, writer) for index, shard in enumerate(task.bundle)]
    for row, error in writer.failed:
        _, index, line, name = row[:4]
        tallies[index].requests -= 1
        _count(tallies[index], line, internal_error(name, error))
    part = LedgerPart(file=str(task.target) if writer.rows else None, rows=writer.rows, shards=tallies)
    if cache is not None and all(tally.content for tally in tallies):
        cache.store_part(task.work_key, part)
        part.damaged = cache.damaged
    return part


def content_of(shard: Shard, folder: Path) -> str:
    """Return the hash of a shard's bytes; empty where they cannot be read."""
    try:
        with _at_hand(shard, folder) as near:
            return content_hash(near)
    except (UnreadableError, OSError):
        return ""


@contextmanager
def _at_hand(shard: Shard, folder: Path) -> Iterator[Shard]:
    """Yield a shard that can be read: a complete file on disk, or a range where it is."""
    if shard.end is not None:
        yield shard
        return
    with on_disk(shard.source, folder) as source:
        yield replace(shard, source=source)


def _fetch_and_read(index: int, shard: Shard, context: IngestContext, writer: PartWriter) -> ShardTally:
    try:
        with _at_hand(shard, writer.target.parent) as near:
            return _read_shard(index, near, context, writer)
    except UnreadableError as error:  # a member of an archive, or an object
        tally = ShardTally(content="", sha256=NO_CONTENT, entries=1)
        _count(tally, 1, Rejected(Reason.UNREADABLE, note=str(error)))
        return tally


def _read_shard(index: int, shard: Shard, context: IngestContext, writer: PartWriter) -> ShardTally:
    tally = ShardTally(content="", version=shard.source.version)
    place = requests = 0

    def take(name: str, plan: RowPlan, block: bytes, start: int, line: int) -> tuple[int, int]:
        nonlocal place, requests
        start, lines = writer.take(name, plan, block, start, (place, index, line))
        place += lines
        requests += lines
        return start, lines

    reader = ShardReader(
        shard, formats=context.formats, forced=context.forced, date_order=context.date_order, take=take
    )
    entries = reader.detector.entries
    for line, item in reader:
        for name, entry in entries(line, item):
            if isinstance(entry, Request):
                try:
                    usage = entry.usage
                    if usage.output_tokens is None or not (usage.input_tokens or usage.output_tokens):
                        context.fill(entry)
                    writer.add((place, index, line), name, entry)
                except Exception as error:  # noqa: BLE001 - one record must not end the run
                    _count(tally, line, internal_error(name, error), reader.place)
                    place += 1
                    continue
                requests += 1
                writer.flush_if_full()
            else:
                _count(tally, line, entry, reader.place if isinstance(entry, Rejected) else "")
            place += 1
    tally.entries, tally.requests = place, requests
    tally.lines, tally.content, tally.read_bytes = reader.lines, reader.content, reader.read_bytes
    tally.formats = dict(sorted(reader.detector.records.items()))
    if reader.note:
        tally.add_note(1, reader.note)
    if shard.end is None:
        tally.sha256 = reader.sha256
    return tally


def _count(tally: ShardTally, line: int, entry: Entry, place: str = "") -> None:
    """Count an entry that is no request; ``place`` is the primary key of a table's row."""
    if isinstance(entry, NotACall):
        reason = entry.reason.value
        tally.not_calls[reason] = tally.not_calls.get(reason, 0) + 1
    elif isinstance(entry, Rejected):
        tally.count_rejected(entry.reason.value, line)
        if place and tally.rejected[entry.reason.value].count <= MAX_EXAMPLES:
            tally.add_note(line, f"{entry.reason.value} {entry.field}".rstrip() + f" in the row {place}")
        if entry.note and (entry.reason not in _BY_VALUE or tally.rejected[entry.reason.value].count == 1):
            tally.add_note(line, entry.note)
        if entry.unread_bytes:
            tally.add_unread(line, entry.unread_bytes)
