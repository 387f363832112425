import os
import time
from pathlib import Path

import pytest

from llm_audit.ledger import part_cache as module
from llm_audit.ledger.part_cache import FileHashes, FileState, PartCache, cache_info, clear_cache
from llm_audit.ledger.parts import LedgerPart, ShardTally

OLD = time.time_ns() - 60 * 10**9
FACTS = FileState(path="/logs/a", size_bytes=10, modified_ns=OLD, identity="1:2")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PartCache:
    monkeypatch.setenv(module.FOLDER_VARIABLE, str(tmp_path / "cache"))
    opened = PartCache.open()
    assert opened is not None
    return opened


def part(tmp_path: Path, content: str, rows: bytes = b"rows") -> LedgerPart:
    (tmp_path / "part").write_bytes(rows)
    return LedgerPart(file=str(tmp_path / "part"), rows=1, shards=[ShardTally(content=content, entries=1, requests=1)])


def test_hashes_are_found_while_the_file_has_the_same_facts(cache: PartCache) -> None:
    hashes = FileHashes(FACTS, "ab", {0: "c", 9: "d"})
    cache.store_hashes(hashes)
    assert cache.hashes(FACTS) == hashes
    assert cache.hashes(FileState("/logs/a", 11, OLD, "1:2")) is None
    assert cache.hashes(FileState("/logs/a", 10, OLD, "1:3")) is None
    assert cache.hashes(FileState("/logs/b", 10, OLD, "1:2")) is None


def test_a_file_changed_a_moment_ago_is_not_trusted_by_its_facts(cache: PartCache) -> None:
    fresh = FileState("/logs/a", 10, time.time_ns(), "1:2")
    cache.store_hashes(FileHashes(fresh, "ab", {0: "c"}))
    assert cache.hashes(fresh) is None


def test_a_part_is_found_by_its_work_and_content(cache: PartCache, tmp_path: Path) -> None:
    assert not cache.has_parts("work")
    cache.store_part("work", part(tmp_path, "one"))
    (tmp_path / "part").unlink()
    assert cache.has_parts("work")
    found = cache.part("work", ["one"])
    assert found is not None
    assert found.file is not None
    assert Path(found.file).read_bytes() == b"rows"
    assert found.shards == [ShardTally(content="one", entries=1, requests=1)]
    assert cache.part("work", ["two"]) is None
    assert cache.part("other", ["one"]) is None


def test_keeping_a_part_leaves_no_file_open(cache: PartCache, tmp_path: Path) -> None:
    def next_handle() -> int:
        handle = os.open(tmp_path / "part", os.O_RDONLY)
        os.close(handle)
        return handle

    made = part(tmp_path, "one")
    before = next_handle()
    cache.store_part("work", made)
    assert next_handle() == before


def test_a_part_whose_rows_are_gone_is_not_found(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    found = cache.part("work", ["one"])
    assert found is not None
    Path(str(found.file)).unlink()
    assert cache.part("work", ["one"]) is None


def test_a_damaged_entry_is_a_missing_one(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    for file in (cache.folder / "parts" / "work").glob("*.json"):
        file.write_bytes(b"{")
    assert cache.part("work", ["one"]) is None


def test_the_least_recently_used_go_first(cache: PartCache, tmp_path: Path) -> None:
    for hours, name in ((9, "one"), (5, "two"), (7, "three")):
        cache.store_part("work", part(tmp_path, name, b"x" * 1000))
        found = cache.part("work", [name])
        assert found is not None
        for file in Path(str(found.file)).parent.glob(Path(str(found.file)).stem + ".*"):
            os.utime(file, (time.time() - hours * 3600,) * 2)
    cache.evict(max_bytes=cache_info().bytes - 1500)
    assert [cache.part("work", [name]) is not None for name in ("one", "two", "three")] == [False, True, False]


def test_what_was_used_lately_stays_whatever_the_bound(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    cache.evict(max_bytes=0)
    assert cache.part("work", ["one"]) is not None


def test_clearing_says_what_was_removed(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    held = cache_info()
    assert (held.files, held.folder) == (2, cache.folder)
    assert clear_cache() == held
    assert cache_info().files == 0


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(module.FOLDER_VARIABLE, str(tmp_path / "file" / "below"))
    assert PartCache.open() is None
