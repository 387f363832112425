"""Cost of tokens at a model's rates: the arithmetic of every counterfactual."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.inputs.requests import Requests, Rows, is_nothing, wide

try:
    from llm_audit.policy.inputs._arithmetic import offers as _offers_compiled
except ImportError:  # built where a C compiler is at hand; ``cost`` gives the same integers
    COMPILED = False
else:
    COMPILED = True

UNKNOWN = -1
"""A rate that the price table does not have."""

NEVER = np.iinfo(np.int64).max
"""The cost of what cannot be bought."""

_INPUT_LIKE = ("cache_read", "cache_write_5m", "cache_write_1h")


class RateTable(msgspec.Struct, kw_only=True, frozen=True):
    """Rates that the log's requests could have been charged.

    Attributes:
        key: The price key of each request: distinct provider, model, service tier, region, day and context tier.
        rows: Rows of ``rates``, keys x (positions of the ladder, then the model used).
        provider: Who sells at each row of ``rates``; None where nobody does.
        rates: Pico-dollars a token, rows x token types in the order of ``TOKEN_TYPES``; ``UNKNOWN`` where none is.
    """

    key: Index
    rows: Index
    provider: tuple[str | None, ...]
    rates: Ints

    def at(self, position: Index) -> Ints:
        """Return the rates of each request's route by its ladder position; ``NONE``, the last, is the model used."""
        return self.rates[self.rows[self.key, position]]

    def of(self, rows: Rows) -> RateTable:
        """Return the same for some requests."""
        return replace(self, key=self.key[rows])


def cost(tokens: dict[str, Ints], rates: Ints, *, per_call: Ints, group: Ints | None = None) -> Ints:
    """Return the cost in pico-dollars of disjoint ``tokens`` at rates, with per-call charges.

    A model without a rate for cached tokens bills them as input. ``NEVER`` where a type has tokens and no rate.

    Args:
        tokens: Counts by type, one a request.
        rates: A row of rates a request, or a group.
        per_call: Charges by request.
        group: The row of ``rates`` of each request; by default each has its own.
    """
    total = per_call.copy()
    lacking = np.zeros(len(total), dtype=bool)
    fresh = rates[:, TOKEN_TYPES.index("input")]
    for column, kind in enumerate(TOKEN_TYPES):
        count = tokens[kind]
        if is_nothing(count):
            continue
        rate = rates[:, column]
        if kind in _INPUT_LIKE:
            rate = np.where(rate == UNKNOWN, fresh, rate)
        unknown, rate = rate == UNKNOWN, np.maximum(rate, 0)
        if unknown.any():
            lacking |= (unknown if group is None else unknown[group]) & (count > 0)
        total += count * (rate if group is None else rate[group])
    total[lacking] = NEVER
    return total


def same_tokens(requests: Requests, rows: Ints, rates: Ints, *, rates_of: Index, group: Index) -> Ints:
    """Return what some requests cost at their tokens, pico-dollars; ``NEVER`` where a type has tokens and no rate.

    Args:
        requests: All requests.
        rows: Those that are asked about.
        rates: See ``RateTable``.
        rates_of: The row of ``rates`` of each group of requests.
        group: The group of each request.
    """
    if COMPILED:
        found = np.empty(len(rows), dtype=np.int64)
        counts = (requests.tokens[kind] for kind in TOKEN_TYPES)
        _offers_compiled(rows, group, rates_of, rates, requests.per_call_cost, *counts, found)
        return found
    tokens = {kind: wide(counts, rows) for kind, counts in requests.tokens.items()}
    return cost(tokens, rates[rates_of], per_call=wide(requests.per_call_cost, rows), group=group[rows])


def recache(tokens: dict[str, Ints], *, kept: Ints, hour: Bools, writes: Bools, too_short: Bools) -> dict[str, Ints]:
    """Return tokens once only ``kept`` of the cache reads still come from a cache.

    Args:
        tokens: Disjoint counts.
        kept: Cache reads that remain.
        hour: Whether the request's cache lives an hour.
        writes: Whether the route bills for writing to its cache; where it does not, lost reads are fresh input.
        too_short: Whether the prefix is below what the route caches at all: then everything is fresh input.
    """
    kept = np.where(too_short, 0, kept)
    lost = tokens["cache_read"] - kept
    to_write = np.where(writes & ~too_short, lost, 0)
    dropped = np.where(too_short, tokens["cache_write_5m"] + tokens["cache_write_1h"], 0)
    return {
        **tokens,
        "input": tokens["input"] + lost - to_write + dropped,
        "cache_read": kept,
        "cache_write_5m": np.where(too_short, 0, tokens["cache_write_5m"]) + np.where(hour, 0, to_write),
        "cache_write_1h": np.where(too_short, 0, tokens["cache_write_1h"]) + np.where(hour, to_write, 0),
    }
