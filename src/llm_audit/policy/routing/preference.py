"""The share of readers who prefer the model used to a route: net, by request, and as a bound of a policy."""

from __future__ import annotations

import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints
from llm_audit.catalog import Gap, preferences_of
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.models import Models
from llm_audit.policy.inputs.requests import Requests


def preference_gaps(models: Models, requests: Requests, rows: Ints, route: Index) -> Floats:
    """Return the preference gap of each request's route; NaN where one of the two models was not rated."""
    return preferences_of(models.ids).shares(
        requests.used[rows], route, category=requests.category[rows], language=requests.board_language[rows]
    )


def within_bound(policy: Policy, models: Models, requests: Requests, rows: Ints, route: Index) -> Bools:
    """Return whether the gap of each route is within the policy's bound; an unknown one is within none."""
    if not policy.max_preference_gap:
        return np.ones(len(rows), dtype=np.bool_)
    limit = policy.preference_limits()[requests.category[rows]]
    gaps = preference_gaps(models, requests, rows, route)
    return np.asarray((gaps <= limit) | np.isinf(limit))


def mean_gap(models: Models, keys: Index, count: Ints) -> tuple[Gap | None, int]:
    """Return the mean gap of routes with its interval, and the number of requests whose gap is known.

    Args:
        models: The catalog.
        keys: The model used, the route, the category and the language of each, distinct and ascending.
        count: Requests of each.
    """
    used, route, category, language = keys.T
    rated = preferences_of(models.ids)
    gap = rated.mean_gap(used, route, category=category, language=language, count=count)
    known = np.isfinite(rated.shares(used, route, category=category, language=language))
    return gap, int(count[known].sum())
