"""What a stage leaves of a partition for the next: it changes no figure, whatever becomes of the files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache as once
from pathlib import Path
from typing import Any

import msgspec
import pytest
from polars.testing import assert_frame_equal
from tests.audit.build import ledger
from tests.audit.test_partial import audited, mixed
from tests.ledger.partitions import partitioned

from llm_audit.audit.billing import Billing
from llm_audit.audit.run import Audit
from llm_audit.audit.stages import kept
from llm_audit.ledger import Ledger, PartCache
from llm_audit.ledger.part_cache import MAX_BYTES

PARTITIONS = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return ledger(tmp_path_factory.mktemp("ledger"), mixed(120, seed=5))


@pytest.fixture(scope="module")
def apart(whole: Ledger) -> Callable[[str], Audit]:
    """The audit by a policy of the ledger in one partition, for which nothing is kept."""
    return once(lambda policy: audited(whole, policy))


@pytest.fixture(scope="module")
def expected(apart: Callable[[str], Audit]) -> bytes:
    """The document of the ledger in one partition."""
    return msgspec.json.encode(apart("small-by-default").document)


@pytest.fixture(scope="module")
def cut(whole: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return partitioned(whole, PARTITIONS, tmp_path_factory.mktemp("cut"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The partitions that were read, in order."""
    found: list[int | None] = []
    read_part = kept.read_part

    def counted(job, log, rows):
        found.append(rows.partition)
        return read_part(job, log, rows)

    monkeypatch.setattr(kept, "read_part", counted)
    return found


def spoiling(ways: dict[str, Callable[[Path], object]]) -> Callable[..., list[object]]:
    """Do the steps of a stage, and then spoil what they have kept, each file once and in its own way."""
    left = dict(ways)

    def mapped(function, steps):
        found = [function(step) for step in steps]
        for step in steps:
            for path in Path(step.uri).iterdir():
                if path.name in left:
                    left.pop(path.name)(path)
        return found

    return mapped


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap(path: Path) -> None:
    """Put a file that is whole, but another one, in its place."""
    path.write_bytes(path.with_name("survey-000000").read_bytes())


@pytest.mark.parametrize("policy", ["small-by-default", "routellm"])
def test_a_partition_is_read_once_for_all_stages(
    apart: Callable[[str], Audit], cut: Ledger, read: list[int | None], policy: str
) -> None:
    wanted = msgspec.json.encode(apart(policy).document)
    read.clear()
    assert msgspec.json.encode(audited(cut, policy).document) == wanted
    assert read == [*range(PARTITIONS)]


def test_what_was_damaged_in_any_way_is_read_again(
    expected: bytes, whole: Ledger, tmp_path: Path, read: list[int | None]
) -> None:
    ways: list[Callable[[Path], object]] = [flip, swap, Path.unlink, lambda path: path.write_bytes(b"")]
    held = partitioned(whole, len(ways), tmp_path)
    spoiled = {f"reading-{number:06d}": way for number, way in enumerate(ways)}
    spoiled |= {f"choice-{number:06d}": way for number, way in enumerate([*ways[1:], ways[0]])}
    assert msgspec.json.encode(audited(held, "small-by-default", spoiling(spoiled)).document) == expected
    assert read == [*range(len(ways))] * 2


def test_a_full_disk_ends_no_audit(
    expected: bytes, cut: Ledger, read: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "write_result", full)
    found = audited(cut, "small-by-default")
    assert read == [*range(PARTITIONS)] * 2
    assert msgspec.json.encode(found.document) == expected


@pytest.fixture
def cache(tmp_path: Path) -> PartCache:
    return PartCache(tmp_path / "cache")


