"""Ingest on this machine: bundles of shards over processes, one a core, and the ledger of what they hand back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from llm_audit.engines.cache_session import Memory
from llm_audit.engines.context import Recipe
from llm_audit.engines.pool import run_all
from llm_audit.engines.worker import Task
from llm_audit.errors import IncompleteError
from llm_audit.ledger.manifest import REQUESTS_FILE
from llm_audit.ledger.part_cache import Cache
from llm_audit.ledger.reduce import place, reduce
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.tally import Part
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.files.find import find
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import bundles

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How logs are read.

    Attributes:
        jobs: Processes; 0 is one a core.
        log_format: Read every record as this format.
        mapping: Ledger field to JSON path, for logs of no known format.
        calibration: A file that ``calibrate`` wrote, to judge by.
        cache: Keep parts of unchanged logs, and use those that are kept.
    """

    jobs: int = 0
    log_format: str | None = None
    mapping: Mapping[str, str] | None = None
    calibration: Path | None = None
    cache: bool = True


def ingest(
    paths: Sequence[str | Path], *, options: IngestOptions | None = None, progress: Progress | None = None
) -> Ledger:
    """Read logs into a ledger. The result is the same whatever the number of processes and the order of paths.

    Args:
        paths: Files, folders, globs, ``-`` for standard input, ``s3://bucket/prefix``.
        options: How logs are read.
        progress: Called in this process with bytes done and bytes in all.

    Raises:
        UsageError: A path does not exist, cannot be read, or a format is not known.
        IncompleteError: There is not one entry to read.
    """
    options = options or IngestOptions()
    recipe = Recipe(
        log_format=options.log_format,
        mapping=dict(options.mapping or {}),
        calibration=str(options.calibration) if options.calibration else None,
    )
    forced = recipe.forced()
    cache = Cache.open() if options.cache else None
    holder = Workspace()
    workspace = holder.path
    found = find(paths, spool=workspace)
    memory = Memory(cache, found.sources, recipe)
    if (known := memory.ledger()) is not None:
        return known.with_notes(found.notes)
    tasks = [
        Task(
            bundle=bundle,
            work=memory.work(bundle),
            target=workspace / f"part-{number:06d}.parquet",
            cache=cache.folder if cache else None,
        )
        for number, bundle in enumerate(bundles(found.sources, () if forced else recipe.formats()))
    ]
    with ThreadPoolExecutor(1) as beside:
        # A file that is cut is hashed here, while the processes read its pieces.
        cut = {shard.source for task in tasks for shard in task.bundle if shard.end is not None}
        hashes = {source.name: beside.submit(memory.sha256, source) for source in found.sources if source in cut}
        parts = _parts(tasks, memory, recipe, options.jobs or os.cpu_count() or 1, progress)
    if not sum(tally.entries for part in parts for tally in part.shards):
        raise IncompleteError(_nothing(paths, found.sources, found.notes))
    shards = [
        (shard, tally)
        for task, part in zip(tasks, parts, strict=True)
        for shard, tally in zip(task.bundle, part.shards, strict=True)
    ]
    shas = {shard.source.name: tally.sha256 or hashes[shard.source.name].result() for shard, tally in shards}
    numbers = {source.name: number for number, source in enumerate(found.sources)}
    manifest = reduce(
        place(
            (part, [numbers[shard.source.name] for shard in task.bundle])
            for task, part in zip(tasks, parts, strict=True)
        ),
        inputs=[(source.name, source.size_bytes, shas[source.name]) for source in found.sources],
        target=workspace / REQUESTS_FILE,
        notes=found.notes,
        fingerprints=recipe.fingerprints(),
    )
    _refit(workspace / REQUESTS_FILE)
    ledger = Ledger(workspace, manifest, holder=holder)
    memory.keep(ledger, shards)
    return ledger


def _refit(path: Path) -> None:
    """Correct estimated token counts by the rows of the same model that have both text and usage."""
    import polars as pl

    from llm_audit.ledger.schema import SCHEMA
    from llm_audit.tokens.fitted import refit
    from llm_audit.vocabulary import UsageSource

    requests = pl.scan_parquet(path, glob=False).cast(SCHEMA)
    estimated = pl.col("usage_source") == UsageSource.ESTIMATED.value
    if requests.select(estimated.any()).collect().item():
        refit(requests.collect()).write_parquet(path)


def _parts(tasks: Sequence[Task], memory: Memory, recipe: Recipe, jobs: int, progress: Progress | None) -> list[Part]:
    """The parts of all tasks: those of unchanged files from the cache, the others made anew."""
    known = [memory.part(task.bundle, task.work) for task in tasks]
    missing = [task for task, part in zip(tasks, known, strict=True) if part is None]
    made = iter(run_all(missing, recipe, jobs=jobs, progress=progress))
    return [part or next(made) for part in known]


def _nothing(paths: Sequence[str | Path], sources: Sequence[Source], notes: Sequence[str]) -> str:
    given = ", ".join(map(str, paths))
    empty = "1 empty file" if len(sources) == 1 else f"{len(sources)} empty files"
    what = empty if sources else "no files of logs"
    passed = f" ({len(notes)} passed over: {notes[0]}…)" if notes else ""
    return f"There is nothing to audit: {given} holds {what}{passed}. Give files or folders with log records."
