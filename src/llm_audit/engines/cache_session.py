"""Look up this run's unchanged files in the cache, and store what the run makes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from xxhash import xxh3_128_hexdigest

from llm_audit.engines.context import IngestConfig, code_fingerprint
from llm_audit.errors import AuditWarning
from llm_audit.ledger.cache_folder import evict, warn_of_unusable
from llm_audit.ledger.part_cache import FileHashes, FileState, PartCache
from llm_audit.ledger.parts import LedgerPart, ShardTally
from llm_audit.ledger.store import Ledger
from llm_audit.sources.files import storage
from llm_audit.sources.files.find import STANDARD_INPUT
from llm_audit.sources.files.named import printable
from llm_audit.sources.files.on_disk import version_of
from llm_audit.sources.files.storage import Source

if TYPE_CHECKING:
    from llm_audit.sources.split import Bundle, Shard


class CacheSession:
    """One run's use of the cache. Without a cache nothing is found and nothing is stored."""

    def __init__(
        self, cache: PartCache | None, sources: Sequence[Source], config: IngestConfig, *, partitions: int | None = None
    ) -> None:
        self._cache = cache
        self._partitions = partitions
        self._sources = sources
        self._config = config
        self._hashes: dict[str, FileHashes] = {}
        for source in sources:
            if cache and _can_be_kept(source) and (found := _known(cache, source)):
                self._hashes[source.name] = found

    @cached_property
    def _code(self) -> str:
        return f"{code_fingerprint()} {self._config.fingerprint()}" if self._cache else ""

    @property
    def unknown_bytes(self) -> int:
        """Return the size of the files that are new or have changed since a run read them."""
        return sum(source.size_bytes for source in self._sources if source.name not in self._hashes)

    def ledger(self) -> Ledger | None:
        """Return the ledger of these files; None where one has changed since it was made."""
        if self._cache is None or len(self._hashes) < len(self._sources) or not self._sources:
            return None
        return self._cache.ledger(self._ledger_key({name: found.sha256 for name, found in self._hashes.items()}))

    def warn_of_damage(self, parts: Sequence[LedgerPart] = ()) -> None:
        """Say once that entries were damaged: here, or where processes made parts again that were."""
        damaged = (self._cache.damaged if self._cache else 0) + sum(part.damaged for part in parts)
        if self._cache and damaged:
            warnings.warn(
                f"The cache {self._cache.folder} was damaged in {damaged} of its entries. They were removed, and what "
                "they held is read from the logs again.",
                AuditWarning,
                stacklevel=3,
            )

    def work_key(self, bundle: Bundle) -> str:
        """Return the cache's key for reading these byte ranges of files of these names with this code."""
        ranges = "\0".join(f"{shard.source.name}\0{shard.start}\0{shard.end is None}" for shard in bundle)
        deleted = [shard.source.deleted for shard in bundle]
        return xxh3_128_hexdigest(f"{self._code}\0{ranges}".encode() + _joined(deleted))

    def part(self, bundle: Bundle, work_key: str) -> LedgerPart | None:
        """Return the part of a bundle; None where one of its files has changed."""
        if self._cache is None:
            return None
        contents = []
        for shard in bundle:
            found = self._hashes.get(shard.source.name)
            content = found.contents.get(shard.start) if found else None
            if content is None:
                return None
            contents.append(content)
        return self._cache.part(work_key, contents)

    def sha256(self, source: Source) -> str:
        """Return the SHA-256 of a file; it is read only where the cache does not hold its hash."""
        found = self._hashes.get(source.name)
        return found.sha256 if found else storage.sha256(source)

    def store(self, ledger: Ledger, shards: Sequence[tuple[Shard, ShardTally]]) -> None:
        """Store the hashes of this run's files and its ledger, and evict what exceeds the cache's size."""
        if self._cache is None or any(source.table is not None for source in self._sources):
            return
        contents: dict[str, dict[int, str]] = {}
        versions: dict[str, str] = {}
        for shard, tally in shards:
            contents.setdefault(shard.source.name, {})[shard.start] = tally.content
            versions[shard.source.name] = tally.version
        hashes = {described.path: described.sha256 for described in ledger.manifest.inputs}
        archives = {source.member.archive.identity for source in self._sources if source.member is not None}
        for source in self._sources:
            found = contents.get(source.name, {})
            if _can_be_kept(source) and found and all(found.values()):
                state = _state(source)
                by = "" if source.identity in archives else code_fingerprint()
                self._cache.store_hashes(FileHashes(state, hashes[source.name], found, versions[source.name], by))
        if all(tally.content for _, tally in shards):  # what could not be read now may be readable next time
            self._cache.store_ledger(self._ledger_key(hashes), ledger)
        evict(self._cache.folder)
        if self._cache.unwritten:
            warn_of_unusable(self._cache.folder, self._cache.unwritten)

    def _ledger_key(self, hashes: dict[str, str]) -> str:
        deleted = [source.deleted for source in sorted(self._sources, key=lambda source: source.name)]
        key = f"{self._code}\0{sorted(hashes.items())}\0{self._partitions}"
        return xxh3_128_hexdigest(key.encode() + _joined(deleted))


def _joined(deleted: Sequence[bytes]) -> bytes:
    """Return the rows that are deleted in each file as one text; empty where none are."""
    return b"".join(f"\0{len(one)} ".encode() + one for one in deleted) if any(deleted) else b""


def known_not_to_be_archives(cache: PartCache | None) -> Callable[[Source], bool]:
    """Return whether a file is known to be no archive, by what a run with the same code found in it."""

    def known(source: Source) -> bool:
        found = cache.hashes(_state(source)) if cache and _can_be_kept(source) else None
        return found is not None and found.no_archive_by == code_fingerprint()

    return known


def _can_be_kept(source: Source) -> bool:
    """Return whether a source can be told to be unchanged without reading it."""
    return source.name != STANDARD_INPUT and source.table is None


def _known(cache: PartCache, source: Source) -> FileHashes | None:
    """Return the hashes of an unchanged file; of an object whose time alone has changed, by its version."""
    return cache.hashes(_state(source), (lambda: version_of(source)) if source.remote else (lambda: ""))


def _state(source: Source) -> FileState:
    return FileState(
        path=printable(source.path),
        size_bytes=source.size_bytes,
        modified_ns=source.modified_ns,
        identity=source.identity,
    )
