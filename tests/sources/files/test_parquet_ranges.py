"""Ranges of a Parquet file have each row once, in order, and change their hash with what decides their rows."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.sources import split
from llm_audit.sources.files.parquet import parquet_ranges, parquet_rows, range_rows, ranges
from llm_audit.sources.files.parquet.rows import parquet_pieces
from llm_audit.sources.files.storage import Source
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.read import content_hash
from llm_audit.sources.split import Shard, bundles

SCHEMA = pa.schema(
    [
        ("timestamp", pa.string()),
        ("model", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("prompt", pa.string()),
    ]
)


def records(count: int) -> list[dict[str, object]]:
    return [
        {
            "timestamp": "2026-09-01T00:00:00Z",
            "model": "gpt-4o",
            "input_tokens": number + 1,
            "output_tokens": 5,
            "prompt": f"How long is a piece of string number {number}?" * (1 + number % 3),
        }
        for number in range(count)
    ]


def written(source_of, path: Path, groups: list[int]) -> Source:
    rows = records(sum(groups))
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for size in groups:
            writer.write_table(pa.Table.from_pylist(rows[:size], SCHEMA))
            rows = rows[size:]
    return source_of(path, path.read_bytes())


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    shard_bytes=st.integers(1, 6_000),
    group_bytes=st.integers(100, 4_000),
)
def test_each_row_is_in_one_range_and_in_order(
    source_of, tmp_path: Path, groups: list[int], shard_bytes: int, group_bytes: int
) -> None:
    source = written(source_of, tmp_path / "log.parquet", groups)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ranges, "SHARD_BYTES", shard_bytes)
        patched.setattr(ranges, "MAX_GROUP_BYTES", group_bytes)
        found = parquet_ranges(source)
    assert found[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert sum(range_rows(source, *within) for within in found) == sum(groups)
    lines = []
    for within in found:
        pieces = [piece for _, piece in parquet_pieces(source, within=within)]
        assert all(isinstance(piece, bytes) for piece in pieces)
        lines.append(b"".join(piece for piece in pieces if isinstance(piece, bytes)))
        assert lines[-1].count(b"\n") == range_rows(source, *within)
    assert b"".join(lines) == b"".join(piece for _, piece in parquet_pieces(source) if isinstance(piece, bytes))
    assert [row for _, row in parquet_rows(source)] == records(sum(groups))


def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SHARD_BYTES", 4_000)
    monkeypatch.setattr(ranges, "SHARD_BYTES", 4_000)
    monkeypatch.setattr(ranges, "MAX_GROUP_BYTES", 9_000)
    monkeypatch.setattr(split, "_PACKED", 10**6)


def test_the_ledger_is_that_of_the_whole_file(source_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(source_of, tmp_path / "log.parquet", [50, 400, 1, 70])
    options = IngestOptions(jobs=1, cache=False)
    whole = ingest([source.path], options=options)
    small_ranges(monkeypatch)
    shards = [shard for bundle in bundles([source], all_formats()) for shard in bundle]
    assert len(shards) > 5
    assert all(shard.end is not None for shard in shards)
    assert sum(shard.size_bytes for shard in shards) > source.size_bytes  # as they are once unpacked
    cut = ingest([source.path], options=options)
    assert cut.frame.equals(whole.frame)
    assert cut.frame["line"].to_list() == list(range(1, 522))
    assert cut.manifest == whole.manifest


def test_a_range_is_read_again_where_its_rows_or_what_describes_them_changed(
    source_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ranges(monkeypatch)
    path = tmp_path / "log.parquet"
    shards = [shard for bundle in bundles([written(source_of, path, [60, 60])], all_formats()) for shard in bundle]

    def hashes(content: bytes) -> list[str]:
        changed = source_of(tmp_path / "changed.parquet", content)
        return [content_hash(Shard(changed, shard.start, shard.end)) for shard in shards]

    content = path.read_bytes()
    first, second = hashes(content)
    assert first != second
    data, footer = bytearray(content), bytearray(content)
    data[content.index(b"PAR1") + 200] ^= 1  # in the first row group
    one, other = hashes(bytes(data))
    assert one != first
    assert other == second
    place = content.rindex(b"parquet-cpp-arrow")  # in the footer: what wrote it
    footer[place] ^= 1
    assert not {*hashes(bytes(footer))} & {first, second}


def test_a_damaged_file_is_not_cut(source_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_ranges(monkeypatch)
    whole = written(source_of, tmp_path / "log.parquet", [400])
    cut_short = source_of(tmp_path / "short.parquet", (tmp_path / "log.parquet").read_bytes()[:-100])
    assert len([*bundles([whole], all_formats())]) > 1
    assert [*bundles([cut_short], all_formats())] == [(Shard(cut_short),)]
    with pytest.raises(UsageError, match=r"short\.parquet is damaged: its Parquet footer cannot be read"):
        parquet_ranges(cut_short)
