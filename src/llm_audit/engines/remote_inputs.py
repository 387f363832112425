"""Hashes of objects and of tables, which are read in parts, and a run none of whose objects can be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from llm_audit.errors import IncompleteError
from llm_audit.ledger.parts import ShardTally
from llm_audit.sources.entry import Reason
from llm_audit.sources.split import Shard

_MODULUS = 1 << 128


def ranges_hashes(shards: Sequence[tuple[Shard, ShardTally]]) -> dict[str, str]:
    """Return, for each object read in ranges, a hash of the hashes of these, marked as such.

    The SHA-256 of the whole would need a second reading of it from its beginning to its end.
    """
    states: dict[str, Any] = {}
    for shard, tally in shards:
        if shard.source.remote and shard.end is not None:
            states.setdefault(shard.source.name, hashlib.sha256()).update(tally.content.encode())
    return {name: f"{state.hexdigest()}:ranges" for name, state in states.items()}


def table_hashes(shards: Iterable[tuple[Shard, ShardTally]]) -> dict[str, tuple[int, str]]:
    """Return the bytes and the hash of the rows of each table, by its name.

    The hash is made of the number of rows and the sum of their hashes, so that it does not depend on where a table was
    cut, nor on the order in which its rows were read.
    """
    sums: dict[str, list[int]] = {}
    for shard, tally in shards:
        if shard.source.database:
            found = sums.setdefault(shard.source.name, [0, 0, 0])
            for place, value in enumerate((tally.read_bytes, tally.lines, int(tally.content, 16))):
                found[place] += value
    return {
        name: (size, hashlib.sha256(f"{rows} {digest % _MODULUS}".encode()).hexdigest())
        for name, (size, rows, digest) in sums.items()
    }


def refuse_unreadable(shards: Sequence[tuple[Shard, ShardTally]]) -> None:
    """Refuse a run over objects none of which can be read; where some can, the others are counted and noted.

    Raises:
        IncompleteError: None can be read.
    """
    failed = [tally for shard, tally in shards if shard.source.remote and _is_unreadable(tally)]
    if failed and len(failed) == sum(tally.entries > 0 for _, tally in shards):
        many = f"None of the {len(failed):,} objects" if len(failed) > 1 else "The object"
        verb = "can" if len(failed) > 1 else "cannot"
        raise IncompleteError(f"{many} {verb} be read. {failed[0].notes[0][1]}")


def _is_unreadable(tally: ShardTally) -> bool:
    rejected = tally.rejected.get(Reason.UNREADABLE.value)
    return rejected is not None and rejected.count == tally.entries and bool(tally.notes)
