"""The audit: a pure function of a ledger, the price table, the catalogue, a policy and options.

The ledger is read partition by partition, each by itself: first for what the parts must know of the whole, then to
route and to sum them. The document is the same for any number of partitions, in any order, on any number of machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol, TypeVar

import polars as pl

from llm_audit.audit import parts
from llm_audit.audit.aggregate.repeats import find_repeats
from llm_audit.audit.aggregate.selection import quantile_of
from llm_audit.audit.compose import Found, document
from llm_audit.audit.options import AuditOptions, zone
from llm_audit.audit.partial import merge
from llm_audit.audit.parts import Audited, Job, Log
from llm_audit.audit.rows import Rows
from llm_audit.audit.survey import merge_surveys, usual_outputs, whole_log
from llm_audit.audit.waste.prefixes import uncached
from llm_audit.audit.waste.recurring import Habits
from llm_audit.audit.waste.tools import called_tools
from llm_audit.catalog import Catalog
from llm_audit.document.audit import Document
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.ledger import Ledger, Workspace
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import Decision, PartRoutes, Policy, RoutedCosts, as_text, models_of, whole_routes
from llm_audit.pricing import PriceBook, list_costs
from llm_audit.vocabulary import rejection_remedy, rejection_words

__all__ = ["Audit", "AuditOptions", "Mapper", "run"]

_MAX_NOTES = 3  # on records that could not be read, where none could

T = TypeVar("T")


class Mapper(Protocol):
    """Does a task for each partition, in this process or in others; results may come in any order."""

    def __call__(self, task: Callable[[int], T], numbers: Iterable[int], /) -> Iterable[T]:
        """Return the results."""


@dataclass(frozen=True, kw_only=True)  # no slots: the requests are kept once they were asked for
class Audit:
    """An audit's result.

    Attributes:
        document: All that a report shows.
        frames: The sums that the document was made from, which merge by addition: ``cells``, ``clusters``, ``risk``.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring")
        >>> audit.document.currency
        'USD'
        >>> audit.requests.select("provider", "model", "output_tokens").height
        330
    """

    document: Document
    frames: dict[str, pl.DataFrame]
    _rows: Callable[[], pl.DataFrame] = field(repr=False)

    @cached_property
    def requests(self) -> pl.DataFrame:
        """A row a request: the ledger's columns, its model and price, its route and what that would have cost.

        Where price files apply, it also has the cost at published prices (``list_cost_…_pico``).
        """
        return self._rows()


def run(
    ledger: Ledger,
    *,
    policy: Policy,
    catalog: Catalog,
    book: PriceBook,
    options: AuditOptions,
    mapper: Mapper = map,
    workspace: Path | None = None,
) -> Audit:
    """Audit a ledger.

    Args:
        ledger: The requests, and the account of the records they were read from.
        policy: What they are compared with.
        catalog: Models.
        book: Prices.
        options: Period, grouping and interval.
        mapper: Does the tasks of partitions.
        workspace: A folder for what partitions tell each other, which all processes reach; by default a temporary one.

    Raises:
        IncompleteError: No request is left to audit.
        UsageError: An option or the policy cannot be used.
    """
    _check(options)
    job = Job(ledger=ledger, policy=policy, catalog=catalog, book=book, options=options)
    # Tasks name the ledger by its folder alone; this process keeps a temporary one alive.
    sent = replace(job, ledger=Ledger(ledger.folder, ledger.manifest))
    log = _surveyed(sent, mapper)
    if ledger.partitions == 1:
        return _of_one(job, log)
    holder = Workspace() if workspace is None else None
    folder = workspace or (holder.path if holder else Path())
    log = _with_threshold(sent, log, mapper, folder)
    log, prompts = _with_routes(sent, log, mapper, folder)
    ranges = range(len(prompts))
    repeated = tuple(sorted(mapper(partial(parts.repeat_range, prompts, len(prompts), folder), ranges)))
    found = mapper(partial(parts.audit_part, sent, log, repeated), range(ledger.partitions))
    return _audit(job, log, (part for part in found if part is not None), partial(_all_requests, job, log))


def _of_one(job: Job, log: Log) -> Audit:
    """Audit a ledger in one partition, which is read once and knows of itself what parts are told of the whole."""
    reading = parts.read_part(job, log, 0)
    assert reading is not None, "the survey found requests"
    applied = parts.routed(job, log, reading)
    found = parts.audited(job, log, reading, applied, find_repeats(parts.sent_prompts(reading, 0)))
    return _audit(job, log, [found], partial(_requests, reading.rows, applied))


def _surveyed(job: Job, mapper: Mapper) -> Log:
    """Read the ledger for the first time.

    Raises:
        IncompleteError: No request is left to audit.
    """
    found = merge_surveys(list(mapper(partial(parts.survey_part, job), range(job.ledger.partitions))))
    if not found.requests:
        raise IncompleteError(f"There is nothing to audit: {_nothing(job.ledger)}")
    if found.times.undated and found.times.latest is not None:
        job.book.undated_at = found.times.latest  # as the parts set it, which may be in other processes
    routers: dict[str, list[str]] = {}
    for router, model in found.routers.sort("router", "model").iter_rows():
        routers.setdefault(router, []).append(model)
    habits = Habits(
        cache_reads=found.cache_reads,
        usual=usual_outputs(found.outputs),
        uncached=uncached(found.sends),
        called_tools=called_tools(found.replies, found.calls),
    )
    found = replace(found, sends=found.sends.clear())  # the largest table, which no part is sent
    return Log(survey=found, whole=whole_log(found, job.catalog), habits=habits, routers=routers)


def _with_threshold(job: Job, log: Log, mapper: Mapper, folder: Path) -> Log:
    """Find RouteLLM's threshold where the policy gives a share of strong calls."""
    if job.policy.decision is not Decision.STRONG_WINS or job.policy.strong_share is None:
        return log
    written = mapper(partial(parts.score_part, job, log, folder), range(job.ledger.partitions))
    files = sorted(file for file in written if file is not None)
    threshold = quantile_of(files, 1 - job.policy.strong_share) if files else None
    return replace(log, whole=replace(log.whole, threshold=threshold or 0.0))


