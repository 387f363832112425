"""Files on this machine and objects in a store, each described by a ``Source`` and opened as a stream."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources.databases import Table
from llm_audit.sources.files.stores.address import Store
from llm_audit.sources.files.stores.remote_file import RemoteFile

_HASH_BYTES = 1 << 20


class UnreadableError(UsageError):
    """A file that cannot be opened or read. Among other files it costs itself only."""


class Member(msgspec.Struct, frozen=True):
    """The place of a file inside an archive."""

    archive: Source  # on this machine
    number: int  # among the archive's entries, from 0
    sequential: bool  # whether it can be reached only through the entries before it, as in a tar


@dataclass(frozen=True, slots=True)
class Source:
    """One file of logs."""

    name: str  # as reports show it
    path: str  # where it is read: a file on this machine, or the bucket and key in its store
    size_bytes: int
    modified_ns: int
    identity: str  # changes when the file is replaced: inode, or the object's own address
    member: Member | None = None  # where the file is in an archive, not taken out of it yet
    columns: tuple[tuple[str, str], ...] = ()  # what the names of its folders say, as in ``date=2026-09-01/``
    database: bool = False  # whether it is a table of a database
    table: Table | None = field(default=None, compare=False)  # which is then to be read
    cut: bool = False  # a copy whose last bytes could not be had
    store: Store | None = None  # the object store that it is in
    lake: bool = False  # whether a table's log names it, whose next version may not
    deleted: bytes = b""  # the places of rows that a table's log deletes, as a bitmap
    version: str = ""  # an object's ETag and generation, as far as they are known; what is asked of a database

    @property
    def remote(self) -> bool:
        """Return whether it is in an object store."""
        return self.store is not None


def open_binary(source: Source) -> BinaryIO:
    """Open a source for reading and seeking, without a buffer of its own.

    Of a file on this machine only the bytes that it had when it was listed are read, so that every reading of a
    growing log gives the same.

    Raises:
        UnreadableError: It cannot be opened.
    """
    try:
        if source.store is not None:
            return cast("BinaryIO", open_object(source))
        return cast("BinaryIO", _Snapshot(source.path, source.size_bytes))
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"Cannot read {source.name}: {error_text(error)}. Check that it exists and may be read."
        ) from None


def open_object(source: Source) -> RemoteFile:
    """Open an object of a store, in the version that the source names where it names one.

    Raises:
        UnreadableError: It cannot be opened, or is another version by now.
    """
    assert source.store is not None
    try:
        file = RemoteFile(source.store, source.path)
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"Cannot read {source.name}: {error_text(error)}. Check that it exists and may be read."
        ) from None
    if source.version and file.version != source.version:
        file.close()
        raise UnreadableError(f"{source.name} was replaced while it was read. Run again.")
    return file


class _Snapshot(io.FileIO):
    """A file as far as it went when it was listed."""

    def __init__(self, path: str, size_bytes: int) -> None:
        super().__init__(path, "rb")
        self._size = size_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""

    def readinto(self, buffer: Any, /) -> int:
        left = max(0, self._size - self.tell())
        return super().readinto(memoryview(buffer)[:left]) or 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            offset, whence = self._size + offset, os.SEEK_SET
        return super().seek(offset, whence)


def sha256(source: Source) -> str:
    """Return the SHA-256 of a file's bytes as they are stored, as far as they can be read."""
    state = hashlib.sha256()
    block = memoryview(bytearray(_HASH_BYTES))  # the same for all, so that no memory is made ready for each
    with suppress(UnreadableError, OSError), open_binary(source) as file:
        while count := cast("io.RawIOBase", file).readinto(block):
            state.update(block[:count])
    return state.hexdigest()


def file_blocks(source: Source) -> Iterator[bytes]:
    """Yield a file's bytes as they are stored.

    Raises:
        UnreadableError: It cannot be opened.
    """
    with open_binary(source) as file:
        while block := file.read(_HASH_BYTES):
            yield block


def error_text(error: Exception) -> str:
    """Return the message of an operating system or storage error, in one line."""
    return getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
