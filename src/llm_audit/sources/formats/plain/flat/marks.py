"""Records of custom logs that say of themselves that they are no calls: hits of a cache, and starts of calls.

A column ``cached`` may be the mark of a hit, or count tokens of the provider's own cache.
"""

from __future__ import annotations

import re

from llm_audit.sources.entry import NO_USAGE, NotCallReason, Record, Request
from llm_audit.sources.records.column_names import CACHE_HITS, Columns
from llm_audit.sources.records.fields import as_int, number
from llm_audit.sources.records.tokens import TokenCounts, normalize_name

_STARTS = re.compile(
    r"(?:^|[\W_])(?:start(?:ed|ing)?|begin|began|sent|sending|queued|pending|dispatch(?:ed|ing)?)(?:$|[\W_])"
)
_HITS = frozenset({"true", "hit", "yes", "1"})
_LONGEST = 60  # characters of what is no text of its own
_LEAST_CACHED = 16  # tokens: no provider caches fewer, so that a smaller number counts hits, or is a share


def add_cached(counts: TokenCounts, record: Record, columns: Columns) -> None:
    """Add the cached tokens that a column ``cached`` counts, where it is no mark of a hit.

    Another number, which may be a share or count hits, is named as unread.
    """
    for key in columns.marks:
        given = number(record[key]) if normalize_name(key) == "cached" else None
        if given in (None, 0, 1) or counts.get("cached", "cache_read") is not None:
            continue
        count = as_int(given)
        if count is not None and _LEAST_CACHED <= count <= (counts.get("input") or 0):
            counts.kinds["cached"] = count
        else:
            counts.unread = (*counts.unread, "cached")


def no_call(record: Record, columns: Columns, request: Request) -> NotCallReason | None:
    """Return why a record is no call; None where it is one.

    What a cache answered takes no tokens, or costs nothing: a cache hit that costs something is one of the provider's
    own cache. The start of a call has neither counts nor a reply.
    """
    usage = request.usage
    free = request.stated_cost_pico == 0 or not (usage.input_tokens or usage.cache_read_tokens or usage.output_tokens)
    answered = usage is not NO_USAGE or request.completion is not None or request.completion_calls
    for key in columns.marks:
        value = str(record[key]).strip().lower()
        if normalize_name(key) in CACHE_HITS:
            if free and value in _HITS:
                return NotCallReason.GATEWAY_CACHE_HIT
        elif not answered and len(value) <= _LONGEST and _STARTS.search(value):
            return NotCallReason.METADATA
    return None
