"""Cache parts of ledgers, ledgers, and the hashes of unchanged files between runs.

Every entry is found by the hash of what it was made from, so that an entry is never outdated, only missing. Files are
written atomically, so that runs may share a cache. The least recently used entries are evicted above its maximum size.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec
import platformdirs
from xxhash import xxh3_128_hexdigest

from llm_audit.ledger.manifest import MANIFEST_FILE, REQUESTS_FILE, Manifest, encode_manifest
from llm_audit.ledger.parts import LedgerPart

if TYPE_CHECKING:
    from llm_audit.ledger.store import Ledger

FOLDER_VARIABLE = "LLM_AUDIT_CACHE_DIR"
MAX_BYTES = 1 << 31
_IN_USE_SECONDS = 3600  # entries used this recently may still be in use, and are not evicted
_MIN_AGE_NS = 2_000_000_000  # a file changed more recently may change again within its timestamp's resolution


class FileState(msgspec.Struct, frozen=True):
    """The state of a file, by which it is recognised as unchanged without reading it."""

    path: str
    size_bytes: int
    modified_ns: int
    identity: str


class FileHashes(msgspec.Struct, frozen=True):
    """The hashes of a file in a state; ``contents`` are those of its shards, by their first byte."""

    state: FileState
    sha256: str
    contents: dict[int, str]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """The size of a cache."""

    folder: Path
    files: int
    bytes: int
    max_bytes: int = MAX_BYTES


def cache_folder() -> Path:
    """Return the cache's folder: ``LLM_AUDIT_CACHE_DIR``, else the system's cache folder of the user."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_cache_dir("llm-audit", appauthor=False))


def cache_info() -> CacheInfo:
    """Return the size of the cache."""
    files = _files(cache_folder())
    return CacheInfo(folder=cache_folder(), files=len(files), bytes=sum(size for _, size, _ in files))


def clear_cache() -> CacheInfo:
    """Remove all entries of the cache, and return the size they had."""
    before = cache_info()
    for name in ("files", "parts", "ledgers"):
        shutil.rmtree(before.folder / name, ignore_errors=True)
    return before


class PartCache:
    """A cache of ledger parts, ledgers and file hashes in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls) -> Self | None:
        """Open the user's cache; None where its folder cannot be written, since a run does without."""
        cache = cls(cache_folder())
        try:
            for name in ("files", "parts", "ledgers"):
                (cache.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return cache if os.access(cache.folder, os.W_OK) else None

    def hashes(self, state: FileState) -> FileHashes | None:
        """Return the hashes of an unchanged file; None where they are not stored."""
        try:
            found = msgspec.json.decode(self._file(state).read_bytes(), type=FileHashes)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.state == state else None

    def store_hashes(self, hashes: FileHashes) -> None:
        """Store the hashes of a file, unless it changed so recently that a later change may go unnoticed."""
        if time.time_ns() - hashes.state.modified_ns > _MIN_AGE_NS:
            self._write(self._file(hashes.state), msgspec.json.encode(hashes))

    def has_parts(self, work_key: str) -> bool:
        """Return whether any part is stored under a key, whatever its content."""
        return (self.folder / "parts" / work_key).is_dir()

    def part(self, work_key: str, contents: Sequence[str]) -> LedgerPart | None:
        """Return the part made of shards with these contents; None where it is not stored."""
        base = self._part(work_key, contents)
        try:
            part = msgspec.json.decode(base.with_suffix(".json").read_bytes(), type=LedgerPart)
            if part.rows:
                part.file = str(base.with_suffix(".parquet"))
                os.utime(part.file)
            os.utime(base.with_suffix(".json"))
        except (OSError, msgspec.MsgspecError):
            return None
        return part

    def store_part(self, work_key: str, part: LedgerPart) -> None:
        """Store a part; its file is copied."""
        base = self._part(work_key, [tally.content for tally in part.shards])
        try:
            base.parent.mkdir(exist_ok=True)
            if part.file is not None:
                handle, partial = tempfile.mkstemp(dir=base.parent, prefix=".")
                os.close(handle)
                shutil.copyfile(part.file, partial)
                Path(partial).replace(base.with_suffix(".parquet"))
        except OSError:
            return
        self._write(base.with_suffix(".json"), msgspec.json.encode(part))

    def ledger(self, key: str) -> Ledger | None:
        """Return the ledger stored under a key of its inputs and code; None where there is none."""
        from llm_audit.ledger.store import Ledger  # imports polars, which the processes that read logs do not need

        folder = self.folder / "ledgers" / key
        try:
            manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
            os.utime(folder / MANIFEST_FILE)
            os.utime(folder / REQUESTS_FILE)
        except (OSError, msgspec.MsgspecError):
            return None
        return Ledger(folder, manifest)

    def store_ledger(self, key: str, ledger: Ledger) -> None:
        """Store a ledger; its file is copied."""
        folder = self.folder / "ledgers" / key
        try:
            partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
        except OSError:
            return
        try:
            shutil.copyfile(ledger.folder / REQUESTS_FILE, partial / REQUESTS_FILE)
            (partial / MANIFEST_FILE).write_bytes(encode_manifest(ledger.manifest))
            if not folder.exists():
                partial.rename(folder)
        except OSError:
            return
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def evict(self, max_bytes: int = MAX_BYTES) -> None:
        """Remove the least recently used files until the cache is within its maximum size."""
        files = sorted(_files(self.folder), key=lambda file: file[2])
        total = sum(size for _, size, _ in files)
        now = time.time()
        for path, size, used in files:
            if total <= max_bytes or now - used < _IN_USE_SECONDS:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _file(self, state: FileState) -> Path:
        return self.folder / "files" / f"{xxh3_128_hexdigest(state.path.encode())}.json"

    def _part(self, work_key: str, contents: Sequence[str]) -> Path:
        return self.folder / "parts" / work_key / xxh3_128_hexdigest("\0".join(contents).encode())

    def _write(self, path: Path, content: bytes) -> None:
        try:
            handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(partial).replace(path)
        except OSError:
            return


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    """Return the path, size and time of last use of every file."""
    found = []
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except OSError:  # another run has removed it
            continue
        if path.is_file():
            found.append((path, status.st_size, status.st_mtime))
    return found
