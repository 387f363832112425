"""A log as a whole: what one part of it must know of the others to be routed as it is among them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Ints
from llm_audit.policy.counterfactual.shared_caches import SharedCaches
from llm_audit.policy.counterfactual.traffic import Traffic
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.requests import UNDATED

Seller = tuple[str | None, str | None, str | None]
"""A provider, the canonical id of a model used there, and a region."""


class Whole(msgspec.Struct, kw_only=True, frozen=True):
    """A log as a whole.

    Attributes:
        period: First and last day of the requests, in days since 1970; None where none has a time.
        ends: First and last time.
        used: The models used, as indexes into the catalog, ascending.
        sellers: Who sold them.
        reach: The least and the greatest difficulty of a judged request.
        threshold: RouteLLM's, where the policy gives a share of strong calls.
        caches: What requests of a template leave for each other, by ``policy_key``; None where the requests at hand are
            the whole log.
        places: Places of the ladder that requests of traces would go to by themselves, by ``policy_key``; None
            likewise.
        limited: Whether the policy's ``[stakes]`` limit a request; None likewise.
    """

    period: tuple[int, int] | None
    ends: tuple[datetime | None, datetime | None]
    used: Ints
    sellers: frozenset[Seller]
    reach: tuple[float, float]
    threshold: float | None = None
    caches: Mapping[str, SharedCaches] | None = None
    places: Mapping[str, Ints] | None = None
    limited: bool | None = None


def whole_of(traffic: Traffic) -> Whole:
    """Return what all of a log knows of itself."""
    requests = traffic.requests
    days = requests.day[requests.day != UNDATED]
    asked = requests.difficulty[requests.judged]
    ends = traffic.time.to_frame("time").select(first=pl.col("time").min(), last=pl.col("time").max()).row(0)
    return Whole(
        period=(int(days.min()), int(days.max())) if len(days) else None,
        ends=(ends[0], ends[1]),
        used=np.flatnonzero(np.bincount(requests.used + 1, minlength=len(traffic.models.ids) + 1)[1:]),
        sellers=frozenset(traffic.names.select("provider", "model_id", "region").iter_rows()),
        reach=(float(asked.min()), float(asked.max())) if len(asked) else (0.0, 0.0),
    )


def policy_key(policy: Policy) -> str:
    """Return what tells apart the policies that an audit derives from one."""
    numbers = (policy.target, policy.threshold, policy.strong_share, policy.quality_difference)
    return repr((*numbers, sorted(policy.max_quality_loss.items()), policy.unmeasured, bool(policy.stakes)))
