"""The ledger's columns: the one place where their names, types and meanings are declared.

A ledger has one row per candidate request. Ingest writes candidates, since a record may be repeated in another shard;
``ledger.merge`` keeps one row per ``merge_key``. Prompt and completion text never enters.

Identifiers (``request_id``, ``conversation``, ``trace``, ``span``…) are 64-bit xxh3 hashes of what the log says, so
that a ledger is small and holds no user data it does not need; hashing a given id again finds its rows.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from llm_audit.vocabulary import (
    Abstention,
    Category,
    Judged,
    Operation,
    ServiceTier,
    Status,
    Step,
    UsageSource,
)

__all__ = [
    "COLUMNS",
    "COUNT",
    "ID",
    "JUDGEMENT_COLUMNS",
    "NAME",
    "SCHEMA",
    "SCHEMA_VERSION",
    "TOKEN_TYPES",
    "Abstention",
    "Category",
    "Judged",
    "Operation",
    "ServiceTier",
    "Status",
    "Step",
    "UsageSource",
    "enum",
]

SCHEMA_VERSION = 1


def enum(kind: type[StrEnum]) -> pl.Enum:
    """The polars type of a closed vocabulary."""
    return pl.Enum([member.value for member in kind])


ID = pl.UInt64
NAME = pl.Categorical()
COUNT = pl.Int64

TOKEN_TYPES: tuple[str, ...] = (
    "input",  # fresh text (and image) input, not from a cache, not written to one
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",  # text output, reasoning included
    "audio_input",  # fresh audio input, not in ``input``
    "audio_output",  # audio output, not in ``output``
)
"""Disjoint token types: each token of a request is in exactly one ``<type>_tokens`` column."""

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    # identity
    "request_key": ID,  # this row, unique in its ledger: hash of input sha256 and record position
    "request_id": ID,  # hash of the id the log gives the call; null where it gives none
    "merge_key": ID,  # rows with an equal key are one request; null: never merged
    "input": pl.UInt32,  # index into the manifest's inputs
    "line": COUNT,  # 1-based line, or record number where a file has no lines
    "format": NAME,
    "time": pl.Datetime("us", "UTC"),
    # model
    "provider": NAME,
    "model_requested": NAME,
    "model": NAME,  # the model that served it, as the log writes it; requested where the log does not say
    "operation": enum(Operation),
    "service_tier": enum(ServiceTier),
    "region": NAME,
    # place in a conversation and a trace
    "conversation": ID,
    "trace": ID,
    "span": ID,
    "parent_span": ID,
    "wraps_calls": pl.Boolean,  # a span that may repeat the usage of a child span
    "prompt_hash": ID,  # all messages
    "parent_prompt_hash": ID,  # the messages before the last assistant reply; null on a first turn
    "template_hash": ID,  # system prompt and tool names
    "turns": pl.Int32,  # human and tool messages so far
    # who
    "team": NAME,
    "app": NAME,
    "user": NAME,
    "environment": NAME,
    "tags": NAME,  # "key=value" pairs and bare tags, sorted, joined by a comma
    # usage
    **{f"{kind}_tokens": COUNT for kind in TOKEN_TYPES},
    "reasoning_tokens": COUNT,  # a subset of output_tokens
    "image_input_tokens": COUNT,  # a subset of input_tokens
    "ambiguous_tokens": COUNT,  # usage_source ambiguous: input_tokens may be too high by up to this
    "tool_calls_billed": COUNT,  # server-side tool calls billed per call, such as web searches
    "usage_source": enum(UsageSource),
    "prompt_chars": COUNT,
    "completion_chars": COUNT,
    # what it needs
    "needs_vision": pl.Boolean,
    "needs_audio": pl.Boolean,
    "needs_tools": pl.Boolean,
    "needs_json_schema": pl.Boolean,
    "needs_reasoning": pl.Boolean,
    "streamed": pl.Boolean,
    "max_output_tokens": COUNT,
    "calls_tools": pl.Boolean,  # the reply asks for a tool call
    "answers_tools": pl.Boolean,  # the last message is a tool result: a step of a tool loop
    "tool_call_hash": ID,  # hash of the first tool-call id the reply issues
    "tool_result_hash": ID,  # hash of the first tool-call id the last messages answer
    # outcome
    "status": enum(Status),
    "status_code": pl.Int32,
    "latency_ms": pl.Float64,
    "stated_cost_pico": COUNT,  # what the log itself says the call cost
    # judgement
    "difficulty": pl.Float32,
    "category": enum(Category),
    "judged": enum(Judged),
    "abstention": enum(Abstention),
    "step": enum(Step),
    "language": NAME,
}

SCHEMA = pl.Schema(COLUMNS)
JUDGEMENT_COLUMNS: tuple[str, ...] = ("difficulty", "category", "judged", "abstention", "step", "language")
