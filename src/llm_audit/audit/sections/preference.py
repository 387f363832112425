"""Preference gaps: by route, and over all moved requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llm_audit.arrays import Ints
from llm_audit.document.audit import PreferenceGap
from llm_audit.policy import Plan

_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceGaps:
    """Preference gaps of a plan; ``by_route`` by the ids of the model used and the route."""

    overall: PreferenceGap | None
    by_route: dict[tuple[str, str], PreferenceGap]


def preference_gaps(plan: Plan) -> PreferenceGaps:
    """Work out the gap of each route, and that of all moved requests together."""
    rows, ids = np.flatnonzero(plan.moved), plan.models.ids
    used, route = plan.requests.used[rows].astype(np.int64), plan.route[rows]
    pairs, place = np.unique(used * len(ids) + route, return_inverse=True)
    order = np.argsort(place, kind="stable")
    groups = np.split(rows[order], np.cumsum(np.bincount(place, minlength=len(pairs)))[:-1]) if len(rows) else []
    by_route = {
        (ids[int(pair) // len(ids)], ids[int(pair) % len(ids)]): _stated(plan, group)
        for pair, group in zip(pairs, groups, strict=True)
    }
    return PreferenceGaps(overall=preference_gap(plan), by_route=by_route)


def preference_gap(plan: Plan) -> PreferenceGap | None:
    """Return the gap over all moved requests; None where nothing moves."""
    rows = np.flatnonzero(plan.moved)
    return _stated(plan, rows) if len(rows) else None


def _stated(plan: Plan, rows: Ints) -> PreferenceGap:
    gap, known = plan.mean_preference_gap(rows)
    share, low, high = (None, None, None) if gap is None else (gap.share, gap.low, gap.high)
    return PreferenceGap(
        gap=_rounded(share), low=_rounded(low), high=_rounded(high), known_requests=known, moved_requests=len(rows)
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
