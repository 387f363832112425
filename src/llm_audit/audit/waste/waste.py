"""Waste unrelated to routing: money that no change of model would save.

The kinds are looked for in order, and a request that one has claimed is not looked at again, so the amounts can be
added to each other. They must not be added to the flagship tax, which counts some of the same requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Ints, exact_total
from llm_audit.audit.aggregate.calls import NOWHERE, Calls
from llm_audit.audit.waste import conversations, prefixes, requests, tools
from llm_audit.audit.waste.inputs import Found, WasteInputs
from llm_audit.document.audit import Waste, WastePart
from llm_audit.money import usd
from llm_audit.policy import Requests

LARGEST = 5
"""Parts of a kind of waste that are named, by amount."""

Named = Iterable[tuple[str, Ints]]
"""Names of parts of a kind of waste, with amounts; a name may come several times."""


class _Kind(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    title: str
    detail: str
    find: Callable[[WasteInputs, Ints], Found]
    parts: Callable[[WasteInputs, Ints, Ints], Named] | None = None


def waste_rows(inputs: WasteInputs) -> pl.DataFrame:
    """Wasted pico-dollars by kind: ``kind``, ``part``, ``requests``, ``amount_pico``; of requests with a price.

    The row of a whole kind has no ``part``; the named parts of a kind have no number of requests, which they share.
    """
    order = inputs.calls.order
    free = inputs.requests.priced.copy()
    found = []
    for kind in _KINDS:
        rows, amount = kind.find(inputs, order[free[order]])
        wasted = amount > 0
        if wasted.any():
            free[rows[wasted]] = False
            number, total = int(np.count_nonzero(wasted)), exact_total(amount[wasted])
            found.append({"kind": kind.name, "part": None, "requests": number, "amount_pico": total})
            for name, amounts in kind.parts(inputs, rows[wasted], amount[wasted]) if kind.parts else ():
                total = exact_total(amounts)
                found.append({"kind": kind.name, "part": name, "requests": 0, "amount_pico": total})
    schema = {"kind": pl.String, "part": pl.String, "requests": pl.Int64, "amount_pico": pl.Int128}
    return add_waste(pl.DataFrame(found, schema=schema))


def add_waste(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum rows of a kind and of its parts, sorted."""
    return rows.group_by("kind", "part").agg(pl.col("requests", "amount_pico").sum()).sort("kind", "part")


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
            parts=_largest(rows.filter((pl.col("kind") == row["kind"]) & pl.col("part").is_not_null())),
        )
        for row in rows.filter(pl.col("part").is_null())
        .sort(["amount_pico", "kind"], descending=[True, False])
        .iter_rows(named=True)
    ]


def _largest(parts: pl.DataFrame) -> list[WastePart]:
    """Return the parts that cost most, and the others as one."""
    ranked = parts.filter(pl.col("amount_pico") > 0).sort(["amount_pico", "part"], descending=[True, False])
    found = [
        WastePart(name=row["part"], amount=usd(int(row["amount_pico"])))
        for row in ranked.head(LARGEST).iter_rows(named=True)
    ]
    others = ranked.slice(LARGEST)
    if others.height:
        found.append(WastePart(name=None, others=others.height, amount=usd(int(others["amount_pico"].sum()))))
    return found


def _by_template(inputs: WasteInputs, rows: Ints, amount: Ints) -> Named:
    """Yield the short name of each template, and what it wasted."""
    template = inputs.calls.template[rows]
    for number in np.unique(template[template != NOWHERE]).tolist():
        digits = f"{int(inputs.calls.templates[number]):016x}"
        yield f"template {digits[:8]}", amount[template == number]


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
        name="failing_tool_steps",
        title="Tool calls that fail again and again",
        detail="Agent steps from the third in a row that answer nothing but failed tool calls.",
        find=tools.failing_steps,
        parts=_by_template,
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
        name="prefix_never_cached",
        title="A system prompt and tools that were never cached",
        detail="Prompts that begin alike, at most five minutes apart: what a cache breakpoint after that would save.",
        find=prefixes.resent_prefixes,
        parts=_by_template,
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
    _Kind(
        name="unused_tools",
        title="Tool definitions that are never called",
        detail="Tools that no reply of their template calls, at the price paid for the tokens of their definitions.",
        find=tools.unused_definitions,
        parts=tools.unused_names,
    ),
)
