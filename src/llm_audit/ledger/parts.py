"""Parts of a ledger, each made of a bundle of shards, and the counts of the entries read."""

from __future__ import annotations

import msgspec

MAX_EXAMPLES = 5
"""Lines kept for each reason in a shard, the first ones."""


MAX_NOTES = 20
"""Remarks kept of a shard, the first ones."""


class RejectionCount(msgspec.Struct):
    """Count of the entries of a shard rejected for one reason, with their first lines, from 1 within the shard."""

    count: int = 0
    lines: list[int] = []


class ShardTally(msgspec.Struct):
    """Counts of the entries of a shard: ``entries = requests + not_calls + rejected``."""

    content: str  # hash of the bytes read
    version: str = ""  # of an object in a store: its ETag and generation
    sha256: str | None = None  # of a whole file; None for a range
    lines: int = 0  # lines of a range, to number those of the next
    entries: int = 0
    requests: int = 0
    formats: dict[str, int] = {}  # records by format
    not_calls: dict[str, int] = {}  # entries by reason
    rejected: dict[str, RejectionCount] = {}
    notes: list[tuple[int, str]] = []  # remarks on what could not be read, each with its line within the shard
    unread_bytes: int = 0  # passed over around damaged records
    unread_line: int = 0  # the first of them
    read_bytes: int = 0  # of the rows of a table, whose size is not known before

    def add_note(self, line: int, note: str) -> None:
        """Keep a remark, once for each text."""
        if len(self.notes) < MAX_NOTES and all(note != kept for _, kept in self.notes):
            self.notes.append((line, note))

    def add_unread(self, line: int, unread_bytes: int) -> None:
        """Count bytes that were passed over."""
        self.unread_bytes += unread_bytes
        self.unread_line = self.unread_line or line

    def count_rejected(self, reason: str, line: int) -> None:
        """Count a rejected entry and keep its line as an example."""
        rejections = self.rejected.setdefault(reason, RejectionCount())
        rejections.count += 1
        if len(rejections.lines) < MAX_EXAMPLES:
            rejections.lines.append(line)


class LedgerPart(msgspec.Struct):
    """The rows of a bundle and the tallies of its shards, in order.

    The file has the ledger's columns. In it ``input`` is the shard's position in the bundle, ``line`` and ``entry`` are
    counted within the shard, and ``request_key`` is null; assembly replaces them by those of the ledger.
    """

    file: str | None  # a Parquet file; None where there is no request
    rows: int
    shards: list[ShardTally]
    damaged: int = 0  # entries of the cache found damaged while it was made; nothing that is kept
