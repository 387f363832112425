"""Cache parts of ledgers, ledgers, what audits read of them, documents, and the hashes of unchanged files between runs.

Every entry is found by the hash of what it was made from, so that an entry is never outdated, only missing. Files are
written atomically, so that runs may share a cache, and for their owner alone. Whatever is read is checked against the
checksum it was written with; an entry that fails is removed and counts as missing.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import msgspec
from xxhash import xxh3_128_hexdigest

from llm_audit.files import PRIVATE, make_private_folder
from llm_audit.ledger.cache_folder import MAX_BYTES, cache_folder, cache_problem, evict, warn_of_unusable
from llm_audit.ledger.manifest import MANIFEST_FILE, Manifest, requests_files
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.sealed import DamagedError, seal, unseal, xxh3_of

if TYPE_CHECKING:
    from llm_audit.ledger.store import Ledger

_T = TypeVar("_T")
_VERSION = "2"  # of the entries; another one is found under other names
_LASTING = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
_MIN_AGE_NS = 2_000_000_000  # a file changed more recently may change again within its timestamp's resolution


class FileState(msgspec.Struct, frozen=True):
    """The state of a file, by which it is recognised as unchanged without reading it."""

    path: str
    size_bytes: int
    modified_ns: int
    identity: str


class FileHashes(msgspec.Struct, frozen=True):
    """The hashes of a file in a state; ``contents`` are those of its shards, by their first byte.

    ``version`` is the ETag of an object in a store, by which it is known where only its time has changed.
    ``no_archive_by`` is the fingerprint of the code that found it to be no archive; empty where it is one.
    """

    state: FileState
    sha256: str
    contents: dict[int, str]
    version: str = ""
    no_archive_by: str = ""


class PartEntry(msgspec.Struct, frozen=True):
    """A part, and the checksum of its rows; None where it has none."""

    part: LedgerPart
    checksum: str | None


class LedgerEntry(msgspec.Struct, frozen=True):
    """The manifest of a ledger, and the checksums of its files of requests."""

    manifest: Manifest
    checksums: list[str]


class PartCache:
    """A cache of ledger parts, ledgers and file hashes in a folder.

    ``damaged`` counts the entries found damaged; ``unwritten`` says why an entry could not be stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged = 0
        self.unwritten = ""

    @classmethod
    def open(cls) -> Self | None:
        """Open the user's cache; None, with a warning, where its folder cannot be written: a run does without."""
        folder = cache_folder()
        if reason := cache_problem(folder):
            warn_of_unusable(folder, reason)
            return None
        return cls(folder)

    def hashes(self, state: FileState, version: Callable[[], str] = lambda: "") -> FileHashes | None:
        """Return the hashes of an unchanged file; None where they are not stored.

        Args:
            state: The file as it is listed.
            version: Asks a store for an object's version, where all but its time is as before.
        """
        found = self._read(self._file(state), FileHashes)
        if found is None or found.state == state:
            return found
        touched = msgspec.structs.replace(found.state, modified_ns=state.modified_ns) == state
        return found if touched and found.version and found.version == version() else None

    def store_hashes(self, hashes: FileHashes) -> None:
        """Store the hashes of a file, unless it changed so recently that a later change may go unnoticed."""
        if time.time_ns() - hashes.state.modified_ns > _MIN_AGE_NS:
            self._write(self._file(hashes.state), hashes)

    def has_parts(self, work_key: str) -> bool:
        """Return whether any part is stored under a key, whatever its content."""
        return (self.folder / "parts" / work_key).is_dir()

    def part(self, work_key: str, contents: Sequence[str]) -> LedgerPart | None:
        """Return the part made of shards with these contents; None where it is not stored."""
        path = self._part(work_key, contents)
        if (entry := self._read(path, PartEntry)) is None:
            return None
        if entry.checksum is not None:
            rows = _rows(path, entry.checksum)
            if not self._is_unchanged(rows, entry.checksum, entry=path):
                return None
            entry.part.file = str(rows)
        return entry.part

    def store_part(self, work_key: str, part: LedgerPart) -> None:
        """Store a part; its file is copied."""
        path = self._part(work_key, [tally.content for tally in part.shards])
        checksum = None
        try:
            make_private_folder(path.parent)
            if part.file is not None:
                handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".")
                os.close(handle)
                try:
                    checksum = xxh3_of(Path(part.file))
                    shutil.copyfile(part.file, partial)
                    _finish(Path(partial), _rows(path, checksum))
                finally:
                    Path(partial).unlink(missing_ok=True)
        except OSError:
            return
        self._write(path, PartEntry(part, checksum))

    def ledger(self, key: str) -> Ledger | None:
        """Return the ledger stored under a key of its inputs and code; None where there is none."""
        from llm_audit.ledger.store import Ledger  # imports polars, which the processes that read logs do not need

        folder = self.folder / "ledgers" / key
        entry = self._read(folder / MANIFEST_FILE, LedgerEntry)
        if entry and all(
            self._is_unchanged(folder / name, checksum, entry=folder / MANIFEST_FILE)
            for name, checksum in zip(requests_files(entry.manifest.partitions), entry.checksums, strict=True)
        ):
            return Ledger(folder, entry.manifest)
        shutil.rmtree(folder, ignore_errors=True)  # whatever is left of it would be in the way of a new one
        return None

    def store_ledger(self, key: str, ledger: Ledger) -> None:
        """Store a ledger; its files are copied."""
        folder = self.folder / "ledgers" / key
        try:
            partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
        except OSError as error:
            self._note(error)
            return
        try:
            entry = LedgerEntry(ledger.manifest, [xxh3_of(file) for file in ledger.files])
            for file in ledger.files:
                shutil.copyfile(file, partial / file.name)
                (partial / file.name).chmod(PRIVATE)
            name = self._name(folder / MANIFEST_FILE)
            (partial / MANIFEST_FILE).write_bytes(seal(name, msgspec.json.encode(entry)))
            (partial / MANIFEST_FILE).chmod(PRIVATE)
            if not folder.exists():
                partial.rename(folder)
        except OSError as error:
            self._note(error)
        except UnicodeEncodeError:
            return
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def document(self, key: str, kind: type[_T]) -> _T | None:
        """Return the document stored under a key of all that it was made from; None where there is none."""
        return self._read(self._document(key), kind)

    def store_document(self, key: str, document: msgspec.Struct) -> None:
        """Store a document."""
        self._write(self._document(key), document)

    def readings(self, key: str, *, size_bytes: int) -> Path | None:
        """Return the folder of what audits read of a ledger for any policy; None where it cannot be used.

        Args:
            key: A hash of all that decides what they read. The files are sealed by who writes them.
            size_bytes: What they take, which is no more than a quarter of the cache.
        """
        folder = self.folder / "readings" / key
        if size_bytes > MAX_BYTES // 4:
            return None
        try:
            if not folder.exists():
                evict(self.folder)
            make_private_folder(folder)
            for path in folder.iterdir():
                os.utime(path)
        except OSError:
            return None
        return folder

    def _document(self, key: str) -> Path:
        return self.folder / "documents" / f"{key}.json"

    def _file(self, state: FileState) -> Path:
        return self.folder / "files" / f"{_key(_VERSION, state.path)}.json"

    def _part(self, work_key: str, contents: Sequence[str]) -> Path:
        return self.folder / "parts" / work_key / f"{_key(*contents)}.json"

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _read(self, path: Path, kind: type[_T]) -> _T | None:
        """Return a sealed entry; None where there is none, or where it is damaged and has been removed."""
        try:
            found = msgspec.json.decode(unseal(self._name(path), path.read_bytes()), type=kind)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, DamagedError, msgspec.MsgspecError):
            self._remove(path)
            return None
        return found

    def _is_unchanged(self, rows: Path, checksum: str, *, entry: Path) -> bool:
        """Return whether a file of rows is as it was written; where it is not, it and its entry are removed."""
        try:
            if xxh3_of(rows) == checksum:
                os.utime(rows)
                return True
        except FileNotFoundError:  # evicted before its entry
            return False
        except OSError:
            pass
        self._remove(entry, rows)
        return False

    def _remove(self, *paths: Path) -> None:
        self.damaged += 1
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _note(self, error: OSError) -> None:
        """Remember why nothing can be stored; what another run's clearing or storing causes passes."""
        if error.errno in _LASTING:
            self.unwritten = os.strerror(error.errno)

    def _write(self, path: Path, entry: msgspec.Struct) -> None:
        try:
            content = seal(self._name(path), msgspec.json.encode(entry))
            handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                _finish(Path(partial), path)
            finally:
                Path(partial).unlink(missing_ok=True)
        except OSError as error:
            self._note(error)
        except UnicodeEncodeError:  # a path that is not UTF-8 is not stored
            return


def _key(*words: str) -> str:
    return xxh3_128_hexdigest("\0".join(words).encode(errors="surrogateescape"))  # a path need not be UTF-8


def _rows(entry: Path, checksum: str) -> Path:
    """Return the file of a part's rows: named by its content, so that an entry never meets the rows of another run."""
    return entry.with_name(f"{entry.stem}.{checksum}.parquet")


def _finish(partial: Path, path: Path) -> None:
    """Give a file that is written its name; its mode must not depend on the umask."""
    partial.chmod(PRIVATE)
    partial.replace(path)
