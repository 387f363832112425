"""Waste unrelated to routing: money that no change of model would save.

The kinds are looked for in order, and a request that one has claimed is not looked at again, so the amounts can be
added to each other. They must not be added to the flagship tax, which counts some of the same requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Floats, Index, Ints, exact_total
from llm_audit.audit.aggregate.calls import NOWHERE, Calls
from llm_audit.document.audit import Waste
from llm_audit.money import usd
from llm_audit.policy import NO_RATE, Requests

CACHE_LIFETIME_US = 5 * 60 * 10**6
CACHE_LEAST_TOKENS = 1_024
"""The shortest prefix that most providers cache."""

RUNAWAY_FACTOR = 8
RUNAWAY_LEAST_TOKENS = 2_000
"""An output is runaway above this many times its template's median, from this length."""

EASY = 0.97
"""P(success) of the model used from which reasoning buys nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """What only the whole log tells of the requests of a part of it.

    Attributes:
        retries: Requests whose very messages were sent within ten minutes before: see ``repeats.find_repeats``.
        repeats: Those that were sent again later.
        cache_read: Whether a request of the template and the model of each read from a cache.
        usual_output: The median output of the template on the model of each; NaN where it is too seldom to tell.
    """

    retries: Ints
    repeats: Ints
    cache_read: Bools
    usual_output: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteInputs:
    """Inputs of the search for waste.

    Attributes:
        requests: The requests.
        calls: What groups them.
        recurring: What the whole log tells of them.
        rates: Pico-dollars a token of input, cache reads and cache writes of the model used, for some requests, as
            columns; ``NO_RATE`` where it has none.
        p_success: Of the model used, for some requests; NaN where it is not known.
    """

    requests: Requests
    calls: Calls
    recurring: Recurring
    rates: Callable[[Ints], Ints]
    p_success: Callable[[Ints], Floats]


Found = tuple[Ints, Ints]
"""Requests, in order of time, and what each may have wasted, in pico-dollars; nothing where it is not above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    name: str
    title: str
    detail: str
    find: Callable[[WasteInputs, Ints], Found]


def waste_rows(inputs: WasteInputs) -> pl.DataFrame:
    """Wasted pico-dollars by kind: ``kind``, ``requests``, ``amount_pico``; of requests with a price."""
    order = inputs.calls.order
    free = inputs.requests.priced.copy()
    found = []
    for kind in _KINDS:
        rows, amount = kind.find(inputs, order[free[order]])
        wasted = amount > 0
        if wasted.any():
            free[rows[wasted]] = False
            number, total = int(np.count_nonzero(wasted)), exact_total(amount[wasted])
            found.append({"kind": kind.name, "requests": number, "amount_pico": total})
    schema = {"kind": pl.String, "requests": pl.Int64, "amount_pico": pl.Int128}
    return add_waste(pl.DataFrame(found, schema=schema))


