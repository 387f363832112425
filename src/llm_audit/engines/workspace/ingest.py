"""Ingest by way of a workspace, in one run, in several on other machines, or in one that goes on from another."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.engines.assembly import LEDGER, LedgerTarget, assembled
from llm_audit.engines.context import new_run
from llm_audit.engines.executors import Executor
from llm_audit.engines.executors.calls import map_calls
from llm_audit.engines.progress import Progress, bytes_done
from llm_audit.engines.steps import STEPS
from llm_audit.engines.workspace.parts import PARTS, HashTask, PartTask, hash_file, kept_part, make_part
from llm_audit.engines.workspace.plan import PLAN, Part, Plan, make_plan, read_plan, store_plan, stored_plan
from llm_audit.errors import AuditError, IncompleteError
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.shared import open_folder
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.databases import EVERYTHING, Selection

if TYPE_CHECKING:
    from llm_audit.engines.context import IngestConfig


def ingest_shard(
    workspace: str,
    paths: Sequence[str | Path],
    *,
    config: IngestConfig,
    executor: Executor,
    shard: Part | None = None,
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Make the parts of a share of the logs; ``merge_workspace`` makes the ledger when all are there.

    Args:
        workspace: The address of the workspace.
        paths: The logs, the same ones for every share.
        config: How they are read and judged.
        executor: What runs the work.
        shard: The share; all of it by default.
        progress: Called with bytes read and bytes in total.

    Returns:
        How many parts there are now of this share, and how many records were read for them.

    Raises:
        UsageError: A path cannot be read, or the workspace is that of other logs.
    """
    plan = _agreed(workspace, paths, config, EVERYTHING)
    parts = _parts(workspace, plan, (shard or Part()).of(len(plan.bundles)), executor, progress)
    return len(parts), sum(tally.entries for part in parts for tally in part.shards)


def ingest_into(
    workspace: str,
    paths: Sequence[str | Path],
    *,
    config: IngestConfig,
    executor: Executor,
    selection: Selection = EVERYTHING,
    partitions: int | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """Read logs into a ledger by way of a workspace, whose files stay until ``clear_workspace``.

    Raises:
        UsageError: A path cannot be read, or the workspace is that of other logs.
        IncompleteError: There is no entry to read.
    """
    plan = _agreed(workspace, paths, config, selection)
    parts = _parts(workspace, plan, range(len(plan.bundles)), executor, progress)
    return merged(workspace, plan, parts, executor, given=paths, partitions=partitions, resumable=True)


def merge_workspace(workspace: str, *, executor: Executor, partitions: int | None = None) -> Ledger:
    """Return the ledger of a workspace whose parts are all there.

    Raises:
        UsageError: The workspace has no plan.
        IncompleteError: A part is missing.
    """
    folder = open_folder(workspace)
    plan = read_plan(folder)
    keys = [plan.key(number) for number in range(len(plan.bundles))]
    found = map_calls(executor, partial(_kept_part, workspace), keys, label=_part_label)
    missing = [number for number, part in enumerate(found) if part is None]
    if missing:
        raise IncompleteError(
            f"{len(missing):,} of {len(plan.bundles):,} parts are missing from {workspace}, the first of them "
            f"number {missing[0] + 1:,}. Run the missing `llm-audit ingest … --shard` again, or `llm-audit ingest` "
            "without --shard, which makes what is missing."
        )
    parts = [part for part in found if part is not None]
    return merged(workspace, plan, parts, executor, given=[workspace], partitions=partitions, resumable=True)


def _kept_part(workspace: str, key: str) -> LedgerPart | None:
    return kept_part(open_folder(workspace, checked=False), key)


def _part_label(key: str) -> str:
    return f"the part {key}"


def _agreed(workspace: str, paths: Sequence[str | Path], config: IngestConfig, selection: Selection) -> Plan:
    """Return the plan of a workspace for logs, which it then keeps."""
    folder = open_folder(workspace)
    plan = make_plan(paths, config, selection=selection, before=stored_plan(folder))
    store_plan(folder, plan)
    return plan


def _parts(
    workspace: str, plan: Plan, numbers: Sequence[int], executor: Executor, progress: Progress | None
) -> list[LedgerPart]:
    run = new_run()
    tasks = [
        PartTask(bundle=plan.bundle(number), config=plan.config, run=run, workspace=workspace, key=plan.key(number))
        for number in numbers
    ]
    return executor.map(make_part, tasks, done=bytes_done(tasks, progress))


def merged(
    workspace: str,
    plan: Plan,
    parts: Sequence[LedgerPart],
    executor: Executor,
    *,
    given: Sequence[str | Path],
    partitions: int | None = None,
    known: Mapping[str, str] | None = None,
    resumable: bool = False,
) -> Ledger:
    """Return the ledger of all parts: a small one on this machine, a large one in the workspace.

    Args:
        workspace: The address of the workspace.
        plan: What the parts were made of.
        parts: The parts, in order.
        executor: What runs the work.
        given: The paths that the user gave.
        partitions: Files of requests; None for a number that bounds memory.
        known: SHA-256 of files that were read in ranges, by name; others are hashed.
        resumable: Whether a large ledger stays in the workspace as long as its plan does, for a run that goes on from
            an interrupted one.
    """
    folder = open_folder(workspace)
    holder = Workspace(folder.path)
    known = known or {}
    cut = [source for source in plan.ranged() if source.name not in known]
    hashes = executor.map(hash_file, [HashTask(source) for source in cut])
    sha256 = {**known, **dict(zip((source.name for source in cut), hashes, strict=True))}
    return assembled(
        [(plan.bundle(number), part) for number, part in enumerate(parts)],
        given=given,
        sources=plan.sources,
        notes=plan.notes,
        sha256=lambda source: sha256[source.name],
        config=plan.config,
        target=LedgerTarget(
            holder=holder,
            partitions=partitions,
            workspace=folder.uri,
            resumable=resumable,
            keep=partial(_Kept, folder.uri),
        ),
        executor=executor,
    )


def clear_workspace(workspace: str) -> None:
    """Remove what runs have written to a workspace; other files stay, and a ledger in use as long as it is used."""
    folder = open_folder(workspace)
    for name in (PARTS, f"{STEPS}/", PLAN):
        folder.remove(name)


class _Kept:
    """Keeps a ledger in a workspace, and removes it in the end, unless the workspace has a plan that it is part of."""

    def __init__(self, workspace: str) -> None:
        release = weakref.finalize(self, _release, workspace)
        release.atexit = False
        atexit.register(release)  # before the clients of stores are closed, which were opened earlier


def _release(workspace: str) -> None:
    with suppress(AuditError, OSError):
        folder = open_folder(workspace, checked=False)
        if not folder.has(PLAN):
            folder.remove(f"{LEDGER}/")
