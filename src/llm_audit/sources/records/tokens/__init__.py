"""Token counts under the names that anyone gives them: one vocabulary, and the reader that every format may use."""

from __future__ import annotations

from llm_audit.sources.records.tokens.contradictions import named_as_unread, with_contradictions
from llm_audit.sources.records.tokens.counts import TokenCounts, count_tokens, read_tokens, usage_of_counts
from llm_audit.sources.records.tokens.names import COLUMNS, looks_like_tokens, normalize_name, token_kind
from llm_audit.sources.records.tokens.summed import read_parts
from llm_audit.sources.records.tokens.thinking import count_thinking, perhaps_on_top, thinks

__all__ = [
    "COLUMNS",
    "TokenCounts",
    "count_thinking",
    "count_tokens",
    "looks_like_tokens",
    "named_as_unread",
    "normalize_name",
    "perhaps_on_top",
    "read_parts",
    "read_tokens",
    "thinks",
    "token_kind",
    "usage_of_counts",
    "with_contradictions",
]
