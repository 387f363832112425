"""Ingest logs on this machine: shards are read by several processes, and their parts become one ledger."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.engines.cache_session import CacheSession
from llm_audit.engines.context import IngestConfig
from llm_audit.errors import IncompleteError
from llm_audit.ledger.manifest import REQUESTS_FILE
from llm_audit.ledger.part_cache import PartCache
from llm_audit.ledger.parts import LedgerPart, ShardTally
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.entry import Reason
from llm_audit.sources.files.find import STANDARD_INPUT, find
from llm_audit.sources.files.storage import Source
from llm_audit.sources.files.stores.key_dates import KeyDates
from llm_audit.sources.split import Shard, bundles

if TYPE_CHECKING:
    from llm_audit.engines.pool import Progress
    from llm_audit.engines.worker import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """Options for reading logs.

    Attributes:
        jobs: Processes; 0 is one a core.
        log_format: Read every record as this format.
        date_order: The order of the numbers of a date: ``dmy``, ``mdy`` or ``ymd``.
        mapping: Ledger field to JSON path, for logs of no known format.
        calibration: A file that ``calibrate`` wrote.
        cache: Store what is read, and reuse what is stored of unchanged logs.
        key_date: A pattern of dates in names, such as ``%Y/%m/%d``; partitions as Hive names them by default.
        since: Files whose name states an earlier time are not read.
        until: Files whose name states a later time are not read.
    """

    jobs: int = 0
    log_format: str | None = None
    date_order: str | None = None
    mapping: Mapping[str, str] | None = None
    calibration: Path | None = None
    cache: bool = True
    key_date: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def ingest(
    paths: Sequence[str | Path], *, options: IngestOptions | None = None, progress: Progress | None = None
) -> Ledger:
    """Read logs into a ledger. The result is the same whatever the number of processes and the order of paths.

    Args:
        paths: Files, folders, globs, ``-`` for standard input, addresses such as ``s3://bucket/prefix``.
        options: Options for reading.
        progress: Called in this process with bytes read and bytes in total.

    Raises:
        UsageError: A path does not exist or cannot be read, or a format is unknown.
        IncompleteError: There is no entry to read.
    """
    options = options or IngestOptions()
    config = IngestConfig(
        log_format=options.log_format,
        date_order=options.date_order,
        mapping=dict(options.mapping or {}),
        calibration=str(options.calibration) if options.calibration else None,
    )
    forced = config.forced()
    cache = PartCache.open() if options.cache else None
    holder = Workspace()
    folder = holder.path
    dates = KeyDates.of(options.key_date, since=options.since, until=options.until)
    found = find(paths, spool=folder, dates=dates)
    session = CacheSession(cache, found.sources, config)
    if (stored := session.ledger()) is not None:
        session.warn_of_damage()
        return stored.with_notes(found.notes)
    from llm_audit.engines.worker import Task
    from llm_audit.ledger.assemble import assemble, with_offsets

    tasks = [
        Task(
            bundle=bundle,
            work_key=session.work_key(bundle),
            target=folder / f"part-{number:06d}.parquet",
            cache=cache.folder if cache else None,
        )
        for number, bundle in enumerate(bundles(found.sources, () if forced else config.formats()))
    ]
    with ThreadPoolExecutor(1) as hashing:
        # A file that is split is hashed here, while the processes read its shards.
        split = {shard.source.name for task in tasks for shard in task.bundle if shard.end is not None}
        hashes = {
            source.name: hashing.submit(session.sha256, source)
            for source in found.sources
            if source.name in split and not source.remote
        }
        parts = _parts(tasks, session, config, options.jobs or os.cpu_count() or 1, progress)
    session.warn_of_damage(parts)
    if not sum(tally.entries for part in parts for tally in part.shards):
        raise IncompleteError(_nothing_to_audit(paths, found.sources, found.notes))
    shards = [
        (shard, tally)
        for task, part in zip(tasks, parts, strict=True)
        for shard, tally in zip(task.bundle, part.shards, strict=True)
    ]
    _refuse_unreadable(shards)
    file_hashes = {
        shard.source.name: tally.sha256 or hashes[shard.source.name].result()
        for shard, tally in shards
        if shard.end is None or not shard.source.remote
    }
    file_hashes |= _ranges_hashes(shards)
    numbers = {source.name: number for number, source in enumerate(found.sources)}
    manifest = assemble(
        with_offsets(
            (part, [numbers[shard.source.name] for shard in task.bundle])
            for task, part in zip(tasks, parts, strict=True)
        ),
        inputs=[(source.name, source.size_bytes, file_hashes[source.name]) for source in found.sources],
        target=folder / REQUESTS_FILE,
        notes=found.notes,
        fingerprints=config.fingerprints(),
    )
    _refit(folder / REQUESTS_FILE)
    ledger = Ledger(folder, manifest, holder=holder)
    session.store(ledger, shards)
    return ledger


def _ranges_hashes(shards: Sequence[tuple[Shard, ShardTally]]) -> dict[str, str]:
    """Return, for each object read in ranges, a hash of the hashes of these, marked as such.

    The SHA-256 of the whole would need a second reading of it from its beginning to its end.
    """
    states: dict[str, Any] = {}
    for shard, tally in shards:
        if shard.source.remote and shard.end is not None:
            states.setdefault(shard.source.name, hashlib.sha256()).update(tally.content.encode())
    return {name: f"{state.hexdigest()}:ranges" for name, state in states.items()}


def _refuse_unreadable(shards: Sequence[tuple[Shard, ShardTally]]) -> None:
    """Refuse a run over objects none of which can be read; where some can, the others are counted and noted."""
    failed = [tally for shard, tally in shards if shard.source.remote and _is_unreadable(tally)]
    if failed and len(failed) == sum(tally.entries > 0 for _, tally in shards):
        many = f"None of the {len(failed):,} objects" if len(failed) > 1 else "The object"
        verb = "can" if len(failed) > 1 else "cannot"
        raise IncompleteError(f"{many} {verb} be read. {failed[0].notes[0][1]}")


def _is_unreadable(tally: ShardTally) -> bool:
    rejected = tally.rejected.get(Reason.UNREADABLE.value)
    return rejected is not None and rejected.count == tally.entries and bool(tally.notes)


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


def _parts(
    tasks: Sequence[Task], session: CacheSession, config: IngestConfig, jobs: int, progress: Progress | None
) -> list[LedgerPart]:
    """Return the parts of all tasks: those of unchanged files from the cache, the others newly made."""
    from llm_audit.engines.pool import run_all

    stored = [session.part(task.bundle, task.work_key) for task in tasks]
    missing = [task for task, part in zip(tasks, stored, strict=True) if part is None]
    made = iter(run_all(missing, config, jobs=jobs, progress=progress))
    return [part or next(made) for part in stored]


def _nothing_to_audit(paths: Sequence[str | Path], sources: Sequence[Source], notes: Sequence[str]) -> str:
    given = ", ".join(map(str, paths))
    if [source.name for source in sources] == [given]:
        named = "standard input" if given == STANDARD_INPUT else given
        return f"There is nothing to audit: {named} is empty. Give files or folders with log records."
    empty = "only an empty file" if len(sources) == 1 else f"only {len(sources)} empty files"
    content = empty if sources else "no log files"
    skipped = f" ({len(notes)} skipped: {notes[0]}…)" if notes else ""
    return f"There is nothing to audit: {given} contains {content}{skipped}. Give files or folders with log records."
