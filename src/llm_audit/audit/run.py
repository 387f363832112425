"""The audit: a pure function of a ledger, the price table, the catalogue, a policy and options.

The ledger is read partition by partition, each by itself: first for what the parts must know of the whole, then to
route and to sum them. The document is the same for any number of partitions, in any order, on any number of machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

import polars as pl
from msgspec.structs import replace

from llm_audit.audit import parts
from llm_audit.audit.aggregate.repeats import find_repeats
from llm_audit.audit.aggregate.selection import Digits, quantile_of
from llm_audit.audit.compose import Found, document
from llm_audit.audit.options import AuditOptions, zone
from llm_audit.audit.parts import Audited, Job, Log
from llm_audit.audit.rows import Rows
from llm_audit.audit.stages import kept, tasks
from llm_audit.audit.stages.runs import Mapper, Stages
from llm_audit.audit.stages.space import Space, identity, prompts, reading_identity, repeats
from llm_audit.audit.standing import StandingSums
from llm_audit.audit.survey import Survey, survey, usual_outputs, whole_log
from llm_audit.audit.waste.prefixes import uncached
from llm_audit.audit.waste.recurring import Habits
from llm_audit.audit.waste.tools import called_tools
from llm_audit.catalog import Catalog
from llm_audit.document.audit import Document
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.ledger import Ledger, PartCache, Workspace
from llm_audit.ledger.schema import SCHEMA
from llm_audit.ledger.shared import SharedFolder, open_folder, until_undamaged
from llm_audit.policy import Decision, Policy, RoutedCosts, as_text, models_of, whole_routes
from llm_audit.pricing import PriceBook, list_costs
from llm_audit.vocabulary import rejection_remedy, rejection_words

__all__ = ["Audit", "AuditOptions", "Mapper", "run"]

_MAX_NOTES = 3  # on records that could not be read, where none could


@dataclass(frozen=True, kw_only=True)  # no slots: the requests are kept once they were asked for
class Audit:
    """An audit's result.

    Attributes:
        document: All that a report shows.
        frames: The sums that the document was made from, which merge by addition: those of ``rollups``, and ``risk``.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring")
        >>> audit.document.currency
        'USD'
        >>> audit.requests.select("provider", "model", "output_tokens").height
        330
    """

    document: Document
    frames: dict[str, pl.DataFrame]
    _parts: Callable[[], Iterator[pl.DataFrame]] = field(repr=False)

    @cached_property
    def requests(self) -> pl.DataFrame:
        """A row a request: the ledger's columns, its model and price, its route and what that would have cost.

        Where price files apply, it also has the cost at published prices (``list_cost_…_pico``).
        """
        parts = list(self._parts())
        return parts[0] if len(parts) == 1 else pl.concat(parts).sort("input", "line", "entry")

    def request_parts(self) -> Iterator[pl.DataFrame]:
        """Yield the same rows partition by partition, so that a large log's are never in memory together."""
        return self._parts()


def run(
    ledger: Ledger,
    *,
    policy: Policy,
    catalog: Catalog,
    book: PriceBook,
    options: AuditOptions,
    mapper: Mapper = map,
    workspace: str | None = None,
    cache: PartCache | None = None,
) -> Audit:
    """Audit a ledger.

    Args:
        ledger: The requests, and the account of the records they were read from.
        policy: What they are compared with.
        catalog: Models.
        book: Prices.
        options: Period, grouping and interval.
        mapper: Does the tasks of partitions.
        workspace: The address of a folder for what partitions tell each other, which all processes reach; what is left
            there of an interrupted audit of the same is used, and removed in the end. By default a temporary one.
        cache: Keeps what is read of the ledger for audits of it by other policies.

    Raises:
        IncompleteError: No request is left to audit.
        UsageError: An option or the policy cannot be used.
    """
    _check(options)
    job = Job(ledger=ledger, policy=policy, catalog=catalog, book=book, options=options)
    readings = _readings(job, cache)
    if ledger.partitions == 1:
        return _of_one(job, None if readings is None else open_folder(readings))
    sent = replace(job, ledger=ledger.for_tasks())
    holder = Workspace() if workspace is None else None
    shared, name = workspace or str(holder and holder.path), f"audit-{identity(sent)}"
    space = Space(uri=f"{shared}/{name}", partitions=ledger.partitions, readings=readings)
    stages = Stages(space=space, job=sent, mapper=mapper)
    log, found = until_undamaged(space.uri, lambda: _by_partition(stages))
    open_folder(shared, checked=False).remove(f"{name}/")
    return _audit(job, log, found, partial(_all_requests, job, log))


def _readings(job: Job, cache: PartCache | None) -> str | None:
    """Return the address of the folder of what is kept for other policies; None where nothing is."""
    if cache is None:
        return None
    size_bytes = job.ledger.manifest.rows * kept.BYTES_A_REQUEST
    folder = cache.readings(reading_identity(job), size_bytes=size_bytes)
    return None if folder is None else str(folder)


