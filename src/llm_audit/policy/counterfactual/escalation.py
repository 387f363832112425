"""Cost of lost answers: checks, escalations and repeats are worked out here alone.

A moved request whose answer is lost is sent again to the model that was used, whose cache the move has left cold. An
answer is lost where the model used succeeded and the route fails. A cascade
checks each answer first: the check finds ``recall`` of the bad ones and rejects ``false_alarm`` of the good ones, so it
escalates with (1 - p) recall + p false_alarm, and what it does not find stays lost. Of the answers that stay lost, the
assumption ``escalation`` is the share that somebody notices and repeats.
"""

from __future__ import annotations

import numpy as np

from llm_audit.arrays import Floats, Ints
from llm_audit.money import PICO_PER_USD
from llm_audit.policy.file.model import Cascade


def escalation_rate(p_success: Floats, p_lost: Floats, *, cascade: Cascade | None, share: float) -> Floats:
    """Return how often moved requests are expected to be paid for again.

    Args:
        p_success: P(success) of the route; only a cascade reads it.
        p_lost: P(the model used succeeds and the route fails), before any check: 1 - P(suffices).
        cascade: The policy's cascade, if it has one.
        share: Share of the lost answers that are repeated.
    """
    if cascade is None:
        return p_lost * share
    rejected = (1 - p_success) * cascade.recall + p_success * cascade.false_alarm
    return rejected + missed(p_lost, cascade) * share


def missed(loss: Floats, cascade: Cascade | None) -> Floats:
    """Return the lost answers that a cascade's check leaves; all where there is none."""
    return loss if cascade is None else loss * (1 - cascade.recall)


def escalation_cost(rate: Floats, cost: Ints) -> Ints:
    """Return the expected cost of repeats: in whole pico-dollars; 0 where unknown."""
    return np.rint(np.nan_to_num(rate) * cost).astype(np.int64)


def check_cost(cascade: Cascade) -> int:
    """Return what one check costs, in pico-dollars."""
    return round(cascade.check_usd * PICO_PER_USD)


def break_even_escalation(small: int, check: int, large: int) -> float | None:
    """Return the escalation rate above which a cascade costs more than the large model alone.

    It is 1 - (small + check) / large: None where the large model costs nothing, negative where the cascade never pays.
    """
    return 1 - (small + check) / large if large else None
