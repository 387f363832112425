"""Requests to look for waste in, a minute apart and each with a prompt of its own."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from tests.audit.build import START, rows

from llm_audit.audit.aggregate.calls import read_calls
from llm_audit.audit.aggregate.repeats import find_repeats, sent_prompts
from llm_audit.audit.billing import Billing
from llm_audit.audit.waste.inputs import WasteInputs
from llm_audit.audit.waste.prefixes import add_sends, sends, uncached
from llm_audit.audit.waste.recurring import Habits, recurring
from llm_audit.audit.waste.tools import add_replies, called_tools, calls, replies
from llm_audit.audit.waste.waste import is_failed, waste_rows
from llm_audit.policy.inputs.requests import read_requests

RATES = (2, 1, 2)
"""Of input, cache reads and cache writes, in pico-dollars a token."""

LEAST_CACHED = 1_024


def inputs_of(given, *, p_success=0.5, cost_output_pico=2_000, cost_cache_write_5m_pico=0, usual=None, rates=RATES):
    frame = rows(*({"prompt_hash": 100 + number, "time": at(number), **row} for number, row in enumerate(given)))
    frame = frame.with_columns(model_id="model", cost_pico=pl.lit(4_500), cost_per_call_pico=pl.lit(0))
    many = len(given)
    read = read_calls(
        frame.lazy().select,
        billing=Billing(),
        output_cost=np.full(many, cost_output_pico),
        write_cost=np.full(many, cost_cache_write_5m_pico),
    )
    requests = read_requests(frame, {}, ())
    free = requests.priced & ~is_failed(read, requests)
    repeats = find_repeats(sent_prompts(frame.lazy().select, free=free, cost=requests.cost, partition=0))
    template = ["template_hash", "model"]
    keys = frame.with_columns(pl.col("model").cast(pl.String))
    seen = keys.select(template).unique() if usual is not None else keys.select(template).clear()
    habits = Habits(
        cache_reads=keys.filter(pl.col("cache_read_tokens") > 0).select(template).unique(),
        usual=seen.with_columns(usual=pl.lit(usual, pl.Float64)),
        uncached=uncached(add_sends([sends(frame)])),
        called_tools=called_tools(add_replies([replies(frame)]), calls(frame)),
    )
    return WasteInputs(
        requests=requests,
        calls=read,
        recurring=recurring(frame.lazy().select, habits, repeats),
        rates=lambda some: np.tile(rates, (len(some), 1)),
        p_success=lambda some: np.full(len(some), p_success),
        least_cached=lambda some: np.full(len(some), LEAST_CACHED),
    )


def found(*given, **other):
    """Return the requests and pico-dollars of each kind of waste in some requests, a minute apart."""
    table = waste_rows(inputs_of(given, **other)).filter(pl.col("part").is_null())
    return {row["kind"]: (row["requests"], int(row["amount_pico"])) for row in table.iter_rows(named=True)}


def at(minutes):
    return START + dt.timedelta(minutes=minutes)
