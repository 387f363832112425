"""What earlier runs made of unchanged logs: parts of ledgers, whole ledgers, and the hashes of files by their facts.

Everything is found by the hash of what it was made from, so nothing kept is ever wrong, only missing. Files appear
under their names whole; runs may share a cache. The least recently used go first when it grows over its bound.
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
from llm_audit.ledger.tally import Part

if TYPE_CHECKING:
    from llm_audit.ledger.store import Ledger

FOLDER_VARIABLE = "LLM_AUDIT_CACHE_DIR"
MAX_BYTES = 1 << 31
_IN_USE_SECONDS = 3600  # what was used this recently may be in use still, and is not evicted
_SETTLED_NS = 2_000_000_000  # a file changed later than this before it was hashed may have changed again unseen


class FileFacts(msgspec.Struct, frozen=True):
    """By what a file is recognised without reading it."""

    path: str
    size_bytes: int
    modified_ns: int
    identity: str


class FileHashes(msgspec.Struct, frozen=True):
    """The hashes of a file with these facts. ``contents`` are those of its shards, by their first byte."""

    facts: FileFacts
    sha256: str
    contents: dict[int, str]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds."""

    folder: Path
    files: int
    bytes: int
    max_bytes: int = MAX_BYTES


def cache_folder() -> Path:
    """Where the cache lies: ``LLM_AUDIT_CACHE_DIR``, else the user's cache folder of the system."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_cache_dir("llm-audit", appauthor=False))


def info() -> CacheInfo:
    """Count what the cache holds."""
    files = _files(cache_folder())
    return CacheInfo(folder=cache_folder(), files=len(files), bytes=sum(size for _, size, _ in files))


def clear() -> CacheInfo:
    """Remove everything the cache holds, and return what that was."""
    held = info()
    for name in ("files", "parts", "ledgers"):
        shutil.rmtree(held.folder / name, ignore_errors=True)
    return held


class Cache:
    """A cache in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls) -> Self | None:
        """Open the user's cache; None where its folder cannot be written, which is no reason to fail."""
        cache = cls(cache_folder())
        try:
            for name in ("files", "parts", "ledgers"):
                (cache.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return cache if os.access(cache.folder, os.W_OK) else None

    def hashes(self, facts: FileFacts) -> FileHashes | None:
        """The hashes of an unchanged file."""
        try:
            found = msgspec.json.decode(self._file(facts).read_bytes(), type=FileHashes)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.facts == facts else None

    def keep_hashes(self, hashes: FileHashes) -> None:
        """Remember the hashes of a file, unless it was changed so lately that its facts may not tell."""
        if time.time_ns() - hashes.facts.modified_ns > _SETTLED_NS:
            self._write(self._file(hashes.facts), msgspec.json.encode(hashes))

    def has_candidates(self, work: str) -> bool:
        """Whether some part of this work is kept, whatever its content."""
        return (self.folder / "parts" / work).is_dir()

    def part(self, work: str, contents: Sequence[str]) -> Part | None:
        """The part made of shards with these contents."""
        base = self._part(work, contents)
        try:
            part = msgspec.json.decode(base.with_suffix(".json").read_bytes(), type=Part)
            if part.rows:
                part.file = str(base.with_suffix(".parquet"))
                os.utime(part.file)
            os.utime(base.with_suffix(".json"))
        except (OSError, msgspec.MsgspecError):
            return None
        return part

    def keep_part(self, work: str, part: Part) -> None:
        """Keep a part; its file is copied."""
        base = self._part(work, [tally.content for tally in part.shards])
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
        """The ledger made of inputs and code with this key."""
        from llm_audit.ledger.store import Ledger  # needs polars, which the processes that read logs do without

        folder = self.folder / "ledgers" / key
        try:
            manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
            os.utime(folder / MANIFEST_FILE)
            os.utime(folder / REQUESTS_FILE)
        except (OSError, msgspec.MsgspecError):
            return None
        return Ledger(folder, manifest)

    def keep_ledger(self, key: str, ledger: Ledger) -> None:
        """Keep a ledger; its file is copied."""
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
        """Remove the least recently used files until the cache is within its bound."""
        files = sorted(_files(self.folder), key=lambda file: file[2])
        total = sum(size for _, size, _ in files)
        now = time.time()
        for path, size, used in files:
            if total <= max_bytes or now - used < _IN_USE_SECONDS:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _file(self, facts: FileFacts) -> Path:
        return self.folder / "files" / f"{xxh3_128_hexdigest(facts.path.encode())}.json"

    def _part(self, work: str, contents: Sequence[str]) -> Path:
        return self.folder / "parts" / work / xxh3_128_hexdigest("\0".join(contents).encode())

    def _write(self, path: Path, content: bytes) -> None:
        try:
            handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(partial).replace(path)
        except OSError:
            return


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    """Path, size and time of last use of every file."""
    found = []
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except OSError:  # another run has removed it
            continue
        if path.is_file():
            found.append((path, status.st_size, status.st_mtime))
    return found
