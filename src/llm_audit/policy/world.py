"""What a counterfactual is computed from, besides routes and assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.cache import CacheLog, cached_prefix, read_cache_log
from llm_audit.policy.costs import RateTable
from llm_audit.policy.graph import Graph
from llm_audit.policy.judge import Judge
from llm_audit.policy.lengths import Lengths
from llm_audit.policy.models import NONE, Ints, Models
from llm_audit.policy.requests import Requests, Rows, take
from llm_audit.policy.steps import AgentSteps

_INPUT, _WRITE = TOKEN_TYPES.index("input"), TOKEN_TYPES.index("cache_write_5m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """All that a request's own costs are computed from.

    Attributes:
        requests: The requests.
        models: The catalog.
        lengths: Ratios of tokens between models.
        rates: What each request's candidates charge.
        least_cached: The shortest prefix that each model caches, in tokens.
        judge: Probabilities.
    """

    requests: Requests
    models: Models
    lengths: Lengths
    rates: RateTable
    least_cached: Ints
    judge: Judge

    def part(self, rows: Rows) -> Local:
        """The same of some requests."""
        return Local(
            requests=take(self.requests, rows),
            models=self.models,
            lengths=self.lengths,
            rates=self.rates.of(rows),
            least_cached=self.least_cached,
            judge=self.judge,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class World(Local):
    """The same with what ties requests to each other.

    Attributes:
        places: The ids that ``requests.PLACES`` names, a row a request.
        graph: The dependencies within traces.
        caches: What the log shows of caches.
        steps: The tool loops.
    """

    places: pl.DataFrame
    graph: Graph
    caches: CacheLog
    steps: AgentSteps


def cache_log(requests: Requests, places: pl.DataFrame, rates: RateTable) -> CacheLog:
    """What the log shows of caches; a write that costs more than fresh input marks a cache that is asked for."""
    own = rates.rates[rates.rows[:, NONE]]
    prefix = cached_prefix(
        read=requests.tokens["cache_read"],
        write=requests.tokens["cache_write_5m"] + requests.tokens["cache_write_1h"],
        fresh=requests.tokens["input"],
        explicit=(own[:, _WRITE] > own[:, _INPUT])[rates.key],
    )
    return read_cache_log(
        places.select("request_key", "conversation", "template_hash", "time", "turns").with_columns(
            used=requests.used,
            read=requests.tokens["cache_read"],
            prefix=prefix,
            hour=requests.tokens["cache_write_1h"] > 0,
        )
    )
