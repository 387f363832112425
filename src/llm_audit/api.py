"""The public API: what the command line does, for a notebook or a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.config import Config, Plan
from llm_audit.engines import IngestOptions, ingest, open_executor, opened_steps
from llm_audit.errors import UsageError
from llm_audit.ledger import PartCache, is_ledger, read_ledger
from llm_audit.sources.databases import EVERYTHING, Selection, is_database

if TYPE_CHECKING:
    from llm_audit.audit.billing import Billing
    from llm_audit.audit.options import AuditOptions
    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning.posterior import Posterior
    from llm_audit.document.audit import Document
    from llm_audit.document.comparison import Comparison
    from llm_audit.engines import Executor
    from llm_audit.ledger import Ledger
    from llm_audit.notebook import Audit
    from llm_audit.policy import Policy
    from llm_audit.policy import load as load_policy
    from llm_audit.pricing import PriceBook

__all__ = [
    "Audit",
    "Policy",
    "analyze",
    "audit_ledger",
    "audit_options",
    "catalog",
    "compare_documents",
    "load_policy",
    "open_ledger",
    "price_book",
    "read_ledger",
    "update_ledger",
]

Progress = Callable[[int, int], None]


def __getattr__(name: str) -> Any:
    """Import on first use, so that an audit that is kept loads no more than it needs."""
    if name == "Audit":
        from llm_audit.notebook import Audit

        return Audit
    if name in {"Policy", "load_policy"}:
        from llm_audit import policy

        return policy.Policy if name == "Policy" else policy.load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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


def ingest_options(config: Config) -> IngestOptions:
    """Return the options of reading logs that settings decide."""
    return IngestOptions(
        jobs=config.jobs,
        log_format=config.log_format,
        date_order=config.date_order,
        mapping=config.mapping or None,
        calibration=Path(config.calibration) if config.calibration else None,
        cache=config.cache,
        engine=config.engine,
        workspace=config.workspace,
        key_date=config.key_date,
    )


def _judged_so(ledger: Ledger, config: Config) -> Ledger:
    """Return a saved ledger, whose difficulties must be those of the calibration asked for."""
    if config.calibration is not None:
        from llm_audit.classify import Classifier
        from llm_audit.classify.learning.calibrate import Calibration

        judged = Calibration.load(Path(config.calibration)).apply(Classifier.load())
        if ledger.manifest.fingerprints.get("classifier") != judged.fingerprint:
            raise UsageError(
                f"The saved ledger was not judged with the calibration {config.calibration}. Read the logs again with "
                "--calibration and save that ledger."
            )
    return ledger


def audit_ledger(
    ledger: Ledger,
    *,
    config: Config | None = None,
    policy: Policy | None = None,
    options: AuditOptions | None = None,
    executor: Executor | None = None,
) -> Audit:
    """Audit a ledger: a pure function of it, the price table, the policy and the options.

    Args:
        ledger: The requests, of ``open_ledger`` or ``read_ledger``.
        config: Settings; the defaults where not given.
        policy: The policy to compare with, instead of the settings' own.
        options: Period, grouping and interval, instead of the settings' own.
        executor: What runs the work on a ledger of several partitions, opened by the caller; the settings' by default.

    Raises:
        UsageError: A setting or the policy cannot be used.
        IncompleteError: There is nothing to audit.

    Examples:
        One reading of the logs serves several policies; under ``keep`` every request keeps the model that it had.

        >>> ledger = llm_audit.open_ledger(["sample_logs/tutoring"])
        >>> audit = llm_audit.audit_ledger(ledger, policy=llm_audit.load_policy("keep"))
        >>> audit.document.flagship_tax.expected.amount
        '0.00'
    """
    from llm_audit.audit.run import run
    from llm_audit.notebook import Audit, Inputs
    from llm_audit.policy import load

    config = config or Config()
    inputs = Inputs(
        ledger=ledger,
        policy=policy or load(config.policy),
        catalog=catalog(config),
        book=price_book(config),
        options=options or audit_options(config),
        config=config,
    )
    audit = partial(run, ledger, policy=inputs.policy, catalog=inputs.catalog, book=inputs.book, options=inputs.options)
    cache = PartCache.open() if config.cache and config.workspace is None else None
    with steps(ledger, config, executor=executor) as given:
        return Audit(audit(**given, cache=cache), inputs)


def steps(
    ledger: Ledger, config: Config, *, executor: Executor | None = None
) -> AbstractContextManager[dict[str, Any]]:
    """What a question of a ledger is given for its steps: those of the settings' engine, see ``opened_steps``."""
    return opened_steps(ledger, engine=config.engine, jobs=config.jobs, workspace=config.workspace, executor=executor)


