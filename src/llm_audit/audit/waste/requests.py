"""Waste of requests by themselves: failed, repeated, too long, or written to caches in vain."""

from __future__ import annotations

import numpy as np

from llm_audit.arrays import Ints
from llm_audit.audit.aggregate.calls import NOWHERE, Calls
from llm_audit.audit.waste.inputs import Found, WasteInputs, grouped, written_tokens

RUNAWAY_FACTOR = 8
RUNAWAY_LEAST_TOKENS = 2_000
"""An output is runaway above this many times its template's median, from this length."""

EASY = 0.97
"""P(success) of the model used from which reasoning buys nothing."""


def failed(inputs: WasteInputs, rows: Ints) -> Found:
    """Calls that ended in an error."""
    rows = rows[inputs.calls.failed[rows]]
    return rows, inputs.requests.cost[rows]


def retries(inputs: WasteInputs, _rows: Ints) -> Found:
    """Every call after the first with the very same messages, within ten minutes."""
    return inputs.recurring.retries, inputs.requests.cost[inputs.recurring.retries]


def repeated(inputs: WasteInputs, _rows: Ints) -> Found:
    """The same, more than ten minutes apart."""
    return inputs.recurring.repeats, inputs.requests.cost[inputs.recurring.repeats]


def unread(inputs: WasteInputs, rows: Ints) -> Found:
    """Cache writes of templates that nothing ever read: the premium over fresh input."""
    calls = inputs.calls
    written = written_tokens(inputs.requests, rows)
    read = inputs.requests.tokens["cache_read"] > 0
    named = calls.template != NOWHERE
    # Without a template, the reads of its conversation count, or else its own; a cluster is one of these.
    group = grouped(
        np.where(calls.conversation != NOWHERE, calls.cluster, len(calls.cluster) + _places(calls)), calls.model
    )
    alone = np.flatnonzero(~named & read)
    unread = np.where(named[rows], ~inputs.recurring.cache_read[rows], ~np.isin(group[rows], group[alone]))
    rows, written = rows[unread & (written > 0)], written[unread & (written > 0)]
    fresh = np.maximum(inputs.rates(rows)[:, 0], 0)
    return rows, calls.write_cost[rows] - written * fresh


def runaway(inputs: WasteInputs, rows: Ints) -> Found:
    """Output beyond a multiple of the usual length of its template."""
    output, usual = inputs.requests.tokens["output"], inputs.recurring.usual_output
    rows = rows[(output[rows] >= RUNAWAY_LEAST_TOKENS) & ~np.isnan(usual[rows])]
    excess = output[rows] - (usual[rows] * RUNAWAY_FACTOR).astype(np.int64)
    rows, excess = rows[excess > 0], excess[excess > 0]
    return rows, excess * (inputs.calls.output_cost[rows] // output[rows])


def reasoning(inputs: WasteInputs, rows: Ints) -> Found:
    """Reasoning tokens where the model used is likely to succeed without."""
    output, reasoning = inputs.requests.tokens["output"], inputs.requests.reasoning_tokens
    rows = rows[(reasoning[rows] > 0) & (output[rows] > 0)]
    rows = rows[inputs.p_success(rows) >= EASY]
    return rows, reasoning[rows] * (inputs.calls.output_cost[rows] // output[rows])


def _places(calls: Calls) -> Ints:
    return np.arange(len(calls.cluster), dtype=np.int64)