def add_waste(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum rows of a kind, sorted."""
    return rows.group_by("kind").agg(pl.col("requests", "amount_pico").sum()).sort("kind")


def waste(rows: pl.DataFrame) -> list[Waste]:
    """Return the report's rows, most dollars first."""
    kinds = {kind.name: kind for kind in _KINDS}
    return [
        Waste(
            kind=row["kind"],
            title=kinds[row["kind"]].title,
            detail=kinds[row["kind"]].detail,
            amount=usd(int(row["amount_pico"])),
            requests=int(row["requests"]),
        )
        for row in rows.sort(["amount_pico", "kind"], descending=[True, False]).iter_rows(named=True)
    ]


def is_failed(calls: Calls, requests: Requests) -> Bools:
    """Return whether each request failed and was billed."""
    return np.asarray(calls.failed & requests.priced & (requests.cost > 0))


def _failed(inputs: WasteInputs, rows: Ints) -> Found:
    failed = rows[inputs.calls.failed[rows]]
    return failed, inputs.requests.cost[failed]


def _retries(inputs: WasteInputs, _rows: Ints) -> Found:
    return inputs.recurring.retries, inputs.requests.cost[inputs.recurring.retries]


def _repeated(inputs: WasteInputs, _rows: Ints) -> Found:
    return inputs.recurring.repeats, inputs.requests.cost[inputs.recurring.repeats]


def _never_cached(inputs: WasteInputs, rows: Ints) -> Found:
    """Later turns that resent the turns before as fresh input, in conversations that never touched the cache."""
    calls, tokens = inputs.calls, inputs.requests.tokens
    rows = _often(rows, calls.conversation[rows])
    key = np.unique(_key(calls.conversation[rows], calls.model[rows]), return_inverse=True)[1]
    touching = (tokens["cache_read"][rows] > 0) | (_written(inputs.requests, rows) > 0)
    untouched = np.bincount(key[touching], minlength=len(key))[key] == 0
    rows, before = _followers(rows[untouched], key[untouched])
    prefix, sent = tokens["input"][before], tokens["input"][rows]
    stable = _within(calls, rows, before, CACHE_LIFETIME_US) & (prefix >= CACHE_LEAST_TOKENS) & (prefix <= sent)
    rows, prefix, sent = rows[stable], prefix[stable], sent[stable]
    fresh, read, write = inputs.rates(rows).T
    premium = np.maximum(np.where(write == NO_RATE, fresh, write) - fresh, 0)
    saved = prefix * (fresh - read) - (sent - prefix) * premium
    return rows, np.where((fresh == NO_RATE) | (read == NO_RATE), 0, saved)


def _unread(inputs: WasteInputs, rows: Ints) -> Found:
    """Cache writes of templates that nothing ever read: the premium over fresh input."""
    calls = inputs.calls
    written = _written(inputs.requests, rows)
    read = inputs.requests.tokens["cache_read"] > 0
    named = calls.template != NOWHERE
    # Without a template, the reads of its conversation count, or else its own; a cluster is one of these.
    group = _key(
        np.where(calls.conversation != NOWHERE, calls.cluster, len(calls.cluster) + _places(calls)), calls.model
    )
    alone = np.flatnonzero(~named & read)
    unread = np.where(named[rows], ~inputs.recurring.cache_read[rows], ~np.isin(group[rows], group[alone]))
    rows, written = rows[unread & (written > 0)], written[unread & (written > 0)]
    fresh = np.maximum(inputs.rates(rows)[:, 0], 0)
    return rows, calls.write_cost[rows] - written * fresh


def _runaway(inputs: WasteInputs, rows: Ints) -> Found:
    output, usual = inputs.requests.tokens["output"], inputs.recurring.usual_output
    rows = rows[(output[rows] >= RUNAWAY_LEAST_TOKENS) & ~np.isnan(usual[rows])]
    excess = output[rows] - (usual[rows] * RUNAWAY_FACTOR).astype(np.int64)
    rows, excess = rows[excess > 0], excess[excess > 0]
    return rows, excess * (inputs.calls.output_cost[rows] // output[rows])


def _reasoning(inputs: WasteInputs, rows: Ints) -> Found:
    output, reasoning = inputs.requests.tokens["output"], inputs.requests.reasoning_tokens
    rows = rows[(reasoning[rows] > 0) & (output[rows] > 0)]
    rows = rows[inputs.p_success(rows) >= EASY]
    return rows, reasoning[rows] * (inputs.calls.output_cost[rows] // output[rows])


def _places(calls: Calls) -> Ints:
    return np.arange(len(calls.cluster), dtype=np.int64)


def _written(requests: Requests, rows: Ints) -> Ints:
    written: Ints = requests.tokens["cache_write_5m"][rows] + requests.tokens["cache_write_1h"][rows]
    return written


def _key(first: Ints | Index, *others: Ints | Index) -> Ints:
    """One number for each combination of numbers, ``NOWHERE`` among them."""
    key = first.astype(np.int64)
    for other in others:
        key = key * (int(other.max(initial=0)) + 2) + other + 1
    return key


def _often(rows: Ints, group: Index) -> Ints:
    """Return the requests of groups that have several."""
    often: Bools = np.bincount(group + 1, minlength=1) > 1
    often[0] = False
    return rows[often[group + 1]]


def _followers(rows: Ints, key: Ints) -> Found:
    """Return the requests that come after another of their group, and the one right before each."""
    order = np.argsort(key, kind="stable")
    follows = np.flatnonzero(np.diff(key[order]) == 0)
    return rows[order[follows + 1]], rows[order[follows]]


def _within(calls: Calls, rows: Ints, before: Ints, limit_us: int) -> Bools:
    soon: Bools = calls.dated[rows] & calls.dated[before] & (calls.time[rows] - calls.time[before] <= limit_us)
    return soon


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        name="failed_requests",
        title="Failed requests that were billed",
        detail="Calls that ended in an error.",
        find=_failed,
    ),
    _Kind(
        name="retries",
        title="The same messages sent again within ten minutes",
        detail="Every call after the first to the same model with the very same messages.",
        find=_retries,
    ),
    _Kind(
        name="repeated_prompts",
        title="The same messages sent again later",
        detail="Identical calls more than ten minutes apart: a response cache would answer them.",
        find=_repeated,
    ),
    _Kind(
        name="cache_never_used",
        title="A stable prefix that was never cached",
        detail="Later turns, at most five minutes apart, that resent the conversation at the full input price.",
        find=_never_cached,
    ),
    _Kind(
        name="cache_written_unread",
        title="Cache written and never read",
        detail="The write premium of templates whose cache no request ever read.",
        find=_unread,
    ),
    _Kind(
        name="runaway_output",
        title="Runaway outputs",
        detail="Output beyond eight times the median of its template.",
        find=_runaway,
    ),
    _Kind(
        name="reasoning_effort",
        title="Reasoning on prompts that need none",
        detail="Reasoning tokens where the model used is at least 97 % likely to succeed.",
        find=_reasoning,
    ),
)
