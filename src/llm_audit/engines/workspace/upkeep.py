"""Look after a kept ledger: its size, whether it is whole, and parts that became many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from llm_audit.engines.workspace import changes
from llm_audit.engines.workspace.kept import (
    STATE,
    KeptParts,
    KeptState,
    kept_parts,
    locked,
    read_state,
    remove_other_parts,
    store_state,
)
from llm_audit.engines.workspace.parts import entry_name
from llm_audit.engines.workspace.plan import bundle_bytes, find_again
from llm_audit.engines.workspace.regroup import Piece, regrouped
from llm_audit.errors import AuditError, UsageError
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.shared.folder import SharedFolder, open_folder
from llm_audit.ledger.store import Ledger, damaged_files, read_ledger


class LedgerSize(msgspec.Struct, kw_only=True, frozen=True):
    """What a kept ledger holds, and what an update would read.

    Attributes:
        requests: Rows.
        inputs: Files that it was made of.
        missing: Of these, those that are no longer among the logs.
        first: The time of the first request; None where none has a time.
        last: The time of the last request.
        parts: Parts of which it is made.
        parts_bytes: Their size.
        requests_bytes: The size of the requests.
        new_inputs: Files that are new or have changed; None where the logs cannot be listed, or one is a database.
        new_bytes: Their size.
    """

    requests: int
    inputs: int
    missing: int
    first: datetime | None
    last: datetime | None
    parts: int
    parts_bytes: int
    requests_bytes: int
    new_inputs: int | None
    new_bytes: int | None


def ledger_size(folder: Path) -> LedgerSize:
    """Return the size of a kept ledger, and of what its logs have that it has not.

    Raises:
        UsageError: The folder holds no kept ledger, or a damaged one.
    """
    shared, state = _opened(folder)
    ledger = read_ledger(folder)
    kept = kept_parts(shared, state)
    first, last = _period(ledger)
    new = _new_bytes(kept)
    return LedgerSize(
        requests=ledger.manifest.rows,
        inputs=len(ledger.manifest.inputs),
        missing=len(state.missing),
        first=first,
        last=last,
        parts=len(kept.parts),
        parts_bytes=sum((folder / name).stat().st_size for name in shared.names("parts/")),
        requests_bytes=sum(file.stat().st_size for file in ledger.files),
        new_inputs=None if new is None else len(new),
        new_bytes=None if new is None else sum(new),
    )


def compact_ledger(folder: Path) -> tuple[int, int]:
    """Join small parts of a kept ledger, whose requests stay as they are; return how many there were and are.

    Raises:
        UsageError: The folder holds no kept ledger.
        AuditError: A part is damaged.
    """
    _opened(folder)
    with locked(folder) as shared:
        state = read_state(shared)
        assert state is not None
        kept = kept_parts(shared, state)
        if None in kept.parts:
            raise AuditError(f"A part of {folder} is damaged. See llm-audit ledger verify {folder}.")
        groups = _neighbours(kept)
        plan = msgspec.structs.replace(
            state.plan,
            bundles=tuple(tuple(part for number in group for part in state.plan.bundles[number]) for group in groups),
        )
        made: list[LedgerPart] = []
        for number, group in enumerate(groups):
            pieces = [Piece(old, 0, len(state.plan.bundles[old])) for old in group]
            made.append(regrouped(shared, plan.key(number), pieces, kept.parts))
        store_state(shared, msgspec.structs.replace(state, plan=plan))
        remove_other_parts(shared, plan, tuple(made))
    return len(kept.parts), len(made)


def damage_of_ledger(folder: Path) -> list[str]:
    """Return the names of the files of a kept ledger that are missing or not what was written.

    Raises:
        UsageError: The folder holds no kept ledger.
    """
    shared = open_folder(str(folder)) if folder.is_dir() else None
    if shared is None or shared.read(STATE) is None:
        raise _no_ledger(folder)
    found = damaged_files(folder)
    try:
        state = read_state(shared)
    except UsageError:
        return [*found, STATE]
    assert state is not None
    kept = kept_parts(shared, state)
    return found + [entry_name(state.plan.key(number)) for number, part in enumerate(kept.parts) if part is None]


def _opened(folder: Path) -> tuple[SharedFolder, KeptState]:
    shared = open_folder(str(folder)) if folder.is_dir() else None
    state = read_state(shared) if shared is not None else None
    if shared is None or state is None:
        raise _no_ledger(folder)
    return shared, state


def _no_ledger(folder: Path) -> UsageError:
    return UsageError(
        f"{folder} holds no ledger that is kept up to date. Make one: llm-audit analyze PATH… --ledger {folder} "
        "--update."
    )


def _period(ledger: Ledger) -> tuple[datetime | None, datetime | None]:
    import polars as pl

    bounds = [
        ledger.scan(number).select(first=pl.col("time").min(), last=pl.col("time").max()).collect().row(0)
        for number in range(ledger.partitions)
    ]
    firsts, lasts = ([time for time in times if time is not None] for times in zip(*bounds, strict=True))
    return min(firsts, default=None), max(lasts, default=None)


def _new_bytes(kept: KeptParts) -> list[int] | None:
    """Return the size of each file that an update would read; None where the logs cannot be listed."""
    if any(source.database for source in kept.state.plan.sources):
        return None
    try:
        found = find_again(kept.state.given, option="--update")
    except UsageError:
        return None
    _, changed = changes.split_changed(found.sources, changes.kept_shards(kept), kept.state.young)
    return [source.size_bytes for source in changed]


def _neighbours(kept: KeptParts) -> Sequence[Sequence[int]]:
    """Return the numbers of the parts to be joined: neighbours, up to the size of a part of a fresh ingest."""
    plan = kept.state.plan
    sizes = [
        sum(
            tally.read_bytes or shard.size_bytes
            for shard, tally in zip(plan.bundle(number), part.shards if part else (), strict=True)
        )
        for number, part in enumerate(kept.parts)
    ]
    limit = bundle_bytes(sum(sizes))
    groups: list[list[int]] = []
    held = 0
    for number, size in enumerate(sizes):
        if groups and held + size <= limit:
            groups[-1].append(number)
            held += size
        else:
            groups.append([number])
            held = size
    return groups
