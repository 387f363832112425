"""What policies must know of a whole log before any part of it is routed for good: see ``policy.Whole``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from llm_audit.audit.aggregate.selection import Digits, quantile_of
from llm_audit.audit.parts import Job
from llm_audit.audit.simulation import routing
from llm_audit.audit.simulation.asked import Asked, Known
from llm_audit.audit.stages import tasks
from llm_audit.audit.stages.runs import Mapper, Stages
from llm_audit.audit.stages.space import Space, identity
from llm_audit.audit.survey import Survey, survey, whole_log
from llm_audit.errors import IncompleteError
from llm_audit.ledger import Workspace
from llm_audit.ledger.shared import open_folder, until_undamaged
from llm_audit.policy import Decision, Whole, whole_routes

T = TypeVar("T")


class Engine(msgspec.Struct, kw_only=True, frozen=True):
    """What does the tasks of partitions.

    Attributes:
        mapper: Does them.
        workspace: The address of a folder that all processes reach; by default a temporary one.
    """

    mapper: Mapper = map
    workspace: str | None = None


def by_stages(job: Job, asked: Asked, work: Callable[[Stages], T], *, engine: Engine) -> T:
    """Return what stages over a ledger's partitions come to; their files are removed in the end."""
    sent = replace(job, ledger=job.ledger.for_tasks())
    holder = Workspace() if engine.workspace is None else None
    shared, name = engine.workspace or str(holder and holder.path), f"asked-{identity(sent, asked)}"
    stages = Stages(
        space=Space(uri=f"{shared}/{name}", partitions=job.ledger.partitions), job=sent, mapper=engine.mapper
    )
    found = until_undamaged(stages.space.uri, lambda: work(stages))
    open_folder(shared, checked=False).remove(f"{name}/")
    return found


def known_of_one(job: Job, asked: Asked) -> Known:
    """Return what is known of a ledger in one partition, whose requests tell the rest when they are routed.

    Raises:
        IncompleteError: No request lies in the period.
    """
    return _surveyed(job, asked, survey(job.rows(0)))


def known_of_parts(asked: Asked, stages: Stages) -> Known:
    """Return what is known of a ledger in several partitions.

    Raises:
        IncompleteError: No request lies in the period.
    """
    found = stages.summed("survey", tasks.surveyed, tasks.add_surveys)
    assert found is not None, "every partition has a survey"
    known = _surveyed(stages.job, asked, found)
    wholes = [_with_threshold(stages, known, place) for place in range(len(asked.policies))]
    known = replace(known, wholes=tuple(wholes))
    routes = stages.summed("routes", routing.routes, routing.add_routes, known)
    assert routes is not None, "the survey found requests"
    wholes = [whole_routes(whole, found) for whole, found in zip(known.wholes, routes, strict=True)]
    return replace(known, wholes=tuple(wholes))


def _surveyed(job: Job, asked: Asked, found: Survey) -> Known:
    if not found.requests:
        raise IncompleteError("There is nothing to simulate: no request lies in the period.")
    whole = whole_log(found, job.catalog)
    kept = replace(found, sends=found.sends.clear())  # the largest table, of which no policy asks
    return Known(asked=asked, survey=kept, wholes=(whole,) * len(asked.policies))


def _with_threshold(stages: Stages, known: Known, place: int) -> Whole:
    """Return what a policy knows of the log, with RouteLLM's threshold where it gives a share of strong calls."""
    policy, whole = known.asked.policies[place], known.wholes[place]
    if policy.decision is not Decision.STRONG_WINS or policy.strong_share is None:
        return whole
    scores = f"scores-{place}"
    stages.each(scores, partial(routing.scores, place), known)

    def count(prefix: int, level: int) -> Digits:
        task = partial(routing.score_digits, scores, prefix, level)
        return stages.summed(f"digits-{place}-{level}-{prefix:x}", task, tasks.add_score_digits) or {}

    return replace(whole, threshold=quantile_of(count, 1 - policy.strong_share) or 0.0)
