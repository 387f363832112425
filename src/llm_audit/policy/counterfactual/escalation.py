"""Cost of lost answers: checks, escalations and repeats are worked out here alone.

A moved request whose answer is lost is sent again to the model that was used, at the request's own cost. A cascade
checks each answer first: the check finds ``recall`` of the bad ones and rejects ``false_alarm`` of the good ones, so it
escalates with (1 - p) recall + p false_alarm, and what it does not find stays lost. Of the answers that stay lost, the
assumption ``escalation`` is the share that somebody notices and repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llm_audit.arrays import Floats, Ints
from llm_audit.money import PICO_PER_USD
from llm_audit.policy.file.model import Cascade


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Expected repeats of moved requests.

    Attributes:
        rate: Expected number of repeats on the model used, by checks and by lost answers together.
        p_suffices: P(suffices) once the cascade's check has done its work; as given where there is none.
    """

    rate: Floats
    p_suffices: Floats


def escalation(p_success: Floats, p_suffices: Floats, *, cascade: Cascade | None, share: float) -> Escalation:
    """Work out how often moved requests are paid for again.

    Args:
        p_success: P(success) of the route; only a cascade reads it.
        p_suffices: P(suffices) of the route.
        cascade: The policy's cascade, if it has one.
        share: Share of the lost answers that are repeated.
    """
    if cascade is None:
        return Escalation(rate=(1 - p_suffices) * share, p_suffices=p_suffices)
    rejected = (1 - p_success) * cascade.recall + p_success * cascade.false_alarm
    after = 1 - (1 - p_suffices) * (1 - cascade.recall)
    return Escalation(rate=rejected + (1 - after) * share, p_suffices=after)


def escalation_cost(rate: Floats, cost: Ints) -> Ints:
    """Return the expected cost of repeats: each at the request's own cost, in whole pico-dollars; 0 where unknown."""
    return np.rint(np.nan_to_num(rate) * cost).astype(np.int64)


def check_cost(cascade: Cascade) -> int:
    """Return what one check costs, in pico-dollars."""
    return round(cascade.check_usd * PICO_PER_USD)


def break_even_escalation(small: int, check: int, large: int) -> float | None:
    """Return the escalation rate above which a cascade costs more than the large model alone.

    It is 1 - (small + check) / large: None where the large model costs nothing, negative where the cascade never pays.
    """
    return 1 - (small + check) / large if large else None
