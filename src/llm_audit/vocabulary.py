"""The closed vocabularies of the ledger, in a module that loads no data library.

Code that runs once a request, such as choosing what text is judged, imports these; ``ledger.schema`` offers the same
names beside the columns that use them. The order of members is part of the ledger's format.
"""

from __future__ import annotations

from enum import StrEnum


class UsageSource(StrEnum):
    """Where a row's token counts are from."""

    REPORTED = "reported"
    ESTIMATED = "estimated"  # counted from text by ``tokens``
    AMBIGUOUS = "ambiguous"  # reported, but inclusive or exclusive of cached tokens is not settled
    NONE = "none"


class Operation(StrEnum):
    """What kind of call it was; only ``chat`` can be routed."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    IMAGE = "image"
    AUDIO = "audio"
    RERANK = "rerank"
    MODERATION = "moderation"
    OTHER = "other"


class Status(StrEnum):
    """How the call ended."""

    OK = "ok"
    ERROR = "error"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class ServiceTier(StrEnum):
    """The provider's service tier, which decides the price."""

    STANDARD = "standard"
    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"


class Category(StrEnum):
    """What kind of task a prompt is. Abilities are known per model and category."""

    CODE = "code"
    MATH = "math"
    REASONING = "reasoning"
    KNOWLEDGE = "knowledge"
    WRITING = "writing"
    INSTRUCTION = "instruction"  # extraction, classification, translation, formatting, short commands
    TOOL_USE = "tool_use"
    LONG_CONTEXT = "long_context"


class Step(StrEnum):
    """What a request does in a trace, told from its text and shape."""

    ASK = "ask"
    PLAN = "plan"
    EXPLORE = "explore"
    IMPLEMENT = "implement"
    VERIFY = "verify"
    SUMMARISE = "summarise"
    HOUSEKEEPING = "housekeeping"  # titles, summaries for the interface, topic checks
    UNKNOWN = "unknown"


class Judged(StrEnum):
    """How a row came by its difficulty."""

    SCORED = "scored"
    INHERITED = "inherited"  # the last ask refers back; an earlier one was judged
    ABSTAINED = "abstained"


class Abstention(StrEnum):
    """Why a prompt was not judged."""

    NO_TEXT = "no_text"
    REDACTED = "redacted"
    LANGUAGE = "language"
    NON_TEXT = "non_text"
    NO_SIGNAL = "no_signal"
    NOT_CHAT = "not_chat"
