"""Division of files into shards, and of shards into bundles that are read together.

Where a file is cut depends on the file alone, never on the number of workers, so that results are the same on any
machine and parts can be kept between runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import msgspec

from llm_audit.sources.detect import detect_source
from llm_audit.sources.files.container import Container, sniff
from llm_audit.sources.files.limits import SHARD_BYTES
from llm_audit.sources.files.on_disk import described, head_on_disk
from llm_audit.sources.files.parquet import is_parquet, parquet_ranges
from llm_audit.sources.files.storage import Source, UnreadableError
from llm_audit.sources.files.stream import Compression, compression, magic_of, unpacked_magic
from llm_audit.sources.formats.interface import Format

_REQUESTS_AT_ONCE = 16
_PACKED = 8  # a Parquet file of less than a shard by this factor is not looked at: it unpacks to little
_SIXTEENTHS = {Compression.GZIP: (0, 10, 16), Compression.ZSTD: (0, 5, 9, 13, 16), Compression.LZ4: (0, 5, 9, 13, 16)}
"""Where a compressed file is cut. A range unpacks those before it too, so that the first is the largest: the time for a
range is the same where reading what is unpacked takes 1.6 times as long as unpacking gzip, and 7 times as long as zstd.
In the other kinds, reading takes no longer than unpacking.
"""
_FEW = 4  # compressed files of a smaller share of all bytes are not cut: there are others to read at the same time
_NO_LINES = (".gz", ".zst", ".bz2", ".xz", ".lz4", ".parquet", ".zip", ".tar", ".tgz", ".db", ".sqlite")


class Shard(msgspec.Struct, frozen=True):
    """A complete file, or the lines of a JSONL file that begin in a range of its bytes.

    Of a compressed file the bytes are those on disk, of a Parquet file those that it unpacks to. Of a table of a
    database, start and end are those of a range of the field that divides its rows.
    """

    source: Source
    start: int = 0
    end: int | None = None  # None: the complete file, of any container

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, those that a range of a Parquet file unpacks to, or about the bytes of a table's rows."""
        if self.source.database:
            return self.source.table.range_bytes if self.source.table is not None else 0
        return (self.source.size_bytes if self.end is None else self.end) - self.start


Bundle = tuple[Shard, ...]
"""Shards read one after the other, in order, by one worker."""


def bundles(sources: Sequence[Source], formats: Sequence[Format]) -> Iterator[Bundle]:
    """Cut large JSONL and Parquet files into ranges, and put small files together.

    A file in an archive is not cut. The files in a tar stay together, since it is read from its beginning to reach any
    of them.
    """
    held: list[Shard] = []
    many_bytes = sum(source.size_bytes for source in sources) // _FEW
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as requests:
        large = {source: requests.submit(_object, source, formats) for source in sources if _may_be_cut(source)}
    for source in sources:
        for shard in large[source].result() if source in large else _shards(source, formats, many_bytes):
            full = sum(other.size_bytes for other in held) + shard.size_bytes > SHARD_BYTES
            if held and same_tar(held[-1].source, source):
                full = False
            if held and (full or shard.end is not None):
                yield tuple(held)
                held = []
            if shard.end is None:
                held.append(shard)
            else:
                yield (shard,)
    if held:
        yield tuple(held)


def _may_be_cut(source: Source) -> bool:
    """Return whether an object is large and, by its name, neither compressed nor a table."""
    return source.remote and source.size_bytes > SHARD_BYTES and not source.name.lower().endswith(_NO_LINES)


def _object(source: Source, formats: Sequence[Format]) -> Sequence[Shard]:
    """Return the shards of a large object, by its beginning, and by the size that it states itself."""
    try:
        with head_on_disk(source) as beginning:
            plain = compression(magic_of(beginning)) is Compression.NONE
            lines = plain and _is_long_log(beginning, formats)
            version = beginning.version
        found = described(replace(source, version=version)) if lines else source
    except UnreadableError:  # which its reader will say
        return [Shard(source)]
    if not lines or found.size_bytes <= SHARD_BYTES:
        return [Shard(source)]
    return _ranges(found)


def _shards(source: Source, formats: Sequence[Format], many_bytes: int) -> Sequence[Shard]:
    if source.table is not None:
        return [Shard(source, start, end) for start, end in source.table.ranges]
    if source.size_bytes * _PACKED <= SHARD_BYTES or source.remote or source.member is not None:
        return [Shard(source)]
    try:
        return _file(source, formats, many_bytes)
    except UnreadableError:  # which its reader will say
        return [Shard(source)]


def _file(source: Source, formats: Sequence[Format], many_bytes: int) -> Sequence[Shard]:
    """Return the shards of a file of this machine that is not small."""
    magic = magic_of(source)
    if is_parquet(magic):
        found = _parquet_ranges(source, formats)
        return [Shard(source, start, end) for start, end in found] if len(found) > 1 else [Shard(source)]
    packing = compression(magic)
    packed = packing is not Compression.NONE
    if source.size_bytes <= SHARD_BYTES or (packed and (packing not in _SIXTEENTHS or source.size_bytes < many_bytes)):
        return [Shard(source)]
    if not _is_long_log(source, formats):
        return [Shard(source)]
    if not packed:
        return _ranges(source)
    places = [source.size_bytes * share // 16 for share in _SIXTEENTHS[packing]]
    return [Shard(source, start, end) for start, end in pairwise(places)]


def _parquet_ranges(source: Source, formats: Sequence[Format]) -> Sequence[tuple[int, int]]:
    """Return the ranges that a Parquet file can be cut into; none of a file that cannot."""
    ranges = [] if source.deleted else parquet_ranges(source)
    found = detect_source(source, Container.PARQUET, formats=formats).format if len(ranges) > 1 else None
    return [] if found is not None and found.info.ordered else ranges


def _ranges(source: Source) -> list[Shard]:
    size = source.size_bytes
    return [Shard(source, start, min(start + SHARD_BYTES, size)) for start in range(0, size, SHARD_BYTES)]


def same_tar(first: Source, second: Source) -> bool:
    """Return whether both are in one tar, which is read from its beginning."""
    one, other = first.member, second.member
    return one is not None and other is not None and one.sequential and one.archive == other.archive


def _is_long_log(source: Source, formats: Sequence[Format]) -> bool:
    magic = unpacked_magic(source)
    if not magic or magic[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in magic:
        return False
    if sniff(source) is not Container.LINES:
        return False
    found = detect_source(source, Container.LINES, formats=formats).format
    return found is None or not found.info.ordered
