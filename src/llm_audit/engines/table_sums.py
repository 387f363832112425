"""Size and hash of a database's tables, which are those of the rows that were read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from llm_audit.ledger.parts import ShardTally
from llm_audit.sources.split import Shard

_MODULUS = 1 << 128


def of_tables(shards: Iterable[tuple[Shard, ShardTally]]) -> dict[str, tuple[int, str]]:
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
