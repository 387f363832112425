"""Division of files into shards, and of shards into bundles that are read together.

Where a file is cut depends on the file alone, never on the number of workers, so that results are the same on any
machine and parts can be kept between runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from llm_audit.sources.detect import detect_source
from llm_audit.sources.files.container import Container, sniff
from llm_audit.sources.files.limits import SHARD_BYTES
from llm_audit.sources.files.on_disk import described, head_on_disk
from llm_audit.sources.files.parquet import is_local_parquet, parquet_ranges
from llm_audit.sources.files.storage import Source, UnreadableError, open_binary
from llm_audit.sources.files.stream import MAGIC_BYTES, Compression, compression
from llm_audit.sources.formats.interface import Format

_REQUESTS_AT_ONCE = 16
_PACKED = 8  # a Parquet file of less than a shard by this factor is not looked at: it unpacks to little
_NO_LINES = (".gz", ".zst", ".bz2", ".xz", ".lz4", ".parquet", ".zip", ".tar", ".tgz", ".db", ".sqlite")


@dataclass(frozen=True, slots=True)
class Shard:
    """A complete file, or the lines of a plain JSONL file that begin in a range of its bytes.

    Of a Parquet file the bytes are those that it unpacks to. Of a table of a database, start and end are those of a
    range of the field that divides its rows.
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
    """Cut large plain JSONL and Parquet files into ranges, and put small files together.

    A file in an archive is not cut. The files in a tar stay together, since it is read from its beginning to reach any
    of them.
    """
    held: list[Shard] = []
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as requests:
        large = {source: requests.submit(_object, source, formats) for source in sources if _may_be_cut(source)}
    for source in sources:
        for shard in large[source].result() if source in large else _shards(source, formats):
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
            lines = _is_long_log(beginning, formats)
            version = beginning.version
        found = described(replace(source, version=version)) if lines else source
    except UnreadableError:  # which its reader will say
        return [Shard(source)]
    if not lines or found.size_bytes <= SHARD_BYTES:
        return [Shard(source)]
    return _ranges(found)


def _shards(source: Source, formats: Sequence[Format]) -> Sequence[Shard]:
    if source.table is not None:
        return [Shard(source, start, end) for start, end in source.table.ranges]
    if source.size_bytes * _PACKED <= SHARD_BYTES or source.remote or source.member is not None:
        return [Shard(source)]
    if len(found := _parquet_ranges(source, formats)) > 1:
        return [Shard(source, start, end) for start, end in found]
    whole = source.size_bytes <= SHARD_BYTES
    return [Shard(source)] if whole or not _can_be_cut(source, formats) else _ranges(source)


def _parquet_ranges(source: Source, formats: Sequence[Format]) -> Sequence[tuple[int, int]]:
    """Return the ranges that a Parquet file can be cut into; none of a file that cannot, or is none."""
    try:
        if source.deleted or not is_local_parquet(source):
            return []
        ranges = parquet_ranges(source)
        found = detect_source(source, Container.PARQUET, formats=formats).format if len(ranges) > 1 else None
    except UnreadableError:  # which its reader will say
        return []
    return [] if found is not None and found.info.ordered else ranges


def _ranges(source: Source) -> list[Shard]:
    size = source.size_bytes
    return [Shard(source, start, min(start + SHARD_BYTES, size)) for start in range(0, size, SHARD_BYTES)]


def same_tar(first: Source, second: Source) -> bool:
    """Return whether both are in one tar, which is read from its beginning."""
    one, other = first.member, second.member
    return one is not None and other is not None and one.sequential and one.archive == other.archive


def _can_be_cut(source: Source, formats: Sequence[Format]) -> bool:
    try:
        return _is_long_log(source, formats)
    except UnreadableError:  # which its reader will say
        return False


def _is_long_log(source: Source, formats: Sequence[Format]) -> bool:
    with open_binary(source) as file:
        magic = file.read(MAGIC_BYTES)
    if compression(magic) is not Compression.NONE or magic[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in magic:
        return False
    if sniff(source) is not Container.LINES:
        return False
    found = detect_source(source, Container.LINES, formats=formats).format
    return found is None or not found.info.ordered
