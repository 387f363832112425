"""The route chosen for each request, and the outcome that says why."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Bools, Codes, Floats, Index, Ints
from llm_audit.policy.inputs.models import NONE


class RouteOutcome(StrEnum):
    """Result of a policy for a request."""

    MOVED = "moved"
    NO_CAPABLE_MODEL = "no_capable_model"
    NO_SAVING = "no_saving"
    ALREADY_CHEAPEST = "already_cheapest"
    NOT_OFFERED = "not_offered"
    UNMEASURED = "unmeasured"
    GATED = "gated"
    ABSTAINED = "abstained"
    UNPRICED = "unpriced"
    NOT_IN_LADDER = "not_in_ladder"
    NOT_CHAT = "not_chat"
    KEPT_BY_POLICY = "kept_by_policy"


OUTCOMES: tuple[str, ...] = tuple(outcome.value for outcome in RouteOutcome)


class Choice(msgspec.Struct, kw_only=True, frozen=True):
    """A route for each request.

    Attributes:
        route: The model, as an index into the catalog; the one used where the request is kept.
        outcome: Index into ``OUTCOMES``.
        gate: Index into ``gates.REASONS``: the gate that changed the route, or 0.
        p_suffices: Of the route; NaN where the request is kept.
        loss: Lost answers of the route beyond a second run of the model used; NaN where the request is kept.
        kept_back: The saving the gate forgoes at same tokens, in pico-dollars.
        position: The route's place in the ladder, -1 where kept.
    """

    route: Index
    outcome: Codes
    gate: Codes
    p_suffices: Floats
    loss: Floats
    kept_back: Ints
    position: Index


def without(choice: Choice, rows: Bools, *, used: Index, outcome: RouteOutcome = RouteOutcome.NO_SAVING) -> Choice:
    """Return the choice with some requests kept on their model, by default because the move would save nothing."""
    return replace(
        choice,
        route=np.where(rows, used, choice.route).astype(np.int32),
        outcome=np.where(rows, OUTCOMES.index(outcome.value), choice.outcome).astype(np.uint8),
        gate=np.where(rows, 0, choice.gate).astype(np.uint8),
        p_suffices=np.where(rows, np.nan, choice.p_suffices),
        loss=np.where(rows, np.nan, choice.loss),
        kept_back=np.where(rows, 0, choice.kept_back),
        position=np.where(rows, NONE, choice.position).astype(np.int32),
    )
