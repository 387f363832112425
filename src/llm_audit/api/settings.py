"""What the settings say of each stage: how logs are read, models priced and the audit made."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.config import Config, Plan
from llm_audit.engines import IngestOptions, opened_steps

if TYPE_CHECKING:
    from llm_audit.audit.billing import Billing
    from llm_audit.audit.options import AuditOptions
    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning.posterior import Posterior
    from llm_audit.engines import Executor
    from llm_audit.ledger import Ledger
    from llm_audit.pricing import PriceBook


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


def steps(
    ledger: Ledger, config: Config, *, executor: Executor | None = None
) -> AbstractContextManager[dict[str, Any]]:
    """Return what a question of a ledger is given to run its steps: the settings' engine, see ``opened_steps``."""
    return opened_steps(ledger, engine=config.engine, jobs=config.jobs, workspace=config.workspace, executor=executor)


def catalog(config: Config) -> Catalog:
    """Return the catalogue under the settings' aliases, with the abilities that a calibration measured."""
    from llm_audit.catalog import Catalog

    known = Catalog.load(aliases=config.aliases)
    if config.calibration is None:
        return known
    from llm_audit.classify.learning.calibration import Calibration

    return known.shifted(Calibration.load(Path(config.calibration)).abilities())


def price_book(config: Config) -> PriceBook:
    """Return the price table with the settings' price files and aliases."""
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
    """Return the audit's options that settings decide, with what only one run decides.

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
    from llm_audit.classify.learning.calibration import Calibration

    return Calibration.load(Path(config.calibration)).posterior
