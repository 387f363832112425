"""Inputs of a kept ledger that are not among the logs any more: those that stay, and those that are there otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from llm_audit.engines.workspace.changes import KeptShard
from llm_audit.engines.workspace.kept import KeptState
from llm_audit.sources.files import storage
from llm_audit.sources.files.find import Found
from llm_audit.sources.files.on_disk import version_of
from llm_audit.sources.files.storage import Source

_PACKED = (".gz", ".zst", ".bz2", ".xz", ".lz4")
_NAMES_SHOWN = 20


class Elsewhere:
    """Tells whether the content of a kept file is that of a file of another name, or the beginning of one."""

    def __init__(self, state: KeptState, present: Sequence[Source], changed: Sequence[Source]) -> None:
        self._state = state
        self._changed = {source.name for source in changed}
        self._by_identity = {source.identity: source for source in present if source.member is None}
        self._by_size: dict[int, list[Source]] = {}
        for source in self._by_identity.values():
            self._by_size.setdefault(source.size_bytes, []).append(source)

    def holds(self, shards: Sequence[KeptShard]) -> bool:
        """Return whether a file was renamed, moved or packed."""
        old = shards[0].shard.source
        if old.database:
            return False
        if any(f"{old.name}{suffix}" in self._changed for suffix in _PACKED):
            return True
        same_file = self._by_identity.get(old.identity)
        others = [*self._by_size.get(old.size_bytes, []), *([same_file] if same_file is not None else [])]
        return any(other.name != old.name and self.begins(other, shards) for other in others)

    def begins(self, other: Source, shards: Sequence[KeptShard]) -> bool:
        """Return whether a file begins with the content of a kept one, or is equal where it is an object."""
        old = shards[0].shard.source
        if old.member is not None or other.remote != old.remote or other.size_bytes < old.size_bytes:
            return False
        tally = shards[0].tally
        if old.remote:
            version = old.version or (tally.version if tally is not None else "")
            return bool(version) and other.size_bytes == old.size_bytes and version_of(other) == version
        sha256 = self._state.sha256.get(old.name) or (tally.sha256 if tally is not None else None)
        return sha256 is not None and storage.sha256(replace(other, size_bytes=old.size_bytes)) == sha256


def staying(known: Mapping[str, list[KeptShard]], elsewhere: Elsewhere, found: Found) -> list[str]:
    """Return the names of the kept inputs that are not among the logs, and are not there under another name.

    A table that is passed over, since another one holds the same calls in more detail, does not stay beside that one.
    """
    names = {source.name for source in found.sources} | {note.partition(" was not read")[0] for note in found.notes}
    return sorted(name for name, shards in known.items() if name not in names and not elsewhere.holds(shards))


def replaced(known: Mapping[str, list[KeptShard]], elsewhere: Elsewhere, changed: Sequence[Source]) -> list[str]:
    """Return the names of the files whose earlier content is neither continued there nor found under another name."""
    return [
        source.name
        for source in changed
        if (shards := known.get(source.name)) and not elsewhere.begins(source, shards) and not elsewhere.holds(shards)
    ]


def is_gone(shards: Sequence[KeptShard]) -> bool:
    """Return whether a file on this machine does not exist, or an object or a table was not listed."""
    source = shards[0].shard.source
    return (
        source.remote
        or source.database
        or not Path(source.member.archive.path if source.member else source.path).exists()
    )


def named(names: Sequence[str]) -> str:
    """Return names as a text, the first of many."""
    return ", ".join(names[:_NAMES_SHOWN]) + (" …" if len(names) > _NAMES_SHOWN else "")


def note(names: Iterable[str]) -> list[str]:
    """Return the remark of a manifest on the inputs that stay."""
    absent = sorted(names)
    if not absent:
        return []
    are = "1 input is" if len(absent) == 1 else f"{len(absent):,} inputs are"
    return [f"{are} no longer among the logs, and {'stays' if len(absent) == 1 else 'stay'} here: {named(absent)}"]
