"""What is asked of a log, what its partitions are told of the whole, and the reading of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Self

import msgspec

from llm_audit.audit.freed_memory import give_back
from llm_audit.audit.parts import Job
from llm_audit.audit.simulation.what_if import Condition, Conditions, WhatIf
from llm_audit.audit.survey import Survey
from llm_audit.policy import ROUTING_COLUMNS, Policy, Traffic, Whole, read_traffic
from llm_audit.pricing import PRICED_BY


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """Policies to apply to one log.

    Attributes:
        policies: At least one; the first is the one in use, and the last are those of the what-ifs.
        targets: Other values of what the first policy decides by.
        what_ifs: Moves to make, all under the same conditions.
        partition: The partition whose routes are asked for; None for all.
        templates: Those of its requests. Other partitions matter to its routes only where they have one of them.
    """

    policies: tuple[Policy, ...]
    targets: tuple[float, ...] = ()
    what_ifs: tuple[WhatIf, ...] = ()
    partition: int | None = None
    templates: frozenset[int] = frozenset()

    @classmethod
    def of(cls, policies: Sequence[Policy], targets: Sequence[float], what_ifs: Sequence[WhatIf]) -> Self:
        """Return what is asked, where moves are made with the first policy's gates and assumptions."""
        moves = (what_if.policy(policies[0]) for what_if in what_ifs)
        return cls(policies=(*policies, *moves), targets=tuple(targets), what_ifs=tuple(what_ifs))

    @property
    def where(self) -> Sequence[Condition]:
        """Return the conditions of all what-ifs."""
        return self.what_ifs[0].where if self.what_ifs else ()

    def moves_of(self, place: int) -> WhatIf | None:
        """Return the what-if whose policy has a place among all; None of a policy by itself."""
        number = place - len(self.policies) + len(self.what_ifs)
        return None if number < 0 else self.what_ifs[number]


class Known(msgspec.Struct, kw_only=True, frozen=True):
    """What is known when a partition is routed.

    Attributes:
        asked: What is asked.
        survey: What the survey tells of the whole log.
        wholes: What each policy must know of it.
    """

    asked: Asked
    survey: Survey
    wholes: tuple[Whole, ...]


def read_asked(job: Job, known: Known, partition: int) -> tuple[Traffic, Conditions] | None:
    """Read a partition, and which of its requests meet the conditions; None where it has none of the period."""
    if job.ledger.partitions > 1:
        give_back()
    rows = job.rows(partition, known.survey.times)
    pieces = rows.priced((*PRICED_BY, *ROUTING_COLUMNS))
    first = next(pieces, None)
    if first is None:
        return None
    conditions = Conditions(known.asked.where)
    read = conditions.reading(chain([first], pieces))
    traffic = read_traffic(read, rows.columns, job.catalog, read_templates=known.survey.read_templates)
    return traffic, conditions