@pytest.fixture(scope="module")
def warm(cut: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an audit of the ledger in partitions has kept."""
    folder = tmp_path_factory.mktemp("warm") / "cache"
    audited(cut, "small-by-default", cache=PartCache(folder))
    return folder


@pytest.fixture
def filled(warm: Path, tmp_path: Path) -> PartCache:
    """A copy of that, which the test may spoil."""
    return PartCache(shutil.copytree(warm, tmp_path / "filled"))


def entries(cache: PartCache) -> list[Path]:
    return sorted(path for path in (cache.folder / "readings").rglob("*") if path.is_file())


@pytest.mark.parametrize(("name", "partitions"), [("whole", 1), ("cut", PARTITIONS)])
def test_an_audit_by_another_policy_reads_no_row_for_itself(
    request: pytest.FixtureRequest, read: list[int | None], cache: PartCache, name: str, partitions: int
) -> None:
    held, wanted = request.getfixturevalue(name), request.getfixturevalue("apart")("by trace")
    read.clear()
    audited(held, "routellm", cache=cache)
    assert read == [*range(partitions)]
    kept_files = [path.name for path in entries(cache)]
    names = [f"{kind}-{number:06d}" for kind in ("reading", "standing") for number in range(partitions)]
    assert kept_files == ["habits-whole", *names, "survey-whole"]
    found = audited(held, "by trace", cache=cache)
    assert read == [*range(partitions)]
    assert msgspec.json.encode(found.document) == msgspec.json.encode(wanted.document)
    assert_frame_equal(*(one.requests.sort("input", "line", "entry") for one in (found, wanted)))


def test_what_is_kept_is_of_one_period_and_billing(whole: Ledger, read: list[int | None], cache: PartCache) -> None:
    audited(whole, "small-by-default", cache=cache)
    assert read == [0]
    others: list[dict[str, Any]] = [{"since": "2026-09-02"}, {"timezone": "Asia/Tokyo"}, {"billing": Billing()}]
    for options in others:
        read.clear()
        found = audited(whole, "small-by-default", cache=cache, **options)
        assert read == [0], options
        wanted = audited(whole, "small-by-default", **options)
        assert msgspec.json.encode(found.document) == msgspec.json.encode(wanted.document), options


def test_what_is_kept_is_of_the_aliases_in_their_order(whole: Ledger, read: list[int | None], cache: PartCache) -> None:
    names = {"gpt-*": "openai/gpt-4o", "*-4o": "openai/gpt-4o-mini"}
    for count, aliases in enumerate((names, dict(reversed(names.items())), {}), start=1):
        audited(whole, "small-by-default", cache=cache, aliases=aliases)
        assert read == [0] * count


@pytest.mark.parametrize("spoil", [flip, Path.unlink])
def test_kept_files_that_are_damaged_are_made_again(
    expected: bytes, cut: Ledger, filled: PartCache, read: list[int | None], spoil: Callable[[Path], object]
) -> None:
    habits, first, _, last, *_, standing, survey = entries(filled)
    for path in (habits, first, last, standing, survey):
        spoil(path)
    assert msgspec.json.encode(audited(cut, "small-by-default", cache=filled).document) == expected
    assert read == [0, 2]
    assert len(entries(filled)) == 2 * PARTITIONS + 2


@pytest.mark.parametrize("spoil", [flip, Path.unlink])
def test_sums_that_are_lost_in_the_middle_of_an_audit_are_made_again(
    apart: Callable[[str], Audit], cut: Ledger, filled: PartCache, spoil: Callable[[Path], object]
) -> None:
    (lost,) = [path for path in entries(filled) if path.name == "standing-000001"]
    stages: list[str] = []

    def mapped(function, steps):
        if steps and steps[0].stage == "sums" and "sums" not in stages:
            spoil(lost)
        stages.extend(dict.fromkeys(step.stage for step in steps))
        return [function(step) for step in steps]

    found = audited(cut, "by trace", mapped, cache=filled)
    assert stages[stages.index("sums") :] == ["sums", "routes", "repeated", "sums"]
    assert msgspec.json.encode(found.document) == msgspec.json.encode(apart("by trace").document)
    assert lost.exists()


def test_a_killed_run_leaves_what_it_has_finished(
    expected: bytes, cut: Ledger, read: list[int | None], cache: PartCache
) -> None:
    def killed(function, steps):
        for step in steps:
            if (step.stage, step.targets[0][-1]) == ("routes", "2"):
                raise KeyboardInterrupt
            function(step)
        return []

    with pytest.raises(KeyboardInterrupt):
        audited(cut, "small-by-default", killed, cache=cache)
    (entries(cache)[0].with_name(".half-written")).write_bytes(b"half")
    assert read == [0, 1]
    assert msgspec.json.encode(audited(cut, "small-by-default", cache=cache).document) == expected
    assert read == [0, 1, 2]


def test_a_cache_that_cannot_be_used_changes_nothing(expected: bytes, cut: Ledger, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = audited(cut, "small-by-default", cache=PartCache(tmp_path / "file"))
    assert msgspec.json.encode(found.document) == expected


def test_a_large_ledger_does_not_fill_the_cache(cache: PartCache) -> None:
    assert cache.readings("key", size_bytes=MAX_BYTES) is None
    assert cache.readings("key", size_bytes=MAX_BYTES // 10) == cache.folder / "readings" / "key"
