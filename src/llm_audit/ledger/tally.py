"""What a shard or a bundle of shards held: counts that add up, and the part of the ledger made of it."""

from __future__ import annotations

import msgspec

MAX_EXAMPLES = 5
"""Lines kept for each reason of a file, the first ones."""


class Refusals(msgspec.Struct):
    """Entries rejected for one reason in one shard, and the first lines, counted from 1 within the shard."""

    count: int = 0
    lines: list[int] = []


class ShardTally(msgspec.Struct):
    """One shard's entries: ``entries = requests + not_calls + rejected``."""

    content: str  # hash of the bytes read
    sha256: str | None = None  # of a whole file; None for a range
    lines: int = 0  # lines of a range, to number those of the next
    entries: int = 0
    requests: int = 0
    formats: dict[str, int] = {}  # records by format
    not_calls: dict[str, int] = {}  # entries by reason
    rejected: dict[str, Refusals] = {}

    def refuse(self, reason: str, line: int) -> None:
        """Count a rejected entry and keep its line as an example."""
        refusals = self.rejected.setdefault(reason, Refusals())
        refusals.count += 1
        if len(refusals.lines) < MAX_EXAMPLES:
            refusals.lines.append(line)


class Part(msgspec.Struct):
    """A bundle's rows and its shards' tallies, in order.

    The file has the ledger's columns. In it ``input`` is the shard's place in the bundle, ``line`` is counted within
    the shard, and ``request_key`` is the entry's place in the shard; the reducer makes them those of the ledger.
    """

    file: str | None  # a Parquet file; None where there is no request
    rows: int
    shards: list[ShardTally]
