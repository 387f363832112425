"""Waste that shows in the order of a conversation's or a trace's requests."""

from __future__ import annotations

import numpy as np

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.audit.waste.inputs import CACHE_LIFETIME_US, Found, WasteInputs, grouped, written_tokens
from llm_audit.policy import NO_RATE

CACHE_LEAST_TOKENS = 1_024
"""The shortest prefix that most providers cache."""

LOOP_STEPS = 3
"""Steps in a row that repeat the one before, from which they are a loop."""

RESENT_LEAST_TOKENS = 4_096
RESENT_FACTOR = 4
"""A conversation is worth a summary from this length, once it is this many times as long as its first turn."""

SUMMARY_DIVISOR = 4
"""A summary has this part of the tokens that it stands for."""


def never_cached(inputs: WasteInputs, rows: Ints) -> Found:
    """Later turns that resent the turns before as fresh input, in conversations that never touched the cache."""
    calls, tokens = inputs.calls, inputs.requests.tokens
    rows = _often(rows, calls.conversation[rows])
    key = np.unique(grouped(calls.conversation[rows], calls.model[rows]), return_inverse=True)[1]
    touching = (tokens["cache_read"][rows] > 0) | (written_tokens(inputs.requests, rows) > 0)
    untouched = np.bincount(key[touching], minlength=len(key))[key] == 0
    rows, before = _followers(rows[untouched], key[untouched])
    prefix, sent = tokens["input"][before], tokens["input"][rows]
    stable = _within(calls, rows, before, CACHE_LIFETIME_US) & (prefix >= CACHE_LEAST_TOKENS) & (prefix <= sent)
    rows, prefix, sent = rows[stable], prefix[stable], sent[stable]
    fresh, read, write = inputs.rates(rows).T
    premium = np.maximum(np.where(write == NO_RATE, fresh, write) - fresh, 0)
    saved = prefix * (fresh - read) - (sent - prefix) * premium
    return rows, np.where((fresh == NO_RATE) | (read == NO_RATE), 0, saved)


def repeated_steps(inputs: WasteInputs, rows: Ints) -> Found:
    """Agent steps that repeat the ones before: the same output, and the input longer by the same again."""
    calls, requests = inputs.calls, inputs.requests
    sent, output = requests.input_tokens, requests.tokens["output"]
    rows = rows[requests.agent_step[rows]]
    key = grouped(calls.cluster[rows], calls.model[rows], calls.template[rows])
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    if len(rows) <= LOOP_STEPS:
        return rows[:0], sent[:0]
    grown = np.diff(sent[rows], prepend=0)
    alike = np.zeros(len(rows), dtype=np.bool_)
    alike[2:] = (
        (key[2:] == key[:-2]) & (grown[2:] == grown[1:-1]) & (grown[2:] > 0) & (output[rows[2:]] == output[rows[1:-1]])
    )
    # The length of the run of steps alike that each one ends.
    place = np.arange(len(rows))
    length = place - np.maximum.accumulate(np.where(alike, 0, place))
    looping = rows[alike & (length >= LOOP_STEPS)]
    return looping, requests.cost[looping]


def resent(inputs: WasteInputs, rows: Ints) -> Found:
    """Later turns that resent, without a cache, a conversation that has outgrown its first turn."""
    calls, tokens = inputs.calls, inputs.requests.tokens
    rows = _often(rows, calls.conversation[rows])
    key = np.unique(grouped(calls.conversation[rows], calls.model[rows]), return_inverse=True)[1]
    first = np.zeros(int(key.max(initial=-1)) + 1, dtype=np.int64)
    first[key[::-1]] = tokens["input"][rows[::-1]]  # the earliest is written last
    opening = np.zeros(len(calls.cluster), dtype=np.int64)
    opening[rows] = first[key]
    rows, before = _followers(rows, key)
    prefix, sent = tokens["input"][before], tokens["input"][rows]
    grown = (prefix >= RESENT_LEAST_TOKENS) & (prefix >= RESENT_FACTOR * opening[rows]) & (prefix <= sent)
    uncached = (tokens["cache_read"][rows] == 0) & (written_tokens(inputs.requests, rows) == 0)
    rows, prefix = rows[grown & uncached], prefix[grown & uncached]
    fresh = inputs.rates(rows)[:, 0]
    return rows, np.where(fresh == NO_RATE, 0, (prefix - prefix // SUMMARY_DIVISOR) * fresh)


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
