"""What the cache knows of this run's files: their hashes where they are unchanged, and what was made of them."""

from __future__ import annotations

from collections.abc import Sequence

from xxhash import xxh3_128_hexdigest

from llm_audit.engines.context import Recipe, code_fingerprint
from llm_audit.ledger.part_cache import Cache, FileFacts, FileHashes
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.tally import Part, ShardTally
from llm_audit.sources.files import storage
from llm_audit.sources.files.find import STANDARD_INPUT
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Bundle, Shard


class Memory:
    """The cache as one run sees it. Without a cache it knows nothing and keeps nothing."""

    def __init__(self, cache: Cache | None, sources: Sequence[Source], recipe: Recipe) -> None:
        self._cache = cache
        self._sources = sources
        self._code = f"{code_fingerprint()} {recipe.fingerprint()}" if cache else ""
        self._hashes: dict[str, FileHashes] = {}
        for source in sources:
            if cache and source.name != STANDARD_INPUT and (found := cache.hashes(_facts(source))):
                self._hashes[source.name] = found

    def ledger(self) -> Ledger | None:
        """The ledger of these files, where none has changed since it was made."""
        if self._cache is None or len(self._hashes) < len(self._sources) or not self._sources:
            return None
        return self._cache.ledger(self._key({name: found.sha256 for name, found in self._hashes.items()}))

    def work(self, bundle: Bundle) -> str:
        """The cache's name for reading these pieces of files of these names with this code."""
        pieces = "\0".join(f"{shard.source.name}\0{shard.start}\0{shard.end is None}" for shard in bundle)
        return xxh3_128_hexdigest(f"{self._code}\0{pieces}".encode())

    def part(self, bundle: Bundle, work: str) -> Part | None:
        """The part of a bundle, where none of its files has changed."""
        if self._cache is None:
            return None
        contents = []
        for shard in bundle:
            found = self._hashes.get(shard.source.name)
            content = found.contents.get(shard.start) if found else None
            if content is None:
                return None
            contents.append(content)
        return self._cache.part(work, contents)

    def sha256(self, source: Source) -> str:
        """The SHA-256 of a file, read only where it is not remembered."""
        found = self._hashes.get(source.name)
        return found.sha256 if found else storage.sha256(source)

    def keep(self, ledger: Ledger, shards: Sequence[tuple[Shard, ShardTally]]) -> None:
        """Remember this run's files and ledger, and hold the cache to its bound."""
        if self._cache is None:
            return
        contents: dict[str, dict[int, str]] = {}
        for shard, tally in shards:
            contents.setdefault(shard.source.name, {})[shard.start] = tally.content
        shas = {described.path: described.sha256 for described in ledger.manifest.inputs}
        for source in self._sources:
            if source.name != STANDARD_INPUT and source.name in contents:
                self._cache.keep_hashes(FileHashes(_facts(source), shas[source.name], contents[source.name]))
        self._cache.keep_ledger(self._key(shas), ledger)
        self._cache.evict()

    def _key(self, shas: dict[str, str]) -> str:
        return xxh3_128_hexdigest(f"{self._code}\0{sorted(shas.items())}".encode())


def _facts(source: Source) -> FileFacts:
    return FileFacts(
        path=source.path,
        size_bytes=source.size_bytes,
        modified_ns=source.modified_ns,
        identity=source.identity,
    )
