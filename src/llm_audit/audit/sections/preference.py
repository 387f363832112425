"""Preference gaps: by route, and over all moved requests."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import polars as pl

from llm_audit.document.audit import PreferenceGap
from llm_audit.policy import Models, Plan, mean_gap

_DIGITS = 6

Counts = dict[tuple[int, ...], int]
"""Moved requests by what their gap depends on: the model used, the route, the category and the language."""


class PreferenceGaps(msgspec.Struct, kw_only=True, frozen=True):
    """Preference gaps of a plan; ``by_route`` by the ids of the model used and the route."""

    overall: PreferenceGap | None
    by_route: dict[tuple[str, str], PreferenceGap]


def preference_counts(plan: Plan) -> Counts:
    """Count the moved requests of a part of a log."""
    rows, requests = np.flatnonzero(plan.moved), plan.requests
    moved = {
        "used": requests.used[rows],
        "route": plan.route[rows],
        "category": requests.category[rows],
        "language": requests.board_language[rows],
    }
    counted = pl.DataFrame(moved).group_by(list(moved)).len()
    return {tuple(key): count for *key, count in counted.iter_rows()}


def preference_gaps(counts: Mapping[tuple[int, ...], int], models: Models) -> PreferenceGaps:
    """Work out the gap of each route, and that of all moved requests together."""
    routes: dict[tuple[int, int], Counts] = {}
    for key, count in sorted(counts.items()):
        routes.setdefault((key[0], key[1]), {})[key] = count
    by_route = {
        (models.ids[used], models.ids[route]): _stated(found, models) for (used, route), found in routes.items()
    }
    return PreferenceGaps(overall=preference_gap(counts, models), by_route=by_route)


def preference_gap(counts: Mapping[tuple[int, ...], int], models: Models) -> PreferenceGap | None:
    """Return the gap over all moved requests; None where nothing moves."""
    return _stated(counts, models) if counts else None


def _stated(counts: Mapping[tuple[int, ...], int], models: Models) -> PreferenceGap:
    keys = np.array(sorted(counts), dtype=np.int32)
    count = np.array([counts[tuple(key)] for key in keys.tolist()], dtype=np.int64)
    gap, known = mean_gap(models, keys, count)
    share, low, high = (None, None, None) if gap is None else (gap.share, gap.low, gap.high)
    return PreferenceGap(
        gap=_rounded(share),
        low=_rounded(low),
        high=_rounded(high),
        known_requests=known,
        moved_requests=int(count.sum()),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
