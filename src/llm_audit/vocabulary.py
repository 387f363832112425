"""Closed vocabularies of the ledger, in a module that imports no data library.

The processes that read logs import these; ``ledger.schema`` exports the same names with the columns that use them. The
order of members is part of the ledger's format.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class UsageSource(StrEnum):
    """The source of a row's token counts."""

    REPORTED = "reported"
    ESTIMATED = "estimated"  # counted from text by ``tokens``
    AMBIGUOUS = "ambiguous"  # reported, but it is unknown whether cached tokens are included
    NONE = "none"


class Operation(StrEnum):
    """The kind of a call; only ``chat`` can be routed."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    IMAGE = "image"
    AUDIO = "audio"
    RERANK = "rerank"
    MODERATION = "moderation"
    OTHER = "other"


class Status(StrEnum):
    """The outcome of a call."""

    OK = "ok"
    ERROR = "error"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class BillingBasis(StrEnum):
    """The way in which requests are paid for."""

    PAY_AS_YOU_GO = "pay_as_you_go"
    SUBSCRIPTION = "subscription"  # a plan or seat at a fixed price
    COMMITMENT = "commitment"  # billed by use against an amount committed to
    PROVISIONED = "provisioned"  # capacity bought by the hour
    FREE = "free"
    OWN_KEY = "own_key"  # billed by use to a key that users bring


API_EQUIVALENT = frozenset({BillingBasis.SUBSCRIPTION, BillingBasis.PROVISIONED, BillingBasis.FREE})
"""Bases on which no request is billed: its cost is what an API would have charged for it."""

PLANS = (BillingBasis.SUBSCRIPTION, BillingBasis.PROVISIONED)
"""Bases that have a price a month."""


class ServiceTier(StrEnum):
    """The provider's service tier, on which the price depends."""

    STANDARD = "standard"
    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"
    FAST = "fast"  # faster output at a multiple of the price
    PROVISIONED = "provisioned"  # capacity bought by the hour: no price by the token


class Fee(StrEnum):
    """What providers bill by the unit, beside tokens, requests and web searches."""

    FILE_SEARCH = "file_search"
    CODE_SESSION = "code_session"  # a container in which a model runs code
    MAPS = "maps"  # a prompt grounded in a map
    MEDIUM_SEARCH = "medium_search"  # a search request with a context of medium size, on top of the fee of a small one
    HIGH_SEARCH = "high_search"
    SERVER_TOOL = "server_tool"  # a call of a tool that the provider runs: xAI's searches and code
    OTHER_TOOL = "other_tool"  # a call of a tool of unknown price that the provider runs
    LIVE_SOURCE = "live_source"  # a source that a live search used
    PREVIEW_SEARCH = "preview_search"  # a web search by the preview tool, of models without reasoning


class Category(StrEnum):
    """The kind of task of a prompt; a model has an ability for each category."""

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
    """The role of a request in a trace, inferred from its text and structure."""

    ASK = "ask"
    PLAN = "plan"
    EXPLORE = "explore"
    IMPLEMENT = "implement"
    VERIFY = "verify"
    SUMMARISE = "summarise"
    HOUSEKEEPING = "housekeeping"  # titles, summaries for the interface, topic checks
    UNKNOWN = "unknown"


class Judged(StrEnum):
    """The way in which a row's difficulty was determined."""

    SCORED = "scored"
    INHERITED = "inherited"  # the last ask refers back; an earlier one was judged
    ABSTAINED = "abstained"


class Abstention(StrEnum):
    """Reasons why a prompt was not judged."""

    NO_TEXT = "no_text"
    REDACTED = "redacted"
    LANGUAGE = "language"
    NON_TEXT = "non_text"
    NO_SIGNAL = "no_signal"
    NOT_CHAT = "not_chat"


COVERED = ("moved", "no_capable_model", "no_saving", "already_cheapest", "not_offered", "unmeasured")
"""Outcomes of requests that a policy could judge and route, whether they moved or not."""

TIERS: tuple[str, ...] = ("frontier", "mid", "small", "unknown")
"""Tiers of models, the most expensive first; ``unknown`` is the tier of a model without a known price."""

REJECTED: dict[str, str] = {
    "not_json": "not JSON",
    "not_an_object": "not a JSON object",
    "truncated": "cut off",
    "too_long": "too long",
    "unknown_format": "of no known log format",
    "binary": "binary data",
    "no_model": "without a model",
    "bad_tokens": "with an invalid token count",
    "bad_time": "with an invalid time",
    "bad_shape": "with a field of the wrong type",
    "archive": "an archive that is not opened",
    "unreadable": "a file that cannot be read",
    "internal_error": "not read because of a bug in llm-audit",
}
"""Words for the reasons for which records are rejected, by the names of ``sources.entry.Reason``."""

UNCOUNTED = {"truncated": "cut off", "unreadable": "not readable", "archive": "an archive that is not opened"}
"""Reasons for which one rejection stands for all that the rest of a file holds, in words after a count."""


def rejection_words(reason: str) -> str:
    """Return a reason in words, after "is" or a count; a reason of another version as it is named there."""
    return REJECTED.get(reason, reason.replace("_", " "))


def rejection_remedy(reasons: Iterable[str]) -> str:
    """Return a sentence that says what to do about records rejected for these reasons."""
    reasons = set(reasons)
    if "internal_error" in reasons:
        return "Please report the format and the error that the notes name."
    if reasons <= {"archive", "unreadable"}:
        return "The notes say what to do."
    if reasons == {"truncated"}:
        return "Get the whole file, or audit it once it is complete."
    if "unknown_format" in reasons:
        return "`llm-audit formats suggest PATH` drafts a mapping for a log of an unknown format."
    return "Correct or remove them."
