"""Options of an audit, and the period of the ledger it covers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from llm_audit.audit.billing import Billing
from llm_audit.audit.period import RELATIVE, absolute, is_relative
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.classify.learning.posterior import Posterior
    from llm_audit.document.audit import Document

Period = tuple[dt.datetime | None, dt.datetime | None]


class AuditOptions(msgspec.Struct, kw_only=True, frozen=True):
    """An audit's options.

    Attributes:
        since: First day or time to audit, ISO 8601; without a zone it is in ``timezone``.
        until: First day or time not to audit.
        timezone: The zone of days and of written times, by its IANA name.
        group_by: Further columns of the ledger, or ``tag:<key>``, to group by.
        confidence: The interval's coverage.
        resamples: Bootstrap replicates.
        command: The command that reproduces the audit.
        sample_command: The command that samples its requests, without what selects them.
        sampling_rate: The share of all requests that the logs are declared to hold.
        config_fingerprint: Of the settings that can change a figure.
        billing: Declared bases of billing.
        posterior: Of abilities and difficulties, from a calibration by verdicts.
    """

    since: str | None = None
    until: str | None = None
    timezone: str = "UTC"
    group_by: tuple[str, ...] = ()
    confidence: float = 0.9
    resamples: int = 1_000
    command: str = ""
    sample_command: str = ""
    sampling_rate: float = 1.0
    config_fingerprint: str = ""
    billing: Billing = msgspec.field(default_factory=Billing)
    posterior: Posterior | None = None


def zone(options: AuditOptions) -> ZoneInfo:
    """Return the audit's time zone.

    Raises:
        UsageError: There is no such zone.
    """
    try:
        return ZoneInfo(options.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"There is no time zone {options.timezone!r}; give an IANA name such as UTC or Europe/Berlin."
        ) from error


def bounds(
    texts: tuple[str | None, str | None], *, timezone: str, now: dt.datetime | None = None
) -> tuple[str | None, str | None]:
    """Return the bounds of a period with those that are relative resolved.

    Args:
        texts: Start and end, as given.
        timezone: Of the audit.
        now: The time that they refer to; the clock's where not given.

    Raises:
        UsageError: There is no such zone.
    """
    if not any(text is not None and is_relative(text) for text in texts):
        return texts
    now, where = now or dt.datetime.now(dt.UTC), zone(AuditOptions(timezone=timezone))
    since, until = (None if text is None else absolute(text, now=now, where=where) for text in texts)
    return since, until


def in_period(frame: pl.LazyFrame, options: AuditOptions) -> pl.LazyFrame:
    """Return the rows of the period; a request without a time is in it only where no bound is given.

    Raises:
        UsageError: A bound is not a date or time, or the period is empty by its bounds.
    """
    import polars as pl

    since, until = moments(options)
    if since is not None:
        frame = frame.filter(pl.col("time") >= since)
    if until is not None:
        frame = frame.filter(pl.col("time") < until)
    return frame


def moments(options: AuditOptions) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the start and the end of the period in UTC; None where it has none.

    Raises:
        UsageError: A bound is not a date or time, or the period is empty by its bounds.
    """
    since, until = _moment(options.since, "since", options), _moment(options.until, "until", options)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"The period is empty: since {options.since} is not before until {options.until}.")
    return since, until


def calendar_days(document: Document, options: AuditOptions) -> list[dt.date]:
    """Return the days audited: those that the period's bounds cover, or else from the first request's to the last's.

    Raises:
        UsageError: A bound is not a date or time.
    """
    start, end = document.period.start, document.period.end
    if start is None or end is None:
        return []
    since, until = moments(options)
    first, last = (dt.date.fromisoformat(time[:10]) for time in (start, end))
    if since is not None:
        first = since.astimezone(zone(options)).date()
    if until is not None:
        last = (until - dt.timedelta(microseconds=1)).astimezone(zone(options)).date()
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def _moment(text: str | None, name: str, options: AuditOptions) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--{name} {text!r} is not a date or time; write 2026-09-01 or 2026-09-01T12:00, or {', '.join(RELATIVE)}."
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(options))
    return moment.astimezone(dt.UTC)
