"""The same ledger whatever the number of partitions, the size of shards and bundles, and the order of the steps."""

import datetime as dt
import json
import multiprocessing
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.assembly.build import START, Log, chain

from llm_audit.errors import AuditError
from llm_audit.ledger import Ledger
from llm_audit.ledger.assembly import partition
from llm_audit.ledger.assembly.assemble import grouped
from llm_audit.ledger.assembly.numbering import PartRows
from llm_audit.ledger.shared import Outcome, Step, in_process

CHAINS = [chain(*messages) for messages in ((2,), (2, 3, 4), (2, 3, 4, 5, 6), (2, 5, 4), (8,), (8, 3, 4), (1, 2))]
NO_PROMPT: dict[str, int | None] = dict.fromkeys(("prompt_hash", "parent_prompt_hash", "opening_hash"))

ROWS = st.fixed_dictionaries(
    {
        "chain": st.sampled_from([*CHAINS, NO_PROMPT]),
        "merge_key": st.none() | st.integers(1, 5),
        "conversation": st.none() | st.integers(101, 104),
        "trace": st.none() | st.integers(1, 5),
        "span": st.none() | st.integers(1, 4),
        "parent_span": st.none() | st.integers(1, 4),
        "wraps_calls": st.booleans(),
        "team": st.sampled_from([None, "a", "b"]),
        "time": st.none() | st.integers(0, 9).map(lambda minute: START + dt.timedelta(minutes=minute)),
        "input_tokens": st.sampled_from([None, 10, 20]),
        "output_tokens": st.sampled_from([None, 1, 2]),
        "calls_tools": st.sampled_from([None, True, False]),
        "tool_call_hash": st.sampled_from([None, 30, 40]),
        "tools_called": st.sampled_from([None, "", "fetch", "fetch,search", "ask"]),
        "reply_hash": st.sampled_from([None, 50, 60]),
    }
).map(lambda row: {name: value for name, value in row.items() if name != "chain"} | row["chain"])
FILES = st.lists(st.lists(ROWS, min_size=1, max_size=12).map(tuple), min_size=1, max_size=5).map(tuple)


def content(ledger: Ledger) -> tuple[Any, Any]:
    """All that must not depend on how a ledger was made."""
    return ledger.frame.to_dicts(), msgspec.structs.replace(ledger.manifest, partitions=1)


