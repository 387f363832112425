"""The tasks of an audit by partition, stage by stage: see ``runs``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.repeats import FOUND, find_repeats, range_of
from llm_audit.audit.aggregate.selection import Digits, add_digits, digits
from llm_audit.audit.partial import merge
from llm_audit.audit.parts import Audited, Job, Log, Reading, audited, routed, sent_prompts, standing
from llm_audit.audit.sections.sensitivity import frontier_values
from llm_audit.audit.stages import kept
from llm_audit.audit.stages.space import Space, prompts, repeats
from llm_audit.audit.standing import StandingSums
from llm_audit.audit.survey import Survey, merge_surveys, survey
from llm_audit.policy import PartRoutes, merge_routes, part_routes, part_scores

SCORES = "scores"
"""The stage of ``scores``, whose results ``score_digits`` counts."""

_NOBODY = np.zeros(0, np.int64)


def surveyed(job: Job, _: Log | None, __: Space, partition: int) -> Survey:
    """Read a partition for the first time."""
    return survey(job.rows(partition))


def add_surveys(_: Job, parts: Sequence[Survey]) -> Survey:
    """Return the survey of several partitions."""
    return merge_surveys(parts)


def scores(job: Job, log: Log | None, space: Space, partition: int) -> Floats | None:
    """Return RouteLLM's scores of a partition, where the policy's threshold is to be found from them."""
    assert log is not None, "the survey comes first"
    reading = kept.reading(job, log, space.kept, partition)
    if reading is None:
        return None
    return part_scores(reading.traffic, job.policy, catalog=job.catalog, book=job.book, whole=log.whole)


def score_digits(prefix: int, level: int, _: Job, __: Log | None, space: Space, partition: int) -> Digits | None:
    """Count the scores of a partition, see ``selection.digits``."""
    found: Floats | None = space.result(SCORES, partition)
    return None if found is None else digits(found, prefix, level)


def add_score_digits(_: Job, parts: Sequence[Digits]) -> Digits:
    """Return the counts of several partitions."""
    return add_digits(parts)


def routes(job: Job, log: Log | None, space: Space, partition: int) -> PartRoutes | None:
    """Route a partition by itself."""
    assert log is not None, "the survey comes first"
    reading = kept.reading(job, log, space.kept, partition)
    return None if reading is None else _routed_alone(job, log, reading, space, partition)


def routes_and_prompts(job: Job, log: Log | None, space: Space, partition: int) -> PartRoutes | None:
    """Do the same, and send the prompts that other partitions may repeat."""
    assert log is not None, "the survey comes first"
    reading = kept.reading(job, log, space.kept, partition)
    if reading is None:
        prompts(space).write(space.folder, partition, None, _NOBODY)
        return None
    sent = sent_prompts(reading, partition)
    ranges = range_of(sent["prompt"].to_numpy(), space.partitions)
    prompts(space).write(space.folder, partition, sent.to_arrow(), ranges)
    return _routed_alone(job, log, reading, space, partition)


def _routed_alone(job: Job, log: Log, reading: Reading, space: Space, partition: int) -> PartRoutes:
    found, first = part_routes(
        reading.traffic,
        job.policy,
        catalog=job.catalog,
        book=job.book,
        whole=log.whole,
        targets=frontier_values(job.policy),
    )
    kept.keep_first(space.folder, partition, first)
    return found


def add_routes(_: Job, parts: Sequence[PartRoutes]) -> PartRoutes:
    """Return what the routes of several partitions tell."""
    return merge_routes(parts)


def repeated(_: Job, __: Log | None, space: Space, number: int) -> None:
    """Find the repeats in a range of prompts, and send them to their partitions."""
    sent = prompts(space).frame(space.folder, number)
    if sent is None:
        repeats(space).write(space.folder, number, None, _NOBODY)
        return
    found = find_repeats(sent)
    repeats(space).write(space.folder, number, found.to_arrow(), found["partition"].to_numpy())


def sums(job: Job, log: Log | None, space: Space, partition: int) -> Audited | None:
    """Audit a partition; None where it has no request of the period."""
    assert log is not None, "the survey comes first"
    reading = kept.reading(job, log, space.kept, partition)
    if reading is None:
        return None
    applied = routed(job, log, reading, kept.first(space.folder, partition))

    def make() -> StandingSums:
        found = repeats(space).frame(space.folder, partition)
        return standing(log, reading, applied, FOUND.to_frame() if found is None else found)

    return audited(job, log, reading, applied, kept.standing(space.for_others, partition, make))


def add_audited(job: Job, parts: Sequence[Audited]) -> Audited:
    """Return the sums of several partitions."""
    prices = dict.fromkeys(price for part in parts for price in part.prices)
    together = merge([part.partial for part in parts], group_by=job.options.group_by)
    return replace(parts[0], partial=together, prices=tuple(prices))
