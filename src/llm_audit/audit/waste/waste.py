"""Waste unrelated to routing: money that no change of model would save.

The kinds are looked for in order, and a request that one has claimed is not looked at again, so the amounts can be
added to each other. They must not be added to the flagship tax, which counts some of the same requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Ints, exact_total
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.audit.waste import conversations, requests
from llm_audit.audit.waste.inputs import Found, WasteInputs
from llm_audit.document.audit import Waste
from llm_audit.money import usd
from llm_audit.policy import Requests


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


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        name="failed_requests",
        title="Failed requests that were billed",
        detail="Calls that ended in an error.",
        find=requests.failed,
    ),
    _Kind(
        name="retries",
        title="The same messages sent again within ten minutes",
        detail="Every call after the first to the same model with the very same messages.",
        find=requests.retries,
    ),
    _Kind(
        name="repeated_prompts",
        title="The same messages sent again later",
        detail="Identical calls more than ten minutes apart: a response cache would answer them.",
        find=requests.repeated,
    ),
    _Kind(
        name="cache_never_used",
        title="A stable prefix that was never cached",
        detail="Later turns, at most five minutes apart, that resent the conversation at the full input price.",
        find=conversations.never_cached,
    ),
    _Kind(
        name="repeated_tool_steps",
        title="Tool steps that repeat each other",
        detail="Agent steps from the fifth on whose call and result have the sizes of those before: a loop.",
        find=conversations.repeated_steps,
    ),
    _Kind(
        name="context_resent",
        title="Long context resent without a cache",
        detail="Turns that resent over four times the first one: what a summary of a quarter would save.",
        find=conversations.resent,
    ),
    _Kind(
        name="cache_written_unread",
        title="Cache written and never read",
        detail="The write premium of templates whose cache no request ever read.",
        find=requests.unread,
    ),
    _Kind(
        name="runaway_output",
        title="Runaway outputs",
        detail="Output beyond eight times the median of its template.",
        find=requests.runaway,
    ),
    _Kind(
        name="reasoning_effort",
        title="Reasoning on prompts that need none",
        detail="Reasoning tokens where the model used is at least 97 % likely to succeed.",
        find=requests.reasoning,
    ),
)
