"""Inputs of a counterfactual, besides routes and assumptions."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Bools, Ints
from llm_audit.blocks import spans
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.counterfactual.cache_log import CacheLog, cached_prefix
from llm_audit.policy.counterfactual.costs import UNKNOWN, RateTable
from llm_audit.policy.counterfactual.lengths import Lengths
from llm_audit.policy.counterfactual.request_groups import RequestGroups
from llm_audit.policy.counterfactual.steps import AgentSteps
from llm_audit.policy.counterfactual.traffic import Traffic
from llm_audit.policy.counterfactual.whole import Whole
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.models import NONE, Models
from llm_audit.policy.inputs.requests import Requests, Rows, take, wide
from llm_audit.policy.inputs.trace_graph import Graph

_INPUT, _READ, _WRITE, _LONG_WRITE = (
    TOKEN_TYPES.index(kind) for kind in ("input", "cache_read", "cache_write_5m", "cache_write_1h")
)


class RequestInputs(msgspec.Struct, kw_only=True, frozen=True):
    """All that a request's own costs are computed from.

    Attributes:
        requests: The requests.
        models: The catalog.
        lengths: Ratios of tokens between models.
        rates: What each request's candidates charge.
        least_cached: The shortest prefix that each model caches, in tokens.
        judge: Probabilities.
        cold_repeat: What each request costs on the model used when that model's cache is cold.
        groups: The requests, grouped by what decides their candidates.
    """

    requests: Requests
    models: Models
    lengths: Lengths
    rates: RateTable
    least_cached: Ints
    judge: Judge
    cold_repeat: Ints
    groups: RequestGroups

    def part(self, rows: Rows) -> RequestInputs:
        """Return the same of some requests."""
        return RequestInputs(
            requests=take(self.requests, rows),
            models=self.models,
            lengths=self.lengths,
            rates=self.rates.of(rows),
            least_cached=self.least_cached,
            judge=self.judge,
            cold_repeat=self.cold_repeat[rows],
            groups=self.groups.part(rows),
        )


class CounterfactualInputs(RequestInputs, kw_only=True, frozen=True):
    """The same with what ties requests to each other.

    Attributes:
        graph: The dependencies within traces.
        caches: What the log shows of caches.
        steps: The tool loops.
        whole: The log that the requests are all or a part of.
    """

    graph: Graph
    caches: CacheLog
    steps: AgentSteps
    whole: Whole

    def tied(self, some: Bools) -> Bools:
        """Return some requests with all whose costs depend on theirs: by a cache, or by the steps of a tool loop."""
        found, before = some.copy(), -1
        groups = (self.caches.row, self.caches.conversation), (self.steps.row, self.steps.trace)
        while (count := int(np.count_nonzero(found))) != before:
            before = count
            for row, group in groups:
                hit = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.bool_)
                hit[group[found[row]]] = True
                found[row] |= hit[group]
        return found

    def closed(self, wanted: Bools) -> CounterfactualInputs:
        """Return the same of requests that nothing ties to others (see ``tied``), without the traces they are of."""
        part = self.part(wanted)
        return CounterfactualInputs(
            **{name: getattr(part, name) for name in RequestInputs.__struct_fields__},
            graph=self.graph.empty(),
            caches=self.caches.part(wanted),
            steps=self.steps.part(wanted),
            whole=self.whole,
        )


def cold_premium(rates: Ints, *, hour: Bools) -> Ints:
    """Return the pico-dollars a token that a cold cache costs more than a warm one.

    Instead of a read a token is written to the cache, for an hour where the request's cache lives so long, or billed as
    fresh input where the model does not bill for writing.

    Args:
        rates: A row of ``RateTable.rates`` a request.
        hour: Whether the request's cache lives an hour.
    """
    fresh, read, write, long_write = (rates[:, column] for column in (_INPUT, _READ, _WRITE, _LONG_WRITE))
    short = np.where(write == UNKNOWN, fresh, write)
    written = np.where(hour & (long_write != UNKNOWN), long_write, short)
    return np.asarray(np.maximum(written - np.where(read == UNKNOWN, fresh, read), 0))


def repeat_cost(requests: Requests, rates: RateTable, rows: Ints, *, warm: Ints | int) -> Ints:
    """Return what requests cost when they are sent to the model used again, pico-dollars.

    Args:
        requests: All requests.
        rates: Their rates.
        rows: Those that are asked about.
        warm: Tokens of each that the model's cache still holds then; the rest of its cache reads are paid in full.
    """
    own = rates.rates[rates.rows[rates.key[rows], NONE]]
    lost = requests.tokens["cache_read"][rows].astype(np.int64) - warm
    return requests.cost[rows] + lost * cold_premium(own, hour=requests.tokens["cache_write_1h"][rows] > 0)


def cold_repeats(requests: Requests, rates: RateTable) -> Ints:
    """Return what each request costs on the model used when that model's cache is cold, pico-dollars."""
    total = requests.cost.copy()
    reading = np.flatnonzero(requests.tokens["cache_read"] > 0)
    for span in spans(len(reading)):
        total[reading[span]] = repeat_cost(requests, rates, reading[span], warm=0)
    return total


def priced_caches(traffic: Traffic, rates: RateTable) -> CacheLog:
    """Return the log's caches with prefixes; a write that costs more than fresh input marks an explicit cache."""
    requests, caches = traffic.requests, traffic.caches
    own = rates.rates[rates.rows[:, NONE]]
    explicit = own[:, _WRITE] > own[:, _INPUT]
    tokens = {kind: wide(counts, caches.row) for kind, counts in requests.tokens.items()}
    prefix = cached_prefix(
        read=tokens["cache_read"],
        write=tokens["cache_write_5m"] + tokens["cache_write_1h"],
        fresh=tokens["input"],
        explicit=explicit[rates.key[caches.row]],
    )
    return replace(caches, prefix=prefix)
