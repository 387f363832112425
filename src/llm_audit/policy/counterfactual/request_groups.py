"""Groups of requests that have the same candidates, so that what is known of one is looked up once a group."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.policy.counterfactual.costs import RateTable
from llm_audit.policy.inputs.requests import Requests, Rows
from llm_audit.pricing import distinct_keys


class RequestGroups(msgspec.Struct, kw_only=True, frozen=True):
    """Requests grouped by model used, skill, price key and day, and by whether a policy can decide them.

    Attributes:
        of: The group of each request.
        used: The model that the requests of each group used.
        skill: What they ask of a model.
        key: Their price key, see ``RateTable``.
        day: Their day.
        routable: Whether a policy can decide them.
    """

    of: Index
    used: Index
    skill: Index
    key: Index
    day: Ints
    routable: Bools

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.used)

    def part(self, rows: Rows) -> RequestGroups:
        """Return the groups of some requests: all groups, of which some may have none."""
        return replace(self, of=self.of[rows])


def group_requests(requests: Requests, rates: RateTable) -> RequestGroups:
    """Group requests, given their rates."""
    if not len(requests):
        first, of = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    else:
        columns = requests.used, requests.skill, rates.key, requests.day, requests.routable.astype(np.int8)
        numbered = distinct_keys([pl.Series(column) for column in columns])
        first, of = numbered.first_rows(), numbered.codes.astype(np.int32)
    return RequestGroups(
        of=of,
        used=requests.used[first],
        skill=requests.skill[first],
        key=rates.key[first],
        day=requests.day[first],
        routable=requests.routable[first],
    )
