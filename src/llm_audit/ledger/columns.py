"""Declare the ledger's columns: their names, types and meanings.

A ledger has one row per candidate request. Ingest writes candidates, since a record may be repeated in another shard;
``ledger.assembly`` keeps one row per ``merge_key``. Prompt and completion text never enters.

Identifiers (``request_id``, ``conversation``, ``trace``, ``span``…) are 64-bit xxh3 hashes of the ids in the log, so
that a ledger is small and contains no user data it does not need; hashing an id finds its rows.

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
    Stakes,
    Status,
    Step,
    UsageSource,
)

SCHEMA_VERSION = 5


class ColumnType(Enum):
    """The type of a column's values; a closed vocabulary is declared by its own enumeration instead."""

    ID = auto()  # unsigned 64-bit hash
    NAME = auto()  # text of few distinct values
    NAMES = auto()  # several names joined by commas, as one text
    COUNT = auto()  # signed 64-bit integer
    INDEX = auto()  # unsigned 32-bit position in a list
    SMALL = auto()  # signed 32-bit integer
    AMOUNT = auto()  # 64-bit float
    SCORE = auto()  # 32-bit float
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

COLUMNS: dict[str, ColumnType | type[StrEnum]] = {
    # identity
    "request_key": ColumnType.ID,  # unique in its ledger: hash of the input's SHA-256 and the record's position
    "request_id": ColumnType.ID,  # hash of the id the log gives the call; null where it gives none
    "merge_key": ColumnType.ID,  # rows with an equal key are one request; null: never merged
    "input": ColumnType.INDEX,  # index into the manifest's inputs
    "line": ColumnType.COUNT,  # 1-based line, or record number where a file has no lines
    "entry": ColumnType.COUNT,  # 0-based position among the entries of its input; a line may hold several
    "format": ColumnType.NAME,
    "time": ColumnType.TIME,
    # model
    "provider": ColumnType.NAME,
    "model_requested": ColumnType.NAME,
    "model": ColumnType.NAME,  # the model that served it, as the log writes it; requested where the log does not say
    "operation": Operation,
    "service_tier": ServiceTier,
    "region": ColumnType.NAME,
    # place in a conversation and a trace
    "conversation": ColumnType.ID,
    "trace": ColumnType.ID,
    "span": ColumnType.ID,
    "parent_span": ColumnType.ID,
    "wraps_calls": ColumnType.FLAG,  # a span that may repeat the usage of a child span
    "prompt_hash": ColumnType.ID,  # all messages
    "parent_prompt_hash": ColumnType.ID,  # the messages before the last assistant reply; null on a first turn
    "opening_hash": ColumnType.ID,  # the messages before the first assistant reply, which a conversation keeps
    "template_hash": ColumnType.ID,  # system prompt and tool names
    "prefix_hash": ColumnType.ID,  # system prompt and tools to the letter, which a cache holds; null where redacted
    "prefix_chars": ColumnType.COUNT,  # of system prompt and tool definitions; null where there is neither
    "turns": ColumnType.SMALL,  # human and tool messages so far
    # who
    "team": ColumnType.NAME,
    "app": ColumnType.NAME,
    "user": ColumnType.NAME,
    "environment": ColumnType.NAME,
    "tags": ColumnType.NAME,  # "key=value" pairs and bare tags, sorted, joined by a comma
    # usage
    **{f"{kind}_tokens": ColumnType.COUNT for kind in TOKEN_TYPES},
    "reasoning_tokens": ColumnType.COUNT,  # a subset of output_tokens
    "image_input_tokens": ColumnType.COUNT,  # a subset of input_tokens
    "image_output_tokens": ColumnType.COUNT,  # a subset of output_tokens
    "ambiguous_tokens": ColumnType.COUNT,  # usage_source ambiguous: input_tokens may be too high by up to this
    "unexplained_tokens": ColumnType.COUNT,  # in the log's own total and in none of the counts beside it
    "unread_counts": ColumnType.NAME,  # fields that seem to count tokens and are of no known kind, joined by a comma
    "tool_calls_billed": ColumnType.COUNT,  # server-side tool calls billed per call, such as web searches
    "fees_billed": ColumnType.NAME,  # other units billed beside tokens: "kind=count" pairs, sorted, joined by a comma
    "usage_source": UsageSource,
    "prompt_chars": ColumnType.COUNT,
    "completion_chars": ColumnType.COUNT,
    # tools that the request defines; not those that a provider runs
    "tools_offered": ColumnType.NAMES,  # "name=characters" pairs of the definitions, sorted, up to 16,384 characters
    "tools_called": ColumnType.NAMES,  # those that the reply or an earlier one calls, sorted; null: reply not known
    "tools_chars": ColumnType.COUNT,  # of all definitions
    "tool_failed": ColumnType.FLAG,  # all tool results that end the prompt say that the call failed
    # what it needs
    "needs_vision": ColumnType.FLAG,
    "needs_audio": ColumnType.FLAG,
    "needs_tools": ColumnType.FLAG,
    "needs_json_schema": ColumnType.FLAG,
    "needs_reasoning": ColumnType.FLAG,
    "streamed": ColumnType.FLAG,
    "max_output_tokens": ColumnType.COUNT,
    "calls_tools": ColumnType.FLAG,  # the reply asks for a tool call
    "answers_tools": ColumnType.FLAG,  # the last message is a tool result: a step of a tool loop
    "tool_call_hash": ColumnType.ID,  # hash of the first tool-call id the reply issues
    "tool_result_hash": ColumnType.ID,  # hash of the first tool-call id the last messages answer
    "reply_hash": ColumnType.ID,  # hash of the reply's longest line; null where it has fewer than 64 characters
    "quoted_hash": ColumnType.ID,  # the same of the user messages that end the prompt
    # outcome
    "status": Status,
    "status_code": ColumnType.SMALL,
    "latency_ms": ColumnType.AMOUNT,
    "stated_cost_pico": ColumnType.COUNT,  # what the log itself says the call cost
    # judgement
    "difficulty": ColumnType.SCORE,
    "category": Category,
    "judged": Judged,
    "abstention": Abstention,
    "step": Step,
    "language": ColumnType.NAME,
    "stakes": Stakes,  # what a wrong answer could harm; null where nothing in the text says so
}
JUDGEMENT_COLUMNS: tuple[str, ...] = ("difficulty", "category", "judged", "abstention", "step", "language", "stakes")
