"""Archives: the files in a zip or a tar, which may itself be compressed, are sources named ``archive!member``.

A member's name is only ever shown: its content goes to a file without a name of its own, so that a name with ``..`` or
a link leads nowhere.
"""

from __future__ import annotations

import contextlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources.files.archives.readers import TarReader, reader_of
from llm_audit.sources.files.limits import COPY_BYTES, MAX_MEMBER_BYTES, MAX_MEMBERS
from llm_audit.sources.files.named import printable
from llm_audit.sources.files.storage import Member, Source, UnreadableError, error_text, open_binary
from llm_audit.sources.files.stream import BrokenStreamError, plain_blocks

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHERS = {  # archives and packings that are refused by name
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x1f\x9d": "compress (.Z)",
    b"!<arch>\n": "ar",
    b"070701": "cpio",
    b"070707": "cpio",
}
_OFFICE = "[Content_Types].xml"  # in every document of Office
TAR_BLOCK = tarfile.BLOCKSIZE
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, BrokenStreamError, zlib.error, EOFError, OSError)


class _Entry(msgspec.Struct, frozen=True):
    """One regular file in an archive."""

    name: str
    size_bytes: int
    number: int


def archive_kind(head: bytes) -> str:
    """Return the kind of archive by a file's first plain bytes; empty where it is none."""
    if head.startswith(_ZIP):
        return "zip"
    if is_tar(head):
        return "tar"
    return next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), "")


def is_tar(head: bytes) -> bool:
    """Return whether a file begins with the header of a tar, whose checksum is right."""
    if len(head) < TAR_BLOCK or head[0] == 0:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:TAR_BLOCK], "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def first_bytes(source: Source) -> tuple[bytes, bytes]:
    """Return the first bytes of a file as it is stored, and of what is in it where it is compressed."""
    with open_binary(source) as file:
        stored = file.read(TAR_BLOCK)
    plain = b""
    with contextlib.suppress(BrokenStreamError, OSError):
        for block in plain_blocks(source):
            plain += block[:TAR_BLOCK]
            if len(plain) >= TAR_BLOCK:
                break
    return stored, plain


def members(source: Source) -> list[Source] | None:
    """Return the files in an archive as sources; None where the file is no archive that is opened.

    An archive that breaks off gives the members before that point, and after them itself, which cannot be read.
    """
    try:
        stored, plain = first_bytes(source)
    except (UnreadableError, OSError):  # which the file's reader will say
        return None
    kind = "zip" if stored.startswith(_ZIP) else "tar" if is_tar(plain) else ""
    if not kind:
        return None
    found: list[Source] = []
    try:
        for entry in _zip_entries(source) if kind == "zip" else _tar_entries(source):
            if entry.number >= MAX_MEMBERS or entry.name == _OFFICE:
                return [source]
            name = printable(entry.name)
            found.append(_member(source, entry, name, sequential=kind == "tar"))
    except Exception:  # noqa: BLE001 - the libraries raise many kinds on data that is damaged
        found.append(source)
    return found


def copy_member(source: Source, target: IO[bytes]) -> bool:
    """Write a member's content; return whether all of it could be had.

    Raises:
        UnreadableError: The member cannot be read.
        UsageError: There is no space for it.
    """
    assert source.member is not None
    if source.size_bytes > MAX_MEMBER_BYTES:
        limit = f"{MAX_MEMBER_BYTES >> 30} GiB"
        raise UnreadableError(f"Cannot read {source.name}: it has over {limit}. Unpack the archive and read its files.")
    left = source.size_bytes
    try:
        with reader_of(source.member).open(source.member.number) as stream:
            while left and (block := stream.read(min(left, COPY_BYTES))):
                left -= len(block)
                _write(target, block, source)
            if not left:
                stream.read(1)  # at the end a zip's checksum is verified
    except UsageError:
        raise
    except _BROKEN:
        return False
    except Exception as error:  # noqa: BLE001 - encrypted, packed in a way Python lacks, or damaged in an unusual way
        why = "it is encrypted" if "password" in str(error) else error_text(error)
        raise UnreadableError(f"Cannot read {source.name}: {why}. Unpack the archive and read its files.") from None
    return not left


def _write(target: IO[bytes], block: bytes, source: Source) -> None:
    try:
        target.write(block)
    except OSError as error:
        raise UsageError(f"Cannot unpack {source.name}: {error_text(error)}. Free some space or set TMPDIR.") from None


def _member(source: Source, entry: _Entry, name: str, *, sequential: bool) -> Source:
    return replace(
        source,
        name=f"{source.name}!{name}",
        path=f"{source.path}!{name}",
        size_bytes=entry.size_bytes,
        identity=f"{source.identity}:{source.size_bytes}!{entry.number}",
        member=Member(archive=source, number=entry.number, sequential=sequential),
    )


def _zip_entries(source: Source) -> Iterator[_Entry]:
    with open_binary(source) as file, zipfile.ZipFile(file) as archive:
        for number, info in enumerate(archive.infolist()):
            if not info.is_dir():
                yield _Entry(info.filename, info.file_size, number)


def _tar_entries(source: Source) -> Iterator[_Entry]:
    with TarReader(source) as archive:
        while (info := archive.next()) is not None:
            if info.isreg():
                yield _Entry(info.name, info.size, archive.number)
