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
    REASONING = "reasoning"  # puzzles, plans, comparisons, decisions
    KNOWLEDGE = "knowledge"
    WRITING = "writing"
    INSTRUCTION = "instruction"  # formatting, rewriting to rules, short commands
    TOOL_USE = "tool_use"  # function calls and steps of agents
    LONG_CONTEXT = "long_context"
    DATA = "data"  # SQL, tables, statistics of one's own data
    SCIENCE = "science"
    LAW = "law"
    MEDICINE = "medicine"
    FINANCE = "finance"
    SUPPORT = "support"
    EXTRACTION = "extraction"  # and classification
    RETRIEVAL = "retrieval"  # questions about documents that come with them
    TRANSLATION = "translation"
    SUMMARISATION = "summarisation"
    CHAT = "chat"


class Stakes(StrEnum):
    """What a wrong answer could harm. ``classify`` recognises the asks that a policy may want to keep safer."""

    MEDICAL = "medical"
    LEGAL = "legal"
    FINANCIAL = "financial"
    SECURITY = "security"
    DESTRUCTIVE = "destructive"  # operations that delete or overwrite what cannot be had again


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
