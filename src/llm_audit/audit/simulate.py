"""Several policies on one log, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from llm_audit.audit.options import AuditOptions
from llm_audit.audit.parts import Job
from llm_audit.audit.sections.sensitivity import frontier
from llm_audit.audit.simulation.asked import Asked
from llm_audit.audit.simulation.known import Engine, by_stages, known_of_one, known_of_parts
from llm_audit.audit.simulation.sums import Simulated, add_simulated, policy_result, simulated
from llm_audit.audit.simulation.what_if import WhatIf, check_values
from llm_audit.audit.stages.runs import Stages
from llm_audit.catalog import Catalog
from llm_audit.document.audit import FrontierPoint, PolicyResult
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy import Policy, models_of
from llm_audit.pricing import PriceBook

__all__ = ["Engine", "Simulation", "simulate"]


class Simulation(msgspec.Struct, kw_only=True, frozen=True):
    """Policies compared, in the order asked for, then what-ifs; and the frontier of the first over its targets."""

    actual: str
    requests: int
    policies: list[PolicyResult]
    frontier: list[FrontierPoint]


def simulate(
    ledger: Ledger,
    policies: Sequence[Policy],
    *,
    catalog: Catalog,
    book: PriceBook,
    options: AuditOptions,
    targets: Sequence[float] = (),
    what_ifs: Sequence[WhatIf] = (),
    engine: Engine | None = None,
) -> Simulation:
    """Apply each policy to the ledger's requests, partition by partition.

    Args:
        ledger: The requests.
        policies: At least one; the first is marked as the one in use.
        catalog: Models.
        book: Prices.
        options: For the period.
        targets: Also sweep the first policy over these.
        what_ifs: Also make these moves, all under the same conditions, with the first policy's gates and assumptions.
        engine: What does the tasks of partitions; this process by default.

    Raises:
        IncompleteError: No request is left to audit.
        UsageError: No request has a value that a condition asks for.
    """
    asked = Asked.of(policies, targets, what_ifs)
    columns = tuple(dict.fromkeys(condition.column for condition in asked.where))
    grouped = replace(options, group_by=columns)
    job = Job(ledger=ledger, policy=policies[0], catalog=catalog, book=book, options=grouped)
    requests, found = (
        _of_one(job, asked)
        if ledger.partitions == 1
        else by_stages(job, asked, partial(_by_partition, asked), engine=engine or Engine())
    )
    check_values(asked.where, found.values)
    results = [
        policy_result(
            found.policies[place],
            policy,
            decided_by=found.decided_by[place],
            models=models_of(catalog),
            in_use=place == 0,
        )
        for place, policy in enumerate(asked.policies)
    ]
    return Simulation(
        actual=usd(found.policies[0].own.actual),
        requests=requests,
        policies=results,
        frontier=frontier(found.frontier, in_use=found.decided_by[0]),
    )


def _of_one(job: Job, asked: Asked) -> tuple[int, Simulated]:
    known = known_of_one(job, asked)
    found = simulated(job, known, None, 0)
    assert found is not None, "the survey found requests"
    return known.survey.requests, found


def _by_partition(asked: Asked, stages: Stages) -> tuple[int, Simulated]:
    known = known_of_parts(asked, stages)
    found = stages.summed("simulated", simulated, add_simulated, known)
    assert found is not None, "the survey found requests"
    return known.survey.requests, found
