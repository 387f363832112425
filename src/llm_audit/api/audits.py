"""Audit logs or a ledger, and compare two audits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.api.ledgers import Progress, open_ledger
from llm_audit.api.settings import audit_options, catalog, price_book, steps
from llm_audit.config import Config
from llm_audit.ledger import PartCache

if TYPE_CHECKING:
    from llm_audit.audit.options import AuditOptions
    from llm_audit.document.audit import Document
    from llm_audit.document.comparison import Comparison
    from llm_audit.engines import Executor
    from llm_audit.ledger import Ledger
    from llm_audit.notebook import Audit
    from llm_audit.policy import Policy


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
    config = config or Config()
    cache = PartCache.open() if config.cache and config.workspace is None else None
    with steps(ledger, config, executor=executor) as given:  # processes that it needs start while this one loads
        from llm_audit.audit.run import run
        from llm_audit.notebook import Audit, Inputs
        from llm_audit.policy import load

        inputs = Inputs(
            ledger=ledger,
            policy=policy or load(config.policy),
            catalog=catalog(config),
            book=price_book(config),
            options=options or audit_options(config),
            config=config,
        )
        audit = run(
            ledger,
            policy=inputs.policy,
            catalog=inputs.catalog,
            book=inputs.book,
            options=inputs.options,
            cache=cache,
            **given,
        )
        return Audit(audit, inputs)


def compare_documents(
    base: Document, head: Document, *, config: Config | None = None, labels: tuple[str, str] = ("base", "head")
) -> Comparison:
    """Compare two audits; the base is priced again where it was priced with another table.

    Raises:
        IncompleteError: The two cannot be compared.
    """
    from llm_audit.compare.comparison import compare

    config = config or Config()
    base, head, notes = at_one_price(base, head, config=config, labels=labels)
    return compare(base, head, labels=labels, confidence=config.confidence, notes=notes)


def at_one_price(
    base: Document, head: Document, *, config: Config | None = None, labels: tuple[str, str] = ("base", "head")
) -> tuple[Document, Document, list[str]]:
    """Return two audits at the same prices, with notes on them.

    Where they were priced with different tables, those that were not priced with the settings' own are priced again.

    Raises:
        IncompleteError: There is no such price for a model.
    """
    from msgspec.structs import replace

    from llm_audit.compare.repricing import reprice

    if base.fingerprints.prices == head.fingerprints.prices:
        return base, head, []
    book, notes, priced = price_book(config or Config()), [], []
    for document, label in zip((base, head), labels, strict=True):
        if document.fingerprints.prices == book.fingerprint:
            priced.append(document)
            continue
        found = reprice(document, book, label=label)
        fingerprints = replace(document.fingerprints, prices=book.fingerprint)
        priced.append(replace(found.document, fingerprints=fingerprints))
        notes += [f"{label} was priced again with the price table of this version and its settings.", *found.notes]
    return priced[0], priced[1], notes
