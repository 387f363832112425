"""The ledger's columns: the one place where their names, kinds and meanings are declared.

A ledger has one row per candidate request. Ingest writes candidates, since a record may be repeated in another shard;
``ledger.merge`` keeps one row per ``merge_key``. Prompt and completion text never enters.

Identifiers (``request_id``, ``conversation``, ``trace``, ``span``…) are 64-bit xxh3 hashes of what the log says, so
that a ledger is small and holds no user data it does not need; hashing a given id again finds its rows.

Nothing here loads a data library: the processes that read logs declare Arrow columns from it, ``ledger.schema`` those
of polars.
"""

from __future__ import annotations

from enum import Enum, StrEnum, auto

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

SCHEMA_VERSION = 2


class Kind(Enum):
    """What a column holds. A closed vocabulary is given as its own type instead."""

    ID = auto()  # unsigned 64-bit hash
    NAME = auto()  # text of few distinct values
    COUNT = auto()  # signed 64-bit whole number
    INDEX = auto()  # unsigned 32-bit position in a list
    SMALL = auto()  # signed 32-bit whole number
    AMOUNT = auto()  # 64-bit fraction
    SCORE = auto()  # 32-bit fraction
    FLAG = auto()  # true, false or unknown
    TIME = auto()  # microseconds in UTC


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

COLUMNS: dict[str, Kind | type[StrEnum]] = {
    # identity
    "request_key": Kind.ID,  # this row, unique in its ledger: hash of input sha256 and record position
    "request_id": Kind.ID,  # hash of the id the log gives the call; null where it gives none
    "merge_key": Kind.ID,  # rows with an equal key are one request; null: never merged
    "input": Kind.INDEX,  # index into the manifest's inputs
    "line": Kind.COUNT,  # 1-based line, or record number where a file has no lines
    "format": Kind.NAME,
    "time": Kind.TIME,
    # model
    "provider": Kind.NAME,
    "model_requested": Kind.NAME,
    "model": Kind.NAME,  # the model that served it, as the log writes it; requested where the log does not say
    "operation": Operation,
    "service_tier": ServiceTier,
    "region": Kind.NAME,
    # place in a conversation and a trace
    "conversation": Kind.ID,
    "trace": Kind.ID,
    "span": Kind.ID,
    "parent_span": Kind.ID,
    "wraps_calls": Kind.FLAG,  # a span that may repeat the usage of a child span
    "prompt_hash": Kind.ID,  # all messages
    "parent_prompt_hash": Kind.ID,  # the messages before the last assistant reply; null on a first turn
    "template_hash": Kind.ID,  # system prompt and tool names
    "turns": Kind.SMALL,  # human and tool messages so far
    # who
    "team": Kind.NAME,
    "app": Kind.NAME,
    "user": Kind.NAME,
    "environment": Kind.NAME,
    "tags": Kind.NAME,  # "key=value" pairs and bare tags, sorted, joined by a comma
    # usage
    **{f"{kind}_tokens": Kind.COUNT for kind in TOKEN_TYPES},
    "reasoning_tokens": Kind.COUNT,  # a subset of output_tokens
    "image_input_tokens": Kind.COUNT,  # a subset of input_tokens
    "ambiguous_tokens": Kind.COUNT,  # usage_source ambiguous: input_tokens may be too high by up to this
    "tool_calls_billed": Kind.COUNT,  # server-side tool calls billed per call, such as web searches
    "usage_source": UsageSource,
    "prompt_chars": Kind.COUNT,
    "completion_chars": Kind.COUNT,
    # what it needs
    "needs_vision": Kind.FLAG,
    "needs_audio": Kind.FLAG,
    "needs_tools": Kind.FLAG,
    "needs_json_schema": Kind.FLAG,
    "needs_reasoning": Kind.FLAG,
    "streamed": Kind.FLAG,
    "max_output_tokens": Kind.COUNT,
    "calls_tools": Kind.FLAG,  # the reply asks for a tool call
    "answers_tools": Kind.FLAG,  # the last message is a tool result: a step of a tool loop
    "tool_call_hash": Kind.ID,  # hash of the first tool-call id the reply issues
    "tool_result_hash": Kind.ID,  # hash of the first tool-call id the last messages answer
    "reply_hash": Kind.ID,  # hash of the reply's longest line; null where it has fewer than 64 characters
    "quoted_hash": Kind.ID,  # the same of the user messages that end the prompt
    # outcome
    "status": Status,
    "status_code": Kind.SMALL,
    "latency_ms": Kind.AMOUNT,
    "stated_cost_pico": Kind.COUNT,  # what the log itself says the call cost
    # judgement
    "difficulty": Kind.SCORE,
    "category": Category,
    "judged": Judged,
    "abstention": Abstention,
    "step": Step,
    "language": Kind.NAME,
}
JUDGEMENT_COLUMNS: tuple[str, ...] = ("difficulty", "category", "judged", "abstention", "step", "language")
