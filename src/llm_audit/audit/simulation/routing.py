"""The tasks by partition that come before sums: what each tells the others of its routes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.selection import Digits, digits
from llm_audit.audit.parts import Job
from llm_audit.audit.simulation.asked import Asked, Known, read_asked
from llm_audit.audit.stages.space import Space
from llm_audit.policy import PartRoutes, limited_routes, merge_routes, part_routes, part_scores

Routes = tuple[PartRoutes, ...]
"""By policy, in the order of ``Asked.policies``."""


def scores(place: int, job: Job, known: Known, _: Space, partition: int) -> Floats | None:
    """Return RouteLLM's scores of a partition by one of the policies; None where it has no request of the period."""
    read = read_asked(job, known, partition)
    if read is None:
        return None
    policy, whole = known.asked.policies[place], known.wholes[place]
    return part_scores(read[0], policy, catalog=job.catalog, book=job.book, whole=whole)


def score_digits(stage: str, prefix: int, level: int, _: Job, __: None, space: Space, partition: int) -> Digits | None:
    """Count the scores of a partition, see ``selection.digits``."""
    found: Floats | None = space.result(stage, partition)
    return None if found is None else digits(found, prefix, level)


def routes(job: Job, known: Known, _: Space, partition: int) -> Routes | None:
    """Route a partition by itself; None where nothing that is asked depends on its routes."""
    asked = known.asked
    if asked.partition not in {None, partition} and not _has_template(asked, job, partition):
        return None
    read = read_asked(job, known, partition)
    if read is None:
        return None
    traffic, conditions = read
    catalog, book, found = job.catalog, job.book, []
    for place, (policy, whole) in enumerate(zip(asked.policies, known.wholes, strict=True)):
        if (moves := asked.moves_of(place)) is None:
            targets = asked.targets if place == 0 else ()
            found.append(part_routes(traffic, policy, catalog=catalog, book=book, whole=whole, targets=targets)[0])
        else:
            about = moves.about(traffic, conditions.met())
            found.append(limited_routes(traffic, policy, about, catalog=catalog, book=book, whole=whole))
    return tuple(found)


def add_routes(_: Job, parts: Sequence[Routes]) -> Routes:
    """Return what the routes of several partitions tell."""
    return tuple(merge_routes(of_policy) for of_policy in zip(*parts, strict=True))


def _has_template(asked: Asked, job: Job, partition: int) -> bool:
    wanted = pl.Series(sorted(asked.templates), dtype=pl.UInt64)
    found = job.ledger.scan(partition).select(pl.col("template_hash").is_in(wanted.implode()).any()).collect()
    return bool(found.item())
