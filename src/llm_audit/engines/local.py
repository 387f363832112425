"""Ingest logs: bundles of shards are read by several processes, and their parts become one ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llm_audit.engines.cache_session import CacheSession, known_not_to_be_archives
from llm_audit.engines.context import IngestConfig, new_run
from llm_audit.engines.executors import LOCAL, Executor, is_remote, open_executor
from llm_audit.engines.progress import Progress, bytes_done
from llm_audit.errors import UsageError
from llm_audit.ledger.part_cache import PartCache
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.databases import EVERYTHING, Selection
from llm_audit.sources.files.find import find
from llm_audit.sources.files.stores.key_dates import KeyDates

if TYPE_CHECKING:
    from llm_audit.engines.worker import Task


class IngestOptions(msgspec.Struct, kw_only=True, frozen=True):
    """Options for reading logs.

    Attributes:
        jobs: Processes; 0 is one a core.
        log_format: Read every record as this format.
        date_order: The order of the numbers of a date: ``dmy``, ``mdy`` or ``ymd``.
        mapping: Ledger field to JSON path, for logs of no known format.
        calibration: A file that ``calibrate`` wrote.
        cache: Store what is read, and reuse what is stored of unchanged logs.
        engine: What runs the work; see ``executors.open_executor``.
        workspace: The address of a folder for what is made on the way, which all processes of the engine reach and a
            run that was interrupted goes on from; a temporary folder of this machine by default.
        keep_workspace: Leave its files, so that what follows can be interrupted too; ``clear_workspace`` removes them.
        partitions: Files that the ledger's requests are in; None for a number that bounds memory.
        selection: What is read of a database, and the period outside of which files with a date in their names are not.
        key_date: A pattern of dates in names, such as ``%Y/%m/%d``; partitions as Hive names them by default.
    """

    jobs: int = 0
    log_format: str | None = None
    date_order: str | None = None
    mapping: Mapping[str, str] | None = None
    calibration: Path | None = None
    cache: bool = True
    engine: str = LOCAL
    workspace: str | None = None
    keep_workspace: bool = False
    partitions: int | None = None
    selection: Selection = EVERYTHING
    key_date: str | None = None

    def dates(self) -> KeyDates:
        """Return the period and the dates in names by which it rules files out."""
        return KeyDates.of(self.key_date, since=self.selection.since, until=self.selection.until)

    def config(self) -> IngestConfig:
        """Return the options that decide how records are read and judged."""
        return IngestConfig(
            log_format=self.log_format,
            date_order=self.date_order,
            mapping=dict(self.mapping or {}),
            calibration=str(self.calibration) if self.calibration else None,
        )


def ingest(
    paths: Sequence[str | Path],
    *,
    options: IngestOptions | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Ledger:
    """Read logs into a ledger. The result is the same whatever the number of processes and the order of paths.

    Args:
        paths: Files, folders, globs, ``-`` for standard input, addresses such as ``s3://bucket/prefix``, databases.
        options: Options for reading.
        progress: Called in this process with bytes read and bytes in total.
        executor: What runs the work, opened by the caller; opened here from the options by default.

    Raises:
        UsageError: A path does not exist or cannot be read, or a format is unknown.
        IncompleteError: There is no entry to read.
    """
    options = options or IngestOptions()
    with ExitStack() as stack:
        run_on = executor or stack.enter_context(open_executor(options.engine, jobs=options.jobs))
        if options.workspace is None:
            return _ingest(paths, options, progress, run_on)
        from llm_audit.engines.workspace import clear_workspace, ingest_into

        ledger = ingest_into(
            options.workspace,
            paths,
            config=options.config(),
            selection=options.selection,
            partitions=options.partitions,
            progress=progress,
            executor=run_on,
        )
        if not options.keep_workspace:
            clear_workspace(options.workspace)
        return ledger


def _ingest(
    paths: Sequence[str | Path], options: IngestOptions, progress: Progress | None, executor: Executor
) -> Ledger:
    """Read logs by way of a temporary folder of this machine."""
    if is_remote(options.engine):
        raise UsageError(
            f"The engine {options.engine} needs --workspace: a folder that all its workers reach, such as a shared "
            "disk or s3://bucket/prefix."
        )
    config = options.config()
    forced = config.forced()
    cache = PartCache.open() if options.cache else None
    holder = Workspace()
    folder = holder.path
    found = find(
        paths,
        spool=folder,
        selection=options.selection,
        dates=options.dates(),
        no_archive=known_not_to_be_archives(cache),
    )
    session = CacheSession(cache, found.sources, config, partitions=options.partitions)
    executor.prepare(session.unknown_bytes)  # before the code is hashed, which takes a tenth of a second
    if (stored := session.ledger()) is not None:
        session.warn_of_damage()
        return stored.with_notes(found.notes)
    executor.prepare(sum(source.size_bytes for source in found.sources))
    from concurrent.futures import ThreadPoolExecutor

    from llm_audit.engines.worker import Task
    from llm_audit.sources.split import bundles

    run = new_run()
    tasks = [
        Task(
            bundle=bundle,
            config=config,
            run=run,
            work_key=session.work_key(bundle),
            target=folder / f"part-{number:06d}.parquet",
            cache=cache.folder if cache else None,
        )
        for number, bundle in enumerate(bundles(found.sources, () if forced else config.formats()))
    ]
    with ThreadPoolExecutor(1) as hashing:
        # While the processes read shards, what comes next is loaded here, and a file that is split is hashed.
        loading = hashing.submit(import_module, "llm_audit.engines.assembly")
        split = {
            shard.source.name
            for task in tasks
            for shard in task.bundle
            if shard.end is not None and shard.source.table is None and not shard.source.remote
        }
        hashes = {
            source.name: hashing.submit(session.sha256, source) for source in found.sources if source.name in split
        }
        parts = _parts(tasks, session, executor, progress)
        loading.result()
    from llm_audit.engines.assembly import LedgerTarget, assembled, tallies

    session.warn_of_damage(parts)
    ledger = assembled(
        work := [(task.bundle, part) for task, part in zip(tasks, parts, strict=True)],
        given=paths,
        sources=found.sources,
        notes=found.notes,
        sha256=lambda source: hashes[source.name].result(),
        config=config,
        target=LedgerTarget(holder=holder, partitions=options.partitions),
        executor=executor,
    )
    session.store(ledger, tallies(work))
    return ledger


def _parts(
    tasks: Sequence[Task], session: CacheSession, executor: Executor, progress: Progress | None
) -> list[LedgerPart]:
    """Return the parts of all tasks: those of unchanged files from the cache, the others newly made."""
    from llm_audit.engines.worker import process

    stored = [session.part(task.bundle, task.work_key) for task in tasks]
    missing = [task for task, part in zip(tasks, stored, strict=True) if part is None]
    made = iter(executor.map(process, missing, done=bytes_done(missing, progress)))
    return [part or next(made) for part in stored]
