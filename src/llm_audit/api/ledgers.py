"""Read logs into a ledger, keep one up to date, or open one that was saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from llm_audit.api.settings import audit_options, ingest_options
from llm_audit.config import Config
from llm_audit.engines import ingest, open_executor
from llm_audit.errors import UsageError
from llm_audit.ledger import is_ledger, read_ledger
from llm_audit.sources.databases import EVERYTHING, Selection, is_database

if TYPE_CHECKING:
    from llm_audit.engines import Executor
    from llm_audit.ledger import Ledger

Progress = Callable[[int, int], None]


def open_ledger(
    paths: Sequence[str | Path],
    *,
    config: Config | None = None,
    since: str | None = None,
    until: str | None = None,
    query: str | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Ledger:
    """Read logs into a ledger, or read a saved ledger.

    Args:
        paths: Logs, databases, or one folder that holds a saved ledger.
        config: Settings; the defaults where not given.
        since: Of databases, leave out what is before this day or time. Files are read whole.
        until: Of databases, leave out what is after this day or time.
        query: Read the result of this query, of the one database given.
        progress: Called with bytes read and bytes in all.
        executor: What runs the work, opened by the caller, who also clears the workspace; the settings' by default.

    Raises:
        UsageError: A path does not exist, a saved ledger is given together with other paths, or it was judged without
            the calibration that is asked for.
        IncompleteError: There is nothing to read.

    Examples:
        >>> ledger = llm_audit.open_ledger(["sample_logs/tutoring"])
        >>> ledger.frame.height
        330
    """
    config = config or Config()
    selection = _selection(paths, config, since=since, until=until, query=query)
    ledger = _open(paths, config, selection, progress, executor)
    if not config.pseudonymize:
        return ledger
    from llm_audit.audit.pseudonyms import pseudonymize

    return pseudonymize(ledger, config.pseudonymize, config.pseudonym_key)


def update_ledger(
    paths: Sequence[str | Path],
    folder: str | Path,
    *,
    config: Config | None = None,
    drop_missing: bool = False,
    query: str | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Ledger:
    """Bring a ledger in a folder up to date with its logs, or make it; what has not changed is not read again.

    Args:
        paths: Files, folders, globs, and addresses of databases and in object stores.
        folder: The ledger's folder, which this function alone writes to.
        config: Settings; the defaults where not given.
        drop_missing: Leave out the requests of logs that are gone; they stay by default, and the ledger's notes say so.
        query: A query to ask of a database, given as the only path; its result is read anew each time.
        progress: Called with bytes read and bytes in all.
        executor: What runs the work, opened by the caller; the settings' by default.

    Returns:
        The ledger, equal to one that is read from all of its logs at once.

    Raises:
        UsageError: A path cannot be read, or the folder holds something else.
        IncompleteError: There is nothing to read.

    Examples:
        After a first night, the second reads only what is new:

        >>> ledger = llm_audit.update_ledger(["logs"], "ledger")  # doctest: +SKIP
        >>> llm_audit.audit_ledger(ledger).write("audit.html")  # doctest: +SKIP
    """
    from llm_audit import engines

    config = config or Config()
    if any(is_ledger(path) for path in paths):
        raise UsageError("A saved ledger has no logs that an update could read. Give the logs.")
    selection = _selection(paths, config, since=None, until=None, query=query)
    with ExitStack() as stack:
        return engines.update_ledger(
            Path(folder),
            paths,
            config=ingest_options(config).config(),
            executor=executor or stack.enter_context(open_executor(config.engine, jobs=config.jobs)),
            options=engines.UpdateOptions(
                drop_missing=drop_missing, overlap_hours=config.overlap_hours, query=selection.query
            ),
            progress=progress,
        )


def _selection(
    paths: Sequence[str | Path], config: Config, *, since: str | None, until: str | None, query: str | None
) -> Selection:
    """Return what is read of a database, and of the files and objects whose names state a date."""
    from llm_audit.audit.options import moments

    if query is not None and [is_database(str(path)) for path in paths] != [True]:
        raise UsageError("A query is asked of one database: give its URI, and no other path.")
    if since is None and until is None and query is None:
        return EVERYTHING
    start, end = moments(audit_options(config, since=since, until=until))
    return Selection(since=start, until=end, query=query)


def _open(
    paths: Sequence[str | Path],
    config: Config,
    selection: Selection,
    progress: Progress | None,
    executor: Executor | None,
) -> Ledger:
    if any(is_ledger(path) for path in paths):
        if len(paths) > 1:
            raise UsageError("A saved ledger is audited on its own; give either one ledger or logs.")
        return _judged_so(read_ledger(Path(paths[0])), config)
    options = replace(ingest_options(config), selection=selection, keep_workspace=executor is not None)
    return ingest(paths, options=options, progress=progress, executor=executor)


def _judged_so(ledger: Ledger, config: Config) -> Ledger:
    """Return a saved ledger, whose difficulties must be those of the calibration asked for."""
    if config.calibration is not None:
        from llm_audit.classify import Classifier
        from llm_audit.classify.learning.calibration import Calibration

        judged = Calibration.load(Path(config.calibration)).apply(Classifier.load())
        if ledger.manifest.fingerprints.get("classifier") != judged.fingerprint:
            raise UsageError(
                f"The saved ledger was not judged with the calibration {config.calibration}. Read the logs again with "
                "--calibration and save that ledger."
            )
    return ledger