def in_some_order(seed: int) -> Callable[..., Iterable[Outcome]]:
    """An executor that finishes steps in any order, and does some of them twice."""

    def run(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        order = random.Random(seed).sample(range(len(steps)), len(steps))
        done = {place: function(steps[place]) for place in [*order, *order[:3]]}
        return [done[place] for place in range(len(steps))]

    return run


@settings(deadline=None, max_examples=8)
@given(
    files=FILES,
    copies=st.integers(0, 2),
    partitions=st.sampled_from([2, 3, 7]),
    cuts=st.tuples(
        st.sampled_from([2, 4, 12]), st.integers(1, 4), st.sampled_from([2, 3, 128]), st.sampled_from([1, 7, 10**6])
    ),
    seed=st.integers(0, 9),
)
def test_partitions_shards_and_bundles_change_nothing(
    files: tuple[tuple[dict[str, Any], ...], ...],
    copies: int,
    partitions: int,
    cuts: tuple[int, int, int, int],
    seed: int,
) -> None:
    with TemporaryDirectory() as folder:
        log = Log((*files, *files[:copies]), folder=Path(folder))
        whole = log.assembled(1, log.folder / "whole")
        parted = replace(log, shard_rows=cuts[0], bundle_shards=cuts[1]).assembled(
            partitions, log.folder / "parted", run=in_some_order(seed), fan=cuts[2], group_rows=cuts[3]
        )
        assert parted.partitions == partitions
        assert content(parted) == content(whole)
        adds_up(parted)
        check_that_groups_stay_together(parted)
        assert not list((log.folder / "parted").glob("assembly-*"))


@pytest.mark.parametrize(
    ("rows", "group_rows", "groups"),
    [
        ([], 10, []),
        ([4], 10, [1]),
        ([40], 10, [1]),
        ([3, 3, 3, 3], 6, [2, 2]),
        ([5] * 43, 70, [10, 11, 11, 11]),
        ([1, 1, 97, 1], 10, [2, 2]),
    ],
)
def test_small_parts_are_read_in_groups_of_about_equal_rows(
    rows: list[int], group_rows: int, groups: list[int]
) -> None:
    parts = [PartRows(file=str(number), workspace=None, offsets=(), inputs=()) for number in range(len(rows))]
    found = grouped(parts, rows, group_rows)
    assert [len(group) for group in found] == groups
    assert [part for group in found for part in group] == parts


def test_a_partition_of_many_rows_is_not_held_in_memory(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = log.assembled(2, tmp_path / "held")
    monkeypatch.setattr(partition, "_HELD_ROWS", 10)
    read = log.assembled(2, tmp_path / "read")
    assert read.fingerprint() == held.fingerprint()


def adds_up(ledger: Ledger) -> None:
    manifest = ledger.manifest
    spans = sum(count.count for count in manifest.not_provider_calls)
    assert ledger.frame.height == manifest.rows == ledger.frame["request_key"].n_unique()
    assert manifest.read == manifest.rows + manifest.duplicates + spans


def check_that_groups_stay_together(ledger: Ledger) -> None:
    pieces = [
        ledger.scan(number).collect().with_columns(partition=pl.lit(number)) for number in range(ledger.partitions)
    ]
    for piece in pieces:
        places = piece.select("input", "line", "entry").rows()
        assert places == sorted(places)
    rows = pl.concat(pieces)
    for names in (("conversation", "trace"), ("trace", "conversation"), ("conversation",), ("trace",)):
        group = pl.coalesce(*names)
        split = rows.filter(group.is_not_null()).group_by(group).agg(pl.col("partition").n_unique())
        assert split["partition"].max() in (None, 1)


def test_of_a_row_that_stays_the_reply_is_that_of_all_its_duplicates(tmp_path: Path) -> None:
    first = chain(2) | {"merge_key": 7, "output_tokens": 9, "calls_tools": False, "trace": 1, "tools_called": ""}
    called = {"calls_tools": True, "tool_call_hash": 40, "tools_called": "fetch"}
    second = chain(8) | {"merge_key": 7, "output_tokens": 1, "trace": 2} | called
    other = chain(4) | {"merge_key": 8}
    ledger = Log(((first, other), (second,)), folder=tmp_path).assembled(4, tmp_path / "ledger")
    found = ledger.frame.select("trace", "calls_tools", "tool_call_hash", "tools_called").rows()
    assert found == [(1, True, 40, "fetch"), (None, None, None, None)]
    assert ledger.manifest.duplicates == 1


def test_a_chain_over_traces_is_one_conversation(tmp_path: Path) -> None:
    turns = [chain(*range(2, 2 * length + 3)) for length in range(24)]
    rows = [turn | {"trace": 100 + n, "time": START + dt.timedelta(minutes=n)} for n, turn in enumerate(turns)]
    ledger = Log(tuple((row,) for row in rows), folder=tmp_path).assembled(8, tmp_path / "ledger")
    assert ledger.frame["conversation"].n_unique() == 1
    assert sorted(ledger.scan(number).collect().height for number in range(8)) == [0] * 7 + [24]


def test_owners_in_a_long_chain_are_linked_whatever_their_number(tmp_path: Path) -> None:
    ids = list(range(1, 400))
    random.Random(1).shuffle(ids)
    # each trace goes on in the next conversation, so that all hang together; the last is alone
    rows = [{"conversation": 1_000 + ids[n], "trace": ids[n + step]} for n in range(len(ids) - 1) for step in (0, 1)]
    log = Log(((*rows, {"conversation": 5_000, "trace": 4_000}),), shard_rows=50, folder=tmp_path)
    rounds: set[int] = set()

    def counted(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        rounds.update(getattr(step, "round", 0) for step in steps)
        return in_process(function, steps)

    ledger = log.assembled(8, tmp_path / "ledger", run=counted)
    check_that_groups_stay_together(ledger)
    assert max(ledger.scan(number).collect().height for number in range(8)) >= len(rows)
    assert max(rounds) <= 24


def test_rows_spread_over_partitions(tmp_path: Path) -> None:
    rows = tuple(chain(2 * n) for n in range(500)) + tuple({"team": "a"} for _ in range(500))
    ledger = Log((rows,), folder=tmp_path).assembled(5, tmp_path / "ledger")
    assert all(150 < ledger.scan(number).collect().height < 250 for number in range(5))


@pytest.mark.parametrize("partitions", [1, 64])
def test_many_partitions_for_few_rows_are_well(log: Log, tmp_path: Path, partitions: int) -> None:
    few = replace(log, files=(log.files[0][:30],))
    ledger = few.assembled(partitions, tmp_path / "ledger")
    assert ledger.partitions == partitions
    assert content(ledger) == content(few.assembled(2, tmp_path / "two"))


def test_names_do_not_bleed_between_partitions(tmp_path: Path) -> None:
    rows = tuple(chain(2 * n) | {"user": f"user-{n}", "team": None if n % 3 else "a"} for n in range(60))
    ledger = Log((rows,), folder=tmp_path).assembled(6, tmp_path / "ledger")
    assert ledger.frame["user"].to_list() == [f"user-{n}" for n in range(60)]
    assert ledger.frame["team"].to_list() == [None if n % 3 else "a" for n in range(60)]
    for file in ledger.files:
        named = sum(f"user-{n}".encode() in file.read_bytes() for n in range(10, 60))
        assert named <= pl.read_parquet(file).height


def test_a_small_log_is_one_partition_and_a_log_without_rows_too(tmp_path: Path) -> None:
    assert Log(((chain(2),),), folder=tmp_path).assembled(None, tmp_path / "ledger").partitions == 1
    assert Log((), folder=tmp_path).assembled(None, tmp_path / "empty").frame.height == 0
    assert Log((), folder=tmp_path).assembled(3, tmp_path / "parted").frame.height == 0


@pytest.fixture
def log(tmp_path: Path) -> Log:
    rows = tuple(
        chain(2 * (n % 30), *([3, 4] if n % 4 else [])) | {"merge_key": n // 2 if n % 5 else None, "trace": n % 17}
        for n in range(120)
    )
    return Log((rows, rows[:40]), shard_rows=60, folder=tmp_path)


def test_processes_give_the_same(log: Log, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        ledger = log.assembled(3, tmp_path / "ledger", run=pool.map)
    alone = log.assembled(3, tmp_path / "alone")
    assert content(ledger) == content(alone)
    assert ledger.fingerprint() == alone.fingerprint()


class StoppedError(Exception):
    """An executor that goes away."""


def interrupted_after(count: int) -> Callable[..., Iterable[Outcome]]:
    done = 0

    def run(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        nonlocal done
        found = []
        for step in steps:
            if done == count:
                raise StoppedError
            found.append(function(step))
            done += 1
        return found

    return run


def running(written: list[str]) -> Callable[..., Iterable[Outcome]]:
    """An executor that notes which steps do more than return what is there."""

    def run(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        found = []
        for step in steps:
            place = Path(getattr(step, "ledger", step.uri)) / step.targets[0]
            before = place.stat().st_mtime_ns if place.exists() else None
            found.append(function(step))
            if place.stat().st_mtime_ns != before:
                written.append(place.name)
        return found

    return run


def test_a_second_run_does_only_what_is_missing(log: Log, tmp_path: Path) -> None:
    once: list[str] = []
    alone = log.assembled(3, tmp_path / "alone", run=running(once))
    for count in range(0, len(once), 8):
        space, target = tmp_path / f"space-{count}", tmp_path / f"ledger-{count}"
        with pytest.raises(StoppedError):
            log.assembled(3, target, workspace=space, run=interrupted_after(count))
        again: list[str] = []
        ledger = log.assembled(3, target, workspace=space, run=running(again))
        assert again == once[count:]
        assert ledger.fingerprint() == alone.fingerprint()
        assert not space.exists()  # removed after success


def test_what_is_left_of_another_log_or_of_other_partitions_is_not_used(log: Log, tmp_path: Path) -> None:
    space = tmp_path / "space"
    for number, (other, partitions) in enumerate(((log, 3), (replace(log, shard_rows=30), 3), (log, 2))):
        with pytest.raises(StoppedError):
            other.assembled(partitions, tmp_path / str(number), workspace=space, run=interrupted_after(9))
    assert len(list(space.iterdir())) == 3
    ledger = log.assembled(3, tmp_path / "ledger", workspace=space)
    assert ledger.fingerprint() == log.assembled(3, tmp_path / "alone").fingerprint()
    assert len(list(space.iterdir())) == 2


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path, random.Random], object]] = {
    "a flipped bit": flip,
    "cut short": lambda path, rng: path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)]),
    "gone": lambda path, _: path.unlink(),
    "empty": lambda path, _: path.write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_made_again(log: Log, tmp_path: Path, damage: Callable[..., object]) -> None:
    alone = log.assembled(3, tmp_path / "alone").fingerprint()
    rng = random.Random(2)
    for trial in range(3):
        space, target = tmp_path / f"space-{trial}", tmp_path / f"ledger-{trial}"
        with pytest.raises(StoppedError):
            log.assembled(3, target, workspace=space, run=interrupted_after(rng.randrange(1, 20)))
        kept = sorted(path for path in [*space.rglob("*"), *target.rglob("*")] if path.is_file())
        for path in rng.sample(kept, min(5, len(kept))):
            damage(path, rng)
        assert log.assembled(3, target, workspace=space).fingerprint() == alone


def test_swapped_files_are_damage(log: Log, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        log.assembled(3, tmp_path / "ledger", workspace=tmp_path / "space", run=interrupted_after(7))
    [folder] = (tmp_path / "space").iterdir()
    one, two = folder / "merges-000000", folder / "merges-000001"
    content_of_one = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content_of_one)
    ledger = log.assembled(3, tmp_path / "ledger", workspace=tmp_path / "space")
    assert ledger.fingerprint() == log.assembled(3, tmp_path / "alone").fingerprint()


def test_a_disk_that_spoils_everything_ends_in_words(log: Log, tmp_path: Path) -> None:
    def spoiling(function: Callable[[Step], Outcome], steps: Sequence[Step], /) -> Iterable[Outcome]:
        found = in_process(function, steps)
        (Path(steps[0].uri) / "merges-000000").write_bytes(b"spoilt")
        return found

    with pytest.raises(AuditError, match=r"merges-000000 was damaged 3 times after it was written\. Check the disk"):
        log.assembled(3, tmp_path / "ledger", run=spoiling)


def test_files_of_an_assembly_are_private_and_hold_no_text(log: Log, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        log.assembled(3, tmp_path / "ledger", workspace=tmp_path / "space", run=interrupted_after(13))
    [folder] = (tmp_path / "space").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    for receipt in folder.glob("*.json"):
        assert json.loads(receipt.read_bytes()[33:]).keys() == {"counts", "checksum"}
