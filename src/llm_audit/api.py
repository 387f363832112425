"""The public API: what the command line does, for a notebook or a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.config import Config
from llm_audit.engines import IngestOptions, ingest
from llm_audit.errors import UsageError
from llm_audit.ledger import is_ledger, read_ledger

if TYPE_CHECKING:
    from llm_audit.audit.options import AuditOptions, Period
    from llm_audit.audit.run import Audit
    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning.posterior import Posterior
    from llm_audit.document.audit import Document
    from llm_audit.document.comparison import Comparison
    from llm_audit.ledger import Ledger
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
]

Progress = Callable[[int, int], None]


def __getattr__(name: str) -> Any:
    """Import on first use, so that an audit that is kept loads no more than it needs."""
    if name == "Audit":
        from llm_audit.audit.run import Audit

        return Audit
    if name in {"Policy", "load_policy"}:
        from llm_audit import policy

        return policy.Policy if name == "Policy" else policy.load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def open_ledger(
    paths: Sequence[str | Path],
    *,
    config: Config | None = None,
    progress: Progress | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Ledger:
    """Read logs into a ledger, or read a saved ledger.

    Args:
        paths: Logs, or one folder that holds a saved ledger.
        config: Settings; the defaults where not given.
        progress: Called with bytes read and bytes in all.
        since: Files and objects whose name states an earlier day are not read; the requests of others all are.
        until: Files and objects whose name states a later day are not read.

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
    ledger = _open(paths, config, progress, _period(config, since, until))
    if not config.pseudonymize:
        return ledger
    from llm_audit.audit.pseudonyms import pseudonymize

    return pseudonymize(ledger, config.pseudonymize, config.pseudonym_key)


def _open(paths: Sequence[str | Path], config: Config, progress: Progress | None, bounds: Period) -> Ledger:
    if any(is_ledger(path) for path in paths):
        if len(paths) > 1:
            raise UsageError("A saved ledger is audited on its own; give either one ledger or logs.")
        return _judged_so(read_ledger(Path(paths[0])), config)
    options = IngestOptions(
        jobs=config.jobs,
        log_format=config.log_format,
        date_order=config.date_order,
        mapping=config.mapping or None,
        calibration=Path(config.calibration) if config.calibration else None,
        cache=config.cache,
        key_date=config.key_date,
        since=bounds[0],
        until=bounds[1],
    )
    return ingest(paths, options=options, progress=progress)


def _period(config: Config, since: str | None, until: str | None) -> Period:
    if since is None and until is None:
        return None, None
    from llm_audit.audit.options import AuditOptions, period

    return period(AuditOptions(since=since, until=until, timezone=config.timezone))


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
    ledger: Ledger, *, config: Config | None = None, policy: Policy | None = None, options: AuditOptions | None = None
) -> Audit:
    """Audit a ledger: a pure function of it, the price table, the policy and the options.

    Args:
        ledger: The requests, of ``open_ledger`` or ``read_ledger``.
        config: Settings; the defaults where not given.
        policy: The policy to compare with, instead of the settings' own.
        options: Period, grouping and interval, instead of the settings' own.

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
    from llm_audit.policy import load

    config = config or Config()
    return run(
        ledger,
        policy=policy or load(config.policy),
        catalog=catalog(config),
        book=price_book(config),
        options=options or audit_options(config),
    )


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
    config: Config, *, since: str | None = None, until: str | None = None, command: str = ""
) -> AuditOptions:
    """The audit's options that settings decide, with what only one run decides."""
    from llm_audit.audit.options import AuditOptions

    return AuditOptions(
        since=since,
        until=until,
        timezone=config.timezone,
        group_by=tuple(config.group_by),
        confidence=config.confidence,
        resamples=config.resamples,
        command=command,
        config_fingerprint=config.fingerprint,
        posterior=_posterior(config),
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
    progress: Progress | None = None,
) -> Audit:
    """Audit logs, or a saved ledger.

    Args:
        paths: Files, folders, globs and addresses in object stores; or one saved ledger.
        config: Settings; the defaults where not given.
        since: First day or time to audit, such as ``2026-09-01``.
        until: First day or time not to audit.
        progress: Called with bytes read and bytes in all.

    Returns:
        The audit: its ``document``, and its frames per request.

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
    ledger = open_ledger(paths, config=config, progress=progress, since=since, until=until)
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