def _with_routes(job: Job, log: Log, mapper: Mapper, folder: Path) -> tuple[Log, tuple[Path, ...]]:
    """Route all partitions by themselves; also return the files of prompts that may repeat."""
    files: list[Path] = []

    def routes() -> Iterator[PartRoutes]:
        for found, file in mapper(partial(parts.route_part, job, log, folder), range(job.ledger.partitions)):
            if found is not None and file is not None:
                files.append(file)
                yield found

    whole = whole_routes(log.whole, routes())
    return replace(log, whole=whole), tuple(sorted(files))


def _audit(job: Job, log: Log, found: Iterable[Audited], rows: Callable[[], pl.DataFrame]) -> Audit:
    """Compose the document from the sums of all partitions."""
    options, book = job.options, job.book
    merged: Audited | None = None
    for part in found:
        book.record(part.prices)
        together = [part.partial] if merged is None else [merged.partial, part.partial]
        merged = replace(part, partial=merge(together, group_by=options.group_by))
    assert merged is not None, "the survey found requests"
    sums = merged.partial.sums
    composed = Found(
        ledger=job.ledger,
        options=options,
        catalog=job.catalog,
        models=models_of(job.catalog),
        book=book,
        policy=job.policy,
        applied=merged.policy,
        decided_by=merged.decided_by,
        survey=log.survey,
        partial=merged.partial,
    )
    frames = {"cells": sums.cells, "clusters": sums.clusters, "risk": sums.risk}
    return Audit(document=document(composed), frames=frames, _rows=partial(_listed, job, rows))


def _listed(job: Job, rows: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Return requests with their cost at published prices, where price files apply, and their models' families."""
    frame = list_costs(as_text(rows()), job.book)
    models = job.catalog.frame.select(pl.col("model_id", "developer", "family").cast(pl.String))
    return frame.join(models, on="model_id", how="left", maintain_order="left")


def _requests(rows: Rows, applied: RoutedCosts) -> pl.DataFrame:
    return pl.concat(parts.measured_rows(rows, applied, tuple(SCHEMA)))


def _all_requests(job: Job, log: Log) -> pl.DataFrame:
    """Return the requests of all partitions, each routed again, in the order of the log."""
    found = (parts.rows_of_part(job, log, partition) for partition in range(job.ledger.partitions))
    return pl.concat([part for part in found if part is not None]).sort("input", "line", "entry")


def _check(options: AuditOptions) -> None:
    zone(options)
    if not 0 < options.confidence < 1:
        raise UsageError(f"The confidence is {options.confidence:g}; give a number between 0 and 1, such as 0.9.")
    if options.resamples < 1:
        raise UsageError(f"The number of resamples is {options.resamples}; give at least 1.")


def _nothing(ledger: Ledger) -> str:
    """Why no request is left, by what became of the records."""
    manifest = ledger.manifest
    if manifest.rows:
        return "no request lies in the period; see --since and --until."
    parts = []
    if manifest.rejected:
        reasons = "; ".join(
            f"{reason.count:,} {rejection_words(reason.reason)}"
            + "".join(f", {example.file}:{example.line}" for example in reason.examples[:1])
            for reason in manifest.rejected
        )
        parts.append(f"{_records(sum(reason.count for reason in manifest.rejected))} rejected ({reasons})")
    if manifest.not_provider_calls:
        reasons = "; ".join(
            f"{reason.count:,} {reason.reason.replace('_', ' ')}" for reason in manifest.not_provider_calls
        )
        skipped = sum(reason.count for reason in manifest.not_provider_calls)
        parts.append(f"{_records(skipped)} not a provider call ({reasons})")
    if not parts:
        return "no request was read."
    remedies = ["`llm-audit formats detect PATH` shows what each file is."]
    if manifest.rejected:
        remedies.insert(0, rejection_remedy([reason.reason for reason in manifest.rejected]))
    said = "".join(f" {note}." for note in manifest.reading_notes[:_MAX_NOTES])
    return f"no request was read: {', '.join(parts)}.{said} {' '.join(remedies)}"


def _records(count: int) -> str:
    return f"{count:,} record{' was' if count == 1 else 's were'}"