def catalog(config: Config) -> Catalog:
    """The catalogue under the settings' aliases, with the abilities that a calibration measured."""
    from llm_audit.catalog import Catalog

    known = Catalog.load(aliases=config.aliases)
    if config.calibration is None:
        return known
    from llm_audit.classify.learning.calibrate import Calibration

    return known.shifted(Calibration.load(Path(config.calibration)).abilities())


def price_book(config: Config) -> PriceBook:
    """The price table with the settings' price files and aliases."""
    from llm_audit.pricing import PriceBook

    return PriceBook(user_files=[Path(file) for file in config.prices], aliases=config.aliases)


def audit_options(
    config: Config,
    *,
    since: str | None = None,
    until: str | None = None,
    command: str = "",
    now: datetime | None = None,
) -> AuditOptions:
    """The audit's options that settings decide, with what only one run decides.

    Args:
        config: Settings.
        since: Start of the period: a day or time, or relative to now, such as ``7d`` or ``last-month``.
        until: End of the period, itself excluded.
        command: The command that reproduces the audit.
        now: The time that a relative bound refers to; the clock's where not given.
    """
    from llm_audit.audit.options import AuditOptions, bounds

    since, until = bounds((since, until), timezone=config.timezone, now=now)
    return AuditOptions(
        since=since,
        until=until,
        timezone=config.timezone,
        group_by=tuple(config.group_by),
        confidence=config.confidence,
        resamples=config.resamples,
        sampling_rate=config.sampling_rate,
        command=command,
        config_fingerprint=config.fingerprint,
        billing=_billing(config),
        posterior=_posterior(config),
    )


def _billing(config: Config) -> Billing:
    """Return the declared bases of billing, whose keys the configuration has checked."""
    from llm_audit.audit.billing import Billing, Declaration

    return Billing(
        tuple(
            Declaration(
                column=key.partition("=")[0],
                value=key.partition("=")[2],
                basis=value.basis if isinstance(value, Plan) else value,
                usd_per_month=Decimal(str(value.usd_per_month)) if isinstance(value, Plan) else None,
            )
            for key, value in config.billing.items()
        )
    )


def _posterior(config: Config) -> Posterior | None:
    if config.calibration is None:
        return None
    from llm_audit.classify.learning.calibrate import Calibration

    return Calibration.load(Path(config.calibration)).posterior


def analyze(
    *paths: str | Path,
    config: Config | None = None,
    since: str | None = None,
    until: str | None = None,
    query: str | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit logs, or a saved ledger.

    Args:
        paths: Files, folders, globs, databases and addresses in object stores; or one saved ledger.
        config: Settings; the defaults where not given.
        since: First day or time to audit, such as ``2026-09-01``, or relative to now, such as ``7d``.
        until: First day or time not to audit.
        query: Audit the result of this query, of the one database given.
        progress: Called with bytes read and bytes in all.

    Returns:
        The audit: its ``document``, its frames and charts, and questions that go on from it.

    Raises:
        AuditError: With a message that says what to do.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring", since="2026-01-01")
        >>> audit.document.requests.audited, audit.document.requests.rejected
        (330, 2)
        >>> audit.document.cost.actual
        '1.09522443'
    """
    config = config or Config()
    ledger = open_ledger(paths, config=config, since=since, until=until, query=query, progress=progress)
    return audit_ledger(ledger, config=config, options=audit_options(config, since=since, until=until))


def compare_documents(
    base: Document, head: Document, *, config: Config | None = None, labels: tuple[str, str] = ("base", "head")
) -> Comparison:
    """Compare two audits; the base is priced again where it was priced with another table.

    Raises:
        IncompleteError: The two cannot be compared.
    """
    from llm_audit.compare.comparison import compare
    from llm_audit.compare.repricing import reprice

    config = config or Config()
    book = price_book(config)
    return compare(base, head, labels=labels, confidence=config.confidence, reprice=lambda rows: reprice(rows, book))
