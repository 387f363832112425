"""Process a bundle of shards: read, detect formats, judge, and write a part of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

from llm_audit.engines import request_batches
from llm_audit.engines.compiled_batches import compiled_table
from llm_audit.engines.context import IngestConfig, IngestContext, load_context
from llm_audit.engines.features.text import extract_text_features
from llm_audit.engines.request_batches import RequestBatch
from llm_audit.engines.row_batches import Harder, Judge, Row, in_order, judged_table, ledger_row
from llm_audit.engines.row_reader import COMPILED, RowBatch
from llm_audit.ledger.arrow import part_writer
from llm_audit.ledger.part_cache import PartCache
from llm_audit.ledger.parts import MAX_EXAMPLES, LedgerPart, ShardTally
from llm_audit.sources.entry import Entry, NotACall, Reason, Rejected, Request
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.storage import UnreadableError
from llm_audit.sources.format_detector import internal_error
from llm_audit.sources.formats.interface import RowPlan
from llm_audit.sources.read import NO_CONTENT, ShardReader, content_hash
from llm_audit.sources.split import Bundle, Shard

_BY_VALUE = frozenset({Reason.BAD_TIME, Reason.BAD_TOKENS})
"""Reasons whose note shows the record's value; of a shard, the first is kept."""

MAX_ROWS = 8192
MAX_ASK_CHARS = 1 << 24
"""A batch is judged and written when it has this many rows, or this much text to judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleTask:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(BundleTask):
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


class PartWriter:
    """Collect rows and write them in batches."""

    def __init__(self, target: Path, judge: Judge, harder: Harder | None = None) -> None:
        self.rows = 0
        self.target = target
        self._judge = judge
        self._harder = harder
        self._batch: list[Row] = []
        self._compiled = RowBatch(MAX_ROWS) if COMPILED else None
        self._requests = RequestBatch(MAX_ROWS) if request_batches.COMPILED else None
        self._ask_chars = 0
        self._writer: Any = None
        self.failed: list[tuple[Row, Exception]] = []  # rows that do not fit the ledger's columns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, position: tuple[int, int, int], name: str, request: Request) -> None:
        """Add a request, whose text is read; ``flush_if_full`` writes the batch.

        Args:
            position: That of its entry; see ``ledger_row``.
            name: The name of its format.
            request: The request.
        """
        if self._requests is None or not self._requests.add(position, name, request):
            found = extract_text_features(request)
            # The text has been hashed and the ask selected; only the ask is kept until the batch is judged.
            request.messages = request.completion = None
            self._batch.append(ledger_row(position, name, request, found))
            self._ask_chars += len(found.ask)

    def take(
        self, name: str, plan: RowPlan, block: bytes, start: int, position: tuple[int, int, int]
    ) -> tuple[int, int]:
        """Read lines of a block as far as compiled code can; see ``RowBatch.take``.

        Args:
            name: The name of their format.
            plan: How they are read.
            block: The block.
            start: Where the first line begins.
            position: That of the first line's entry, as ``ledger_row`` has it.
        """
        batch, lines = self._compiled, 0
        while batch is not None and (not batch.rows or batch.format == name):
            batch.format = name
            rows, ask_chars = self._held()
            room = MAX_ROWS - rows, MAX_ASK_CHARS - ask_chars
            start, taken = batch.take(plan, block, start, position, room=room)
            lines += taken
            if not self.flush_if_full():
                break
            entry, index, line = position
            position = entry + taken, index, line + taken
        return start, lines

    def _held(self) -> tuple[int, int]:
        """Return how many rows are held, and the characters of their asks."""
        batches = [batch for batch in (self._compiled, self._requests) if batch is not None]
        rows, ask_chars = sum(batch.rows for batch in batches), sum(batch.ask_chars for batch in batches)
        return len(self._batch) + rows, self._ask_chars + ask_chars

    def flush_if_full(self) -> bool:
        """Write the batch where it is large enough; return whether it was."""
        rows, ask_chars = self._held()
        if full := rows >= MAX_ROWS or ask_chars >= MAX_ASK_CHARS:
            self._flush()
        return full

    def _flush(self) -> None:
        for table in self._tables_in_order():
            if self._writer is None:
                self._writer = part_writer(self.target)
            self._writer.write_table(table)
            self.rows += table.num_rows
        self._batch.clear()
        self._ask_chars = 0
        for batch in (self._compiled, self._requests):
            if batch is not None:
                batch.clear()

    def _tables_in_order(self) -> Sequence[Any]:
        rows, batch, requests = self._batch, self._compiled, self._requests
        if requests is not None and requests.rows:
            if not rows and (batch is None or not batch.rows):
                with suppress(Exception):  # the row that fails is found below
                    return [requests.table(self._judge, self._harder)]
            rows = sorted((*rows, *requests.as_rows()), key=itemgetter(1, 0))
        if batch is None or not batch.rows:
            return [*self._tables(rows)] if rows else []
        try:
            return [compiled_table(batch, self._judge, self._harder, between=rows)]
        except Exception:  # the row that fails is one of Python's
            if not rows:
                raise
            return [in_order([compiled_table(batch, self._judge, self._harder), *self._tables(rows)])]

    def _tables(self, rows: Sequence[Row]) -> Iterator[Any]:
        """Yield the rows as tables: one, or around a row that fails several without it."""
        try:
            yield judged_table(rows, self._judge, self._harder)
        except Exception as error:  # noqa: BLE001 - one record must not end the run
            if len(rows) == 1:
                self.failed.append((rows[0], error))
                return
            middle = len(rows) // 2
            yield from self._tables(rows[:middle])
            yield from self._tables(rows[middle:])


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
