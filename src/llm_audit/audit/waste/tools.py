"""Waste of tool definitions that nothing calls, and of tool calls that keep failing.

A definition is sent with every request. Whether a template's requests ever call a tool takes the whole log, so a survey
of its parts comes first. A template counts if the log has enough of its replies, and all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import polars as pl

from llm_audit.arrays import Ints
from llm_audit.audit.waste.inputs import Found, UnusedTools, WasteInputs, grouped, leading_tokens, written_tokens
from llm_audit.policy import NO_RATE, Columns

LEAST_REPLIES = 20
"""A tool counts as never called among at least so many replies."""

FAILED_STEPS = 3
"""Steps in a row that answer failed tool calls, from which they are a loop."""

SURVEYED = ("template_hash", "tools_offered", "tools_called", "status", "answers_tools")
"""The ledger's columns that the surveys read."""

_MCP = "mcp__"
_ENDED = ("error", "cancelled")


def replies(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of the replies to requests with tools, by ``template_hash``.

    Columns are the numbers of replies that are ``known`` and ``unknown``, and whether any request ``answers`` a call.
    """
    ended = pl.col("status").cast(pl.String).is_in(_ENDED)
    return (
        _offering(frame)
        .group_by("template_hash")
        .agg(
            known=pl.col("tools_called").count().cast(pl.Int64),
            unknown=(pl.col("tools_called").is_null() & ~ended.fill_null(value=False)).sum().cast(pl.Int64),
            answers=pl.col("answers_tools").fill_null(value=False).any(),
        )
    )


def calls(frame: pl.DataFrame) -> pl.DataFrame:
    """Return each ``tool`` that a template's requests call, by ``template_hash``."""
    return (
        _offering(frame)
        .drop_nulls("tools_called")
        .select("template_hash", tool=pl.col("tools_called").cast(pl.String))
        .unique()
        .with_columns(pl.col("tool").str.split(","))
        .explode("tool")
        .filter(pl.col("tool") != "")
        .unique()
    )


def add_replies(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return what is known of a log's replies, from its parts."""
    sums = pl.col("known", "unknown").sum()
    return pl.concat(parts).group_by("template_hash").agg(sums, pl.col("answers").any())


def called_tools(known: pl.DataFrame, called: pl.DataFrame) -> pl.DataFrame:
    """Return the tools that the templates call whose replies are all in the log: ``template_hash``, ``called``.

    A log without a call, whose prompts answer calls, leaves calls out: its templates do not count.
    """
    lists = called.group_by("template_hash").agg(called=pl.col("tool").sort())
    return (
        known.filter((pl.col("known") >= LEAST_REPLIES) & (pl.col("unknown") == 0))
        .join(lists, on="template_hash", how="left")
        .filter(pl.col("called").is_not_null() | ~pl.col("answers"))
        .select("template_hash", pl.col("called").fill_null(pl.lit([], pl.List(pl.String))))
    )


def unused_tools(columns: Columns, templates: pl.DataFrame) -> UnusedTools:
    """Return the requests of a part that define tools which their template never calls.

    Args:
        columns: Reads columns of the part.
        templates: Of the whole log: see ``called_tools``.
    """
    if not templates.height:
        nothing = np.zeros(0, dtype=np.int64)
        return UnusedTools(rows=nothing, sets=nothing, chars=nothing, of_chars=nothing, unused=())
    key = ["template_hash", "tools_offered"]
    found = (
        columns([*key, "tools_chars", "prompt_chars", "usage_source"])
        .with_row_index("row")
        .filter(pl.col("tools_offered").is_not_null() & (pl.col("usage_source").cast(pl.String) != "estimated"))
        .drop_nulls("prompt_chars")
        .join(templates.lazy().select("template_hash"), on="template_hash", how="semi")
        .with_columns(pl.col("tools_offered").cast(pl.String), of_chars=pl.col("prompt_chars") + pl.col("tools_chars"))
        .sort("row")
        .collect()
    )
    distinct = (
        found.select(key)
        .unique(maintain_order=True)
        .join(templates, on="template_hash", how="left", maintain_order="left")
    )
    unused = tuple(
        tuple(_unused(offered, called)) for offered, called in distinct.select("tools_offered", "called").iter_rows()
    )
    numbered = distinct.select(*key, number=pl.int_range(pl.len(), dtype=pl.Int64))
    some = [number for number, units in enumerate(unused) if units]
    found = found.join(numbered, on=key, how="left", maintain_order="left").filter(pl.col("number").is_in(some))
    return UnusedTools(
        rows=found["row"].cast(pl.Int64).to_numpy(),
        sets=found["number"].to_numpy(),
        chars=found["tools_chars"].to_numpy(),
        of_chars=found["of_chars"].to_numpy(),
        unused=unused,
    )


def unused_definitions(inputs: WasteInputs, rows: Ints) -> Found:
    """Definitions of tools that the template never calls, at the price that was paid for their tokens."""
    held = inputs.recurring.unused_tools
    amount = np.zeros(len(inputs.requests), dtype=np.int64)
    for _, some, paid in _paid(inputs, rows):
        amount[some] += paid
    free = np.isin(held.rows, rows)
    return held.rows[free], amount[held.rows[free]]


def unused_names(inputs: WasteInputs, rows: Ints, _amount: Ints) -> Iterator[tuple[str, Ints]]:
    """Yield the name of each tool or server, and what its definitions cost in requests."""
    for name, _, paid in _paid(inputs, rows):
        yield name, paid


def failing_steps(inputs: WasteInputs, rows: Ints) -> Found:
    """Agent steps that answer failed tool calls, from the third in a row of a conversation or trace."""
    requests, calls = inputs.requests, inputs.calls
    rows = rows[requests.agent_step[rows]]
    key = grouped(calls.cluster[rows], calls.model[rows], calls.template[rows])
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    failed = calls.tool_failed[rows]
    place = np.arange(len(rows))
    # The last step before each that begins a run anew: one that did not fail, or that precedes its group.
    begins = np.diff(key, prepend=-1) != 0
    before = np.maximum(np.where(begins, place - 1, -1), np.where(failed, -1, place))
    length = place - np.maximum.accumulate(before) if len(rows) else place
    looping = rows[failed & (length >= FAILED_STEPS)]
    return looping, requests.cost[looping]


def _offering(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("tools_offered").is_not_null() & pl.col("template_hash").is_not_null())


def _unused(offered: str, called: Collection[str]) -> Iterator[tuple[str, int]]:
    """Yield the unused tools of a list of definitions with their sizes; an MCP server that is never called as one."""
    servers = {_server(tool) for tool in called}
    sizes: dict[str, int] = {}
    for pair in offered.split(","):
        tool, _, chars = pair.rpartition("=")
        if tool not in called:
            server = _server(tool)
            name = tool if server is None or server in servers else f"{server} (MCP server)"
            sizes[name] = sizes.get(name, 0) + int(chars)
    yield from sizes.items()


def _server(tool: str) -> str | None:
    """Return the MCP server in a tool's name, ``mcp__server__tool``."""
    server, separator, _ = tool.removeprefix(_MCP).partition("__")
    return server if tool.startswith(_MCP) and separator and server else None


def _paid(inputs: WasteInputs, rows: Ints) -> Iterator[tuple[str, Ints, Ints]]:
    """Yield each unused tool or server of each set of definitions, the requests, and what it cost in each.

    Definitions come before the rest of a prompt, so the tokens read from a cache are theirs first, then those written.
    """
    held, requests = inputs.recurring.unused_tools, inputs.requests
    free = np.isin(held.rows, rows)
    rows, sets, chars = held.rows[free], held.sets[free], held.chars[free]
    tokens = leading_tokens(chars, held.of_chars[free], requests.input_tokens[rows])
    written = written_tokens(requests, rows)
    of_read = np.minimum(tokens, requests.tokens["cache_read"][rows])
    of_written = np.minimum(tokens - of_read, written)
    of_fresh = np.minimum(tokens - of_read - of_written, requests.tokens["input"][rows])
    fresh, read, _ = np.where((rates := inputs.rates(rows)) == NO_RATE, 0, rates).T
    write = inputs.calls.write_cost[rows] // np.maximum(written, 1)
    for number in np.unique(sets).tolist():
        some = np.flatnonzero(sets == number)
        for name, size in held.unused[number]:
            parts = ((of_read, read), (of_written, write), (of_fresh, fresh))
            paid = sum((count[some] * size // chars[some]) * rate[some] for count, rate in parts)
            yield name, rows[some], np.asarray(paid)
