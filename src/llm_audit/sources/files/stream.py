"""A source as blocks of plain bytes: decompressed, and UTF-16 made UTF-8."""

from __future__ import annotations

import bz2
import codecs
import lzma
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from enum import StrEnum
from typing import BinaryIO, Protocol

from llm_audit.sources.files.limits import BLOCK_BYTES, SNIFF_BYTES
from llm_audit.sources.files.storage import Source, open_binary

_PACKED_BYTES = 1 << 20
_STEP_BYTES = 1 << 20
_STEPS = (_STEP_BYTES, 1 << 16, 1)
_GZIP_WINDOW = 16 + zlib.MAX_WBITS

_LZMA_BYTES = 1 << 28  # of memory; the strongest usual setting needs a quarter of it

MAGIC_BYTES = 16
"""The first bytes of a file, by which its compression is recognised."""

Blocks = Generator[bytes, None, None]

PlacedBlocks = Generator[tuple[int, bytes], None, None]
"""Blocks, each with how many bytes of the file had been read when it was made. A decompressor gives all that the bytes
that it was given hold, so that this is the same on any machine."""


class Compression(StrEnum):
    """The compression of a file."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"
    LZ4 = "lz4"


class BrokenStreamError(Exception):
    """Compressed data ends early or is damaged. Everything before that point was yielded."""


def compression(head: bytes) -> Compression:
    """Return the compression of a file by its first bytes."""
    if head.startswith(b"\x1f\x8b"):
        return Compression.GZIP
    # A zstd file may begin with a skippable frame, whose magic number has 16 forms.
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return Compression.ZSTD
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return Compression.BZIP2
    if head.startswith(b"\xfd7zXZ\0"):
        return Compression.XZ
    if head.startswith(b"\x04\x22\x4d\x18"):
        return Compression.LZ4
    return Compression.NONE


def magic_of(source: Source) -> bytes:
    """Return the first bytes of a source, by which its container and compression are recognised.

    Raises:
        UnreadableError: It cannot be opened.
    """
    with open_binary(source) as file:
        return file.read(MAGIC_BYTES)


def unpacked_magic(source: Source) -> bytes:
    """Return the first bytes that a source unpacks to; none where its compressed data is damaged.

    Raises:
        UnreadableError: It cannot be opened.
    """
    with closing(plain_blocks(source)) as plain:
        try:
            return next(plain, b"")[:MAGIC_BYTES]
        except BrokenStreamError:
            return b""


def blocks(source: Source) -> Blocks:
    """Yield a source's plain bytes from its beginning, in UTF-8 where they are text with a byte order mark.

    Raises:
        BrokenStreamError: After the last good block, where compressed data breaks off.
        UsageError: The source cannot be opened.
    """
    return _utf8(plain_blocks(source))


def head(source: Source) -> bytes:
    """Return the first plain bytes of a source, at most ``SNIFF_BYTES``; fewer where compressed data breaks off."""
    start = b""
    try:
        for block in blocks(source):
            start += block
            if len(start) >= SNIFF_BYTES:
                break
    except BrokenStreamError:
        pass
    return start[:SNIFF_BYTES]


def plain_blocks(source: Source) -> Blocks:
    """Yield a source's bytes, decompressed.

    Raises:
        BrokenStreamError: After the last good block, where data breaks off.
        UnreadableError: The source cannot be opened.
    """
    for _, block in placed_blocks(source):
        yield block


def placed_blocks(source: Source) -> PlacedBlocks:
    """Yield a source's bytes, decompressed, with the places in the file that they were read up to.

    Raises:
        BrokenStreamError: After the last good block, where data breaks off.
        UnreadableError: The source cannot be opened.
    """
    with open_binary(source) as file:
        packing = compression(file.read(MAGIC_BYTES))
        file.seek(0)
        if packing in (Compression.ZSTD, Compression.LZ4):
            yield from _unpack_with_arrow(lambda: open_binary(source), packing.value)
        else:
            for block in _unpacked(file, packing):
                yield file.tell(), block
    if source.cut:
        raise BrokenStreamError


def _unpacked(file: BinaryIO, packing: Compression) -> Blocks:
    if packing is Compression.GZIP:
        yield from _gunzip(file)
    elif packing is Compression.BZIP2:
        yield from _unpack(file, bz2.BZ2Decompressor)
    elif packing is Compression.XZ:
        yield from _unpack(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_BYTES))
    else:
        while block := file.read(BLOCK_BYTES):
            yield block


def _gunzip(file: BinaryIO) -> Blocks:
    """Decompress every member; zeros after the last one are padding, as gzip itself allows."""
    member = zlib.decompressobj(_GZIP_WINDOW)
    fresh = True
    while packed := file.read(_PACKED_BYTES):
        while packed:
            if fresh and not packed.strip(b"\0"):
                break
            try:
                block = member.decompress(packed, BLOCK_BYTES)
            except zlib.error:
                raise BrokenStreamError from None
            fresh = False
            if block:
                yield block
            packed = member.unconsumed_tail
            if member.eof:
                packed = member.unused_data.lstrip(b"\0")
                member, fresh = zlib.decompressobj(_GZIP_WINDOW), True
    if not fresh:
        raise BrokenStreamError


class _Decompressor(Protocol):
    """What ``bz2`` and ``lzma`` have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _unpack(file: BinaryIO, make: Callable[[], _Decompressor]) -> Blocks:
    """Decompress every stream, a bounded block at a time; zeros after the last one are padding."""
    stream = make()
    fresh = True
    packed = b""
    while packed or not stream.needs_input or (packed := file.read(_PACKED_BYTES)):
        if fresh and not (packed := packed.lstrip(b"\0") if packed.startswith(b"\0") else packed):
            continue
        try:
            block = stream.decompress(packed, BLOCK_BYTES)
        except (OSError, lzma.LZMAError):
            raise BrokenStreamError from None
        fresh, packed = False, b""
        if block:
            yield block
        if stream.eof:
            packed = stream.unused_data
            stream, fresh = make(), True
    if not fresh:
        raise BrokenStreamError


def _unpack_with_arrow(reopen: Callable[[], BinaryIO], codec: str) -> PlacedBlocks:
    """Decompress every frame. Where data is damaged, the last step is read again in smaller ones, to lose little."""
    import pyarrow as pa

    done = 0
    for step in _STEPS:
        with reopen() as file, pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec) as stream:
            try:
                left = done
                while left:
                    left -= len(stream.read(min(left, _STEP_BYTES)))
                while block := stream.read(step):
                    done += len(block)
                    yield file.tell(), block
            except OSError:
                continue
            return
    raise BrokenStreamError


def _utf8(plain: Blocks) -> Blocks:
    first = next(plain, b"")
    encoding = _encoding(first)
    if encoding is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from plain
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    yield decoder.decode(first).removeprefix("\ufeff").encode()
    for block in plain:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def _encoding(first: bytes) -> str | None:
    """Return UTF-16's name by its byte order mark, or by the zero beside the brace that JSON begins with."""
    if first.startswith(codecs.BOM_UTF16_LE) or (first[:1] in b"{[" and first[1:2] == b"\0" and first[2:4] != b"\0\0"):
        return "utf-16-le"
    if first.startswith(codecs.BOM_UTF16_BE) or (first[:1] == b"\0" and first[1:2] in (b"{", b"[")):
        return "utf-16-be"
    return None
