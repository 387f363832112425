"""What an update has to read: the logs as they are now, compared with what a kept ledger was made of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from llm_audit.engines.workspace.kept import KeptParts
from llm_audit.engines.workspace.plan import bundle_bytes, joined
from llm_audit.engines.workspace.regroup import Piece
from llm_audit.ledger.parts import ShardTally
from llm_audit.sources.files.find import order
from llm_audit.sources.files.on_disk import version_of
from llm_audit.sources.files.storage import Source
from llm_audit.sources.formats.interface import Format
from llm_audit.sources.split import Shard, bundles, same_tar

_MIN_AGE_NS = 2_000_000_000  # a file changed more recently may change again within its time's resolution


class KeptShard(msgspec.Struct, frozen=True):
    """A shard of a kept ledger, its place among the shards of its part, and its tally: None where the part is lost."""

    shard: Shard
    part: int
    position: int
    tally: ShardTally | None

    @property
    def readable(self) -> bool:
        """Return whether all of it was read."""
        return self.tally is not None and bool(self.tally.content)


class Wanted(msgspec.Struct, frozen=True):
    """A shard that the ledger is to hold, and the kept one that it is known to equal."""

    shard: Shard
    kept: KeptShard | None


def kept_shards(kept: KeptParts) -> dict[str, list[KeptShard]]:
    """Return the shards of a kept ledger, by the name of their file."""
    found: dict[str, list[KeptShard]] = {}
    for number, part in enumerate(kept.parts):
        for position, shard in enumerate(kept.state.plan.bundle(number)):
            tally = None if part is None else part.shards[position]
            found.setdefault(shard.source.name, []).append(KeptShard(shard, number, position, tally))
    return found


def young_names(sources: Sequence[Source]) -> frozenset[str]:
    """Return the names of the files that may change again without a change of their size and time."""
    now = time.time_ns()
    return frozenset(source.name for source in sources if now - source.modified_ns < _MIN_AGE_NS)


def split_changed(
    files: Sequence[Source], known: dict[str, list[KeptShard]], young: frozenset[str]
) -> tuple[dict[str, list[KeptShard]], list[Source]]:
    """Return the shards of the files that are as they were, by name, and the files that are new or have changed."""
    same: dict[str, list[KeptShard]] = {}
    changed: list[Source] = []
    for source in files:
        before = known.get(source.name, [])
        unread = any(shard.tally is not None and not shard.tally.content for shard in before)
        if before and not unread and _is_unchanged(before, source, young):
            same[source.name] = before
        else:
            changed.append(source)
    return same, changed


def _is_unchanged(before: Sequence[KeptShard], source: Source, young: frozenset[str]) -> bool:
    """Return whether a file is as it was, by its description; a touched object, by its version."""
    old = before[0].shard.source
    if source.name not in young and replace(source, version=old.version) == old:
        return True
    if not source.remote or replace(source, version=old.version, modified_ns=old.modified_ns) != old:
        return False
    versions = {shard.tally.version for shard in before if shard.tally is not None}
    return len(versions) == 1 and (version := versions.pop()) != "" and version == version_of(source)


def cut_changed(changed: Sequence[Source], formats: Sequence[Format]) -> list[Shard]:
    """Return the shards of the files that are new or have changed."""
    return [shard for bundle in bundles(changed, formats) for shard in bundle]


def candidates(shards: Sequence[Shard], known: dict[str, list[KeptShard]]) -> list[tuple[Shard, KeptShard]]:
    """Return the shards that may have the content of a kept one, which one reading without judging tells.

    Those of objects are not among them, since their bytes would be fetched in either case.
    """
    found = []
    for shard in shards:
        for before in known.get(shard.source.name, []):
            old = before.shard
            same_range = (old.start, old.end) == (shard.start, shard.end)
            same_size = shard.end is not None or old.source.size_bytes == shard.source.size_bytes
            same_columns = old.source.columns == shard.source.columns
            if before.readable and same_range and same_size and same_columns and not shard.source.remote:
                found.append((shard, before))
    return found


class Group(msgspec.Struct, frozen=True):
    """The shards of one part, and the pieces of kept parts that it is made of; none where it is to be read."""

    shards: tuple[Shard, ...]
    pieces: tuple[Piece, ...]


def in_order(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return shards in the order of a ledger's inputs."""
    return sorted(wanted, key=lambda one: (order(one.shard.source), one.shard.start))


def grouped(wanted: Sequence[Wanted]) -> list[Group]:
    """Return the parts to be: neighbours of a kept part stay together, and those to read are joined up to a size."""
    new_bytes = sum(one.shard.size_bytes for one in wanted if one.kept is None)
    groups: list[Group] = []
    unread: list[Shard] = []

    def read_unread() -> None:
        groups.extend(Group(bundle, ()) for bundle in _bundled(unread, bundle_bytes(new_bytes)))
        unread.clear()

    for one in wanted:
        if one.kept is None:
            unread.append(one.shard)
            continue
        read_unread()
        part, position = one.kept.part, one.kept.position
        last = groups[-1].pieces[-1] if groups and groups[-1].pieces else None
        if last is not None and (last.part, last.end) == (part, position):
            groups[-1] = Group((*groups[-1].shards, one.shard), (Piece(part, last.start, position + 1),))
        else:
            groups.append(Group((one.shard,), (Piece(part, position, position + 1),)))
    read_unread()
    return groups


def _bundled(shards: Sequence[Shard], size_bytes: int) -> list[tuple[Shard, ...]]:
    units: list[tuple[Shard, ...]] = []
    for shard in shards:
        if units and same_tar(units[-1][-1].source, shard.source):
            units[-1] = (*units[-1], shard)
        else:
            units.append((shard,))
    return joined(units, size_bytes) if units else []