def _of_one(job: Job, folder: SharedFolder | None) -> Audit:
    """Audit a ledger in one partition, which is read once and knows of itself what parts are told of the whole."""
    seen = kept.surveyed(folder, lambda: survey(job.rows(0)))
    assert seen is not None, "there is one partition"
    log = _log(job, seen, folder)
    reading = kept.reading(job, log, folder, 0)
    assert reading is not None, "the survey found requests"
    applied = parts.routed(job, log, reading)

    def make() -> StandingSums:
        return parts.standing(log, reading, applied, find_repeats(parts.sent_prompts(reading, 0)))

    found = parts.audited(job, log, reading, applied, kept.standing(folder, 0, make))
    return _audit(job, log, tasks.add_audited(job, [found]), partial(_requests, reading.rows, applied))


def _by_partition(stages: Stages) -> tuple[Log, Audited]:
    """Audit a ledger in several partitions: also return what is known of the whole log."""
    job = stages.job
    found = kept.surveyed(stages.space.kept, lambda: stages.summed("survey", tasks.surveyed, tasks.add_surveys))
    assert found is not None, "every partition has a survey"
    log = _with_threshold(stages, _log(job, found, stages.space.kept))
    alone = kept.has_standing(stages.space.for_others, stages.space.partitions)
    if alone:  # whoever asked for them before knows what partitions repeat of each other
        routes = stages.summed("routes", tasks.routes, tasks.add_routes, log)
    else:
        routes = stages.summed("routes", tasks.routes_and_prompts, tasks.add_routes, log, relay=prompts)
    assert routes is not None, "the survey found requests"
    log = replace(log, whole=whole_routes(log.whole, routes))
    if not alone:
        stages.each("repeated", tasks.repeated, relay=repeats)
    sums = stages.summed("sums", tasks.sums, tasks.add_audited, log)
    assert sums is not None, "the survey found requests"
    return log, sums


def _log(job: Job, found: Survey, folder: SharedFolder | None) -> Log:
    """Return what the first reading tells of the log, of which some is kept in a folder.

    Raises:
        IncompleteError: No request is left to audit.
    """
    if not found.requests:
        raise IncompleteError(f"There is nothing to audit: {_nothing(job.ledger)}")
    if found.times.undated and found.times.latest is not None:
        job.book.undated_at = found.times.latest  # as the parts set it, which may be in other processes
    routers: dict[str, list[str]] = {}
    for router, model in found.routers.sort("router", "model").iter_rows():
        routers.setdefault(router, []).append(model)
    habits = kept.habits(folder, lambda: _habits(found))
    sent = replace(found, sends=found.sends.clear())  # the largest table, which no part is sent
    return Log(survey=sent, whole=whole_log(found, job.catalog), habits=habits, routers=routers)


def _habits(found: Survey) -> Habits:
    return Habits(
        cache_reads=found.cache_reads,
        usual=usual_outputs(found.outputs),
        uncached=uncached(found.sends),
        called_tools=called_tools(found.replies, found.calls),
    )


def _with_threshold(stages: Stages, log: Log) -> Log:
    """Find RouteLLM's threshold where the policy gives a share of strong calls."""
    policy = stages.job.policy
    if policy.decision is not Decision.STRONG_WINS or policy.strong_share is None:
        return log
    stages.each(tasks.SCORES, tasks.scores, log)

    def count(prefix: int, level: int) -> Digits:
        task = partial(tasks.score_digits, prefix, level)
        return stages.summed(f"digits-{level}-{prefix:x}", task, tasks.add_score_digits) or {}

    threshold = quantile_of(count, 1 - policy.strong_share)
    return replace(log, whole=replace(log.whole, threshold=threshold or 0.0))


def _audit(job: Job, log: Log, found: Audited, rows: Callable[[], Iterator[pl.DataFrame]]) -> Audit:
    """Compose the document from the sums of all partitions."""
    options, book = job.options, job.book
    book.record(found.prices)
    sums = found.partial.sums
    composed = Found(
        ledger=job.ledger,
        options=options,
        catalog=job.catalog,
        models=models_of(job.catalog),
        book=book,
        policy=job.policy,
        applied=found.policy,
        decided_by=found.decided_by,
        survey=log.survey,
        partial=found.partial,
    )
    frames = {**sums.rollups, "risk": sums.risk}
    return Audit(document=document(composed), frames=frames, _parts=lambda: (_listed(job, part) for part in rows()))


def _listed(job: Job, rows: pl.DataFrame) -> pl.DataFrame:
    """Return requests with their cost at published prices, where price files apply, and their models' families."""
    frame = list_costs(as_text(rows), job.book)
    models = job.catalog.frame.select(pl.col("model_id", "developer", "family").cast(pl.String))
    return frame.join(models, on="model_id", how="left", maintain_order="left")


def _requests(rows: Rows, applied: RoutedCosts) -> Iterator[pl.DataFrame]:
    yield pl.concat(parts.measured_rows(rows, applied, tuple(SCHEMA)))


def _all_requests(job: Job, log: Log) -> Iterator[pl.DataFrame]:
    """Yield the requests of each partition, which is routed again."""
    found = (kept.reading(job, log, None, partition) for partition in range(job.ledger.partitions))
    return (parts.rows_of_part(job, log, reading) for reading in found if reading is not None)


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
