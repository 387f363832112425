import errno
import os
import stat
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.errors import AuditWarning
from llm_audit.ledger.cache_folder import FOLDER_VARIABLE, cache_info, clear_cache, evict
from llm_audit.ledger.part_cache import FileHashes, FileState, PartCache
from llm_audit.ledger.parts import LedgerPart, ShardTally

OLD = time.time_ns() - 60 * 10**9
FACTS = FileState(path="/logs/a", size_bytes=10, modified_ns=OLD, identity="1:2")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PartCache:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
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
    assert cache.damaged == 1
    assert not list((cache.folder / "parts" / "work").glob("*.json"))


def entry_files(cache: PartCache) -> list[Path]:
    return sorted(path for path in cache.folder.rglob("*") if path.is_file())


def spoil_bit(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    path.write_bytes(data)


DAMAGE = {
    "a bit of the first byte": lambda path: spoil_bit(path, 3),
    "a bit of the last byte": lambda path: spoil_bit(path, 8 * path.stat().st_size - 1),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("which", [0, 1])
def test_a_part_with_any_damage_is_missing_and_can_be_stored_again(
    cache: PartCache, tmp_path: Path, damage: Callable[[Path], None], which: int
) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    damage(entry_files(cache)[which])
    assert cache.part("work", ["one"]) is None
    assert cache.damaged == 1
    assert cache.part("work", ["one"]) is None
    assert cache.damaged == 1  # it is said once
    cache.store_part("work", part(tmp_path, "one"))
    assert cache.part("work", ["one"]) is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(bit=st.integers(0, 1 << 20), which=st.integers(0, 2))
def test_every_bit_counts(cache: PartCache, tmp_path: Path, bit: int, which: int) -> None:
    cache.store_hashes(FileHashes(FACTS, "ab", {0: "c", 9: "d"}))
    cache.store_part("work", part(tmp_path, "one"))
    spoil_bit(entry_files(cache)[which], bit)
    before = cache.damaged
    assert cache.hashes(FACTS) is None or cache.part("work", ["one"]) is None
    assert cache.damaged == before + 1


def test_an_entry_in_the_place_of_another_is_damage(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    first = next(path for path in entry_files(cache) if path.suffix == ".json")
    content = first.read_bytes()
    first.unlink()
    cache.store_part("work", part(tmp_path, "two"))
    second = next(path for path in entry_files(cache) if path.suffix == ".json")
    second.write_bytes(content)
    assert cache.part("work", ["two"]) is None
    assert cache.damaged == 1


def test_what_a_killed_run_left_half_written_goes_in_time(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    old, fresh = cache.folder / "parts" / ".old", cache.folder / "parts" / ".fresh"
    (cache.folder / "ledgers" / ".partial").mkdir()
    in_folder = cache.folder / "ledgers" / ".partial" / "requests.parquet"
    for path in (old, fresh, in_folder):
        path.write_bytes(b"half")
    for path in (old, in_folder):
        os.utime(path, (time.time() - 7200,) * 2)
    evict(cache.folder)
    assert (old.exists(), in_folder.exists(), fresh.exists()) == (False, False, True)
    assert cache.part("work", ["one"]) is not None


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_only_the_owner_reads_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    made = part(tmp_path, "one")
    before = os.umask(umask)
    try:
        cache = PartCache.open()
        assert cache is not None
        cache.store_part("work", made)
        cache.store_hashes(FileHashes(FACTS, "ab", {}))
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in entry_files(cache)}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in cache.folder.rglob("*") if path.is_dir()} == {0o700}


def test_a_cache_open_to_others_is_closed(cache: PartCache) -> None:
    (cache.folder / "parts").chmod(0o755)
    PartCache.open()
    assert stat.S_IMODE((cache.folder / "parts").stat().st_mode) == 0o700


def test_the_least_recently_used_go_first(cache: PartCache, tmp_path: Path) -> None:
    for hours, name in ((9, "one"), (5, "two"), (7, "three")):
        cache.store_part("work", part(tmp_path, name, b"x" * 1000))
        found = cache.part("work", [name])
        assert found is not None
        for file in Path(str(found.file)).parent.glob(Path(str(found.file)).name.split(".")[0] + ".*"):
            os.utime(file, (time.time() - hours * 3600,) * 2)
    evict(cache.folder, max_bytes=cache_info().bytes - 1500)
    assert [cache.part("work", [name]) is not None for name in ("one", "two", "three")] == [False, True, False]


def test_what_was_used_lately_stays_whatever_the_bound(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    evict(cache.folder, max_bytes=0)
    assert cache.part("work", ["one"]) is not None


def test_clearing_says_what_was_removed(cache: PartCache, tmp_path: Path) -> None:
    cache.store_part("work", part(tmp_path, "one"))
    held = cache_info()
    assert (held.files, held.folder) == (2, cache.folder)
    assert clear_cache() == held
    assert cache_info().files == 0


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.warns(AuditWarning, match=r"below cannot be written: Not a directory\..* --no-cache"):
        assert PartCache.open() is None
    with warnings.catch_warnings(record=True) as again:
        assert PartCache.open() is None
    assert again == []


def test_a_full_disk_is_remembered(cache: PartCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("llm_audit.ledger.part_cache.tempfile.mkstemp", full)
    cache.store_hashes(FileHashes(FACTS, "ab", {0: "c"}))
    assert cache.unwritten == "No space left on device"
