"""What a stage leaves of a partition for the next: it changes no figure, whatever becomes of the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.audit.build import ledger
from tests.audit.test_partial import audited, mixed
from tests.ledger.partitions import partitioned

from llm_audit.audit.stages import kept
from llm_audit.ledger import Ledger

PARTITIONS = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return ledger(tmp_path_factory.mktemp("ledger"), mixed(120, seed=5))


@pytest.fixture(scope="module")
def expected(whole: Ledger) -> bytes:
    """The document of the ledger in one partition."""
    return msgspec.json.encode(audited(whole, "small-by-default").document)


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


def spoiling(spoil: Callable[[Path], object]) -> Callable[..., list[object]]:
    """Do the steps of a stage, and then spoil what they have kept."""

    def mapped(function, steps):
        found = [function(step) for step in steps]
        for step in steps:
            for path in Path(step.uri).iterdir():
                if path.name.startswith(("reading-", "choice-")):
                    spoil(path)
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
    whole: Ledger, cut: Ledger, read: list[int | None], policy: str
) -> None:
    found = audited(cut, policy)
    assert read == [*range(PARTITIONS)]
    assert msgspec.json.encode(found.document) == msgspec.json.encode(audited(whole, policy).document)


@pytest.mark.parametrize("spoil", [flip, swap, Path.unlink, lambda path: path.write_bytes(b"")])
def test_what_was_damaged_is_read_again(
    expected: bytes, cut: Ledger, read: list[int | None], spoil: Callable[[Path], object]
) -> None:
    found = audited(cut, "small-by-default", spoiling(spoil))
    assert read == [*range(PARTITIONS)] * 2
    assert msgspec.json.encode(found.document) == expected


def test_a_full_disk_ends_no_audit(
    expected: bytes, cut: Ledger, read: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "write_result", full)
    found = audited(cut, "small-by-default")
    assert read == [*range(PARTITIONS)] * 2
    assert msgspec.json.encode(found.document) == expected
