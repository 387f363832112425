"""Readers of archives, which reach an entry by its number."""

from __future__ import annotations

import tarfile
import zipfile
from typing import IO, Any, Protocol, Self, cast

from llm_audit.sources.files.storage import Member, Source, open_binary
from llm_audit.sources.files.stream import Blocks, plain_blocks

_MAX_HEADER_BYTES = 1 << 24  # a tar's extended header is read as a whole


class Reader(Protocol):
    """What both kinds of archive have in common."""

    archive: Source

    def has(self, number: int) -> bool:
        """Return whether an entry can still be reached."""
        ...

    def open(self, number: int) -> IO[bytes]:
        """Open an entry's content; it is valid until the next one is opened."""
        ...

    def close(self) -> None:
        """Close the archive."""
        ...


class ZipReader:
    """A zip, whose entries are reached in any order."""

    def __init__(self, archive: Source) -> None:
        self.archive = archive
        self._file = open_binary(archive)
        self._zip = zipfile.ZipFile(self._file)
        self._infos = self._zip.infolist()

    def has(self, number: int) -> bool:
        """Return whether an entry can still be reached."""
        return number < len(self._infos)

    def open(self, number: int) -> IO[bytes]:
        """Open an entry's content."""
        return self._zip.open(self._infos[number])

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()
        self._file.close()


class TarReader:
    """A tar, read from its beginning to its end. ``number`` is the place of the entry last read."""

    def __init__(self, archive: Source) -> None:
        self.archive = archive
        self.number = -1
        self._stream = _Forward(plain_blocks(archive))
        try:
            self._tar = tarfile.TarFile(fileobj=cast("Any", self._stream), errors="surrogateescape")
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def next(self) -> tarfile.TarInfo | None:
        """Return the next entry; None at the end.

        Raises:
            TarError: What follows is no entry, and no end either.
        """
        info: tarfile.TarInfo | None = self._tar.next()
        vars(self._tar)["members"] = []  # it keeps all of them otherwise
        self.number += 1
        if info is None and self._stream.rest().strip(b"\0"):
            raise tarfile.ReadError
        return info

    def has(self, number: int) -> bool:
        """Return whether an entry can still be reached."""
        return number > self.number

    def open(self, number: int) -> IO[bytes]:
        """Open an entry's content."""
        info = None
        while self.number < number:
            info = self.next()
            if info is None:
                break
        found = None if info is None else self._tar.extractfile(info)
        if found is None:
            raise tarfile.ReadError
        return found

    def close(self) -> None:
        """Close the archive."""
        self._tar.close()
        self._stream.close()


class _Forward:
    """Blocks as a file that can be sought forwards, and back within a block, which is all that a tar needs."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._block = b""
        self._start = 0  # of the block
        self._position = 0
        self._last = b""

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, position: int) -> int:
        """Move forwards, or back within the block."""
        if position < self._start:
            raise tarfile.ReadError
        while position > self._start + len(self._block) and self._advance():
            pass
        self._position = position
        return position

    def read(self, size: int) -> bytes:
        """Return bytes; fewer at the end."""
        if size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError
        found = b""
        while len(found) < size:
            inside = self._block[self._position - self._start :][: size - len(found)]
            if not inside and not self._advance():
                break
            found += inside
            self._position += len(inside)
        self._last = found
        return found

    def rest(self) -> bytes:
        """Return what was read last and the first bytes after it that are not zero; empty where there are none."""
        found = self._last.strip(b"\0")
        while not found:
            found = self._block[max(0, self._position - self._start) :].strip(b"\0")
            self._position = self._start + len(self._block)
            if not found and not self._advance():
                break
        return found[:1]

    def close(self) -> None:
        """Close the archive."""
        self._blocks.close()

    def _advance(self) -> bool:
        block = next(self._blocks, b"")
        if not block:
            return False
        self._start += len(self._block)
        self._block = block
        return True


_open: list[Reader] = []  # the archive read last, so that its next member need not be looked for from its beginning


def reader_of(member: Member) -> Reader:
    """Return the reader of a member's archive, which is kept open for the next member."""
    if _open and _open[0].archive == member.archive and _open[0].has(member.number):
        return _open[0]
    while _open:
        _open.pop().close()
    _open.append((TarReader if member.sequential else ZipReader)(member.archive))
    return _open[0]
