"""Ingest by way of a workspace, in one run, in several on other machines, or in one that goes on from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.engines.assembly import LedgerTarget, assembled
from llm_audit.engines.context import new_run
from llm_audit.engines.executors import Executor
from llm_audit.engines.progress import Progress, bytes_done
from llm_audit.engines.workspace.folder import open_folder
from llm_audit.engines.workspace.parts import PARTS, HashTask, PartTask, fetch_part, hash_file, kept_part, make_part
from llm_audit.engines.workspace.plan import PLAN, Part, Plan, make_plan, read_plan, store_plan
from llm_audit.errors import IncompleteError
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace

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
    plan = make_plan(paths, config)
    store_plan(open_folder(workspace), plan)
    parts = _parts(workspace, plan, (shard or Part()).of(len(plan.bundles)), executor, progress)
    return len(parts), sum(tally.entries for part in parts for tally in part.shards)


def ingest_into(
    workspace: str,
    paths: Sequence[str | Path],
    *,
    config: IngestConfig,
    executor: Executor,
    partitions: int | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """Read logs into a ledger by way of a workspace, whose files stay until ``clear_workspace``.

    Raises:
        UsageError: A path cannot be read, or the workspace is that of other logs.
        IncompleteError: There is no entry to read.
    """
    plan = make_plan(paths, config)
    store_plan(open_folder(workspace), plan)
    parts = _parts(workspace, plan, range(len(plan.bundles)), executor, progress)
    return merged(workspace, plan, parts, executor, given=paths, partitions=partitions)


def merge_workspace(workspace: str, *, executor: Executor, partitions: int | None = None) -> Ledger:
    """Return the ledger of a workspace whose parts are all there.

    Raises:
        UsageError: The workspace has no plan.
        IncompleteError: A part is missing.
    """
    folder = open_folder(workspace)
    plan = read_plan(folder)
    found = {number: kept_part(folder, plan.key(number)) for number in range(len(plan.bundles))}
    missing = [number for number, part in found.items() if part is None]
    if missing:
        raise IncompleteError(
            f"{len(missing):,} of {len(plan.bundles):,} parts are missing from {workspace}, the first of them "
            f"number {missing[0] + 1:,}. Run the missing `llm-audit ingest … --shard` again, or `llm-audit ingest` "
            "without --shard, which makes what is missing."
        )
    parts = [part for part in found.values() if part is not None]
    return merged(workspace, plan, parts, executor, given=[workspace], partitions=partitions)


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
) -> Ledger:
    """Return the ledger of all parts, in a folder that all processes reach where the workspace is one.

    Args:
        workspace: The address of the workspace.
        plan: What the parts were made of.
        parts: The parts, in order.
        executor: What runs the work.
        given: The paths that the user gave.
        partitions: Files of requests; None for a number that bounds memory.
        known: SHA-256 of files that were read in ranges, by name; others are hashed.
    """
    folder = open_folder(workspace)
    holder = Workspace(folder.path)
    known = known or {}
    cut = [source for source in plan.ranged() if source.name not in known]
    hashes = executor.map(hash_file, [HashTask(source) for source in cut])
    sha256 = {**known, **dict(zip((source.name for source in cut), hashes, strict=True))}
    return assembled(
        [(plan.bundle(number), fetch_part(folder, part, holder.path)) for number, part in enumerate(parts)],
        given=given,
        sources=plan.sources,
        notes=plan.notes,
        sha256=lambda source: sha256[source.name],
        config=plan.config,
        target=LedgerTarget(holder=holder, partitions=partitions, workspace=folder.path),
        executor=executor,
    )


def clear_workspace(workspace: str) -> None:
    """Remove what ingests have written to a workspace; other files stay."""
    folder = open_folder(workspace)
    for name in (PARTS, PLAN):
        folder.remove(name)


def workspace_path(workspace: str | None) -> Path | None:
    """Return the path of a workspace whose files can be opened by path; None for another one, or for none."""
    return None if workspace is None else open_folder(workspace).path
