"""Parts of the audit document that account for what was read: records, requests, tokens, inputs and checks."""

from __future__ import annotations

import msgspec

from llm_audit.document.values import Amount, Count, Number


class Tool(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    version: str


class Period(msgspec.Struct, kw_only=True, frozen=True):
    """First and last request's time; ``None`` where no record has one."""

    start: str | None
    end: str | None
    days: Count  # calendar days with requests
    timezone: str
    undated_requests: Count


class Requests(msgspec.Struct, kw_only=True, frozen=True):
    """Every record read: ``read = audited + duplicates + not_provider_calls + rejected + out_of_period``."""

    read: Count
    audited: Count
    duplicates: Count
    not_provider_calls: Count
    rejected: Count
    out_of_period: Count = 0  # requests that ``--since`` and ``--until`` leave out


class Example(msgspec.Struct, kw_only=True, frozen=True):
    file: str
    line: Count


class RejectedReason(msgspec.Struct, kw_only=True, frozen=True):
    reason: str
    count: Count
    examples: list[Example]


class ReasonCount(msgspec.Struct, kw_only=True, frozen=True):
    reason: str
    count: Count


class Tokens(msgspec.Struct, kw_only=True, frozen=True):
    """Sums of disjoint token types; ``reasoning`` is a subset of ``output``."""

    input: Count
    cache_read: Count
    cache_write_5m: Count
    cache_write_1h: Count
    output: Count
    audio_input: Count
    audio_output: Count
    reasoning: Count
    estimated: Count  # of all, counted from text because the log has no usage
    ambiguous: Count  # of all, possibly counted twice by the log


class CategoryRow(msgspec.Struct, kw_only=True, frozen=True):
    category: str
    requests: Count
    cost: Amount | None
    mean_difficulty: Number | None
    unpriced_requests: Count | None = None  # not in the cost; None in documents of versions before 2.4


class Classification(msgspec.Struct, kw_only=True, frozen=True):
    scored: Count
    inherited: Count
    abstained: Count
    by_category: list[CategoryRow]
    abstentions: list[ReasonCount]


class Input(msgspec.Struct, kw_only=True, frozen=True):
    path: str
    sha256: str
    bytes: Count
    records: Count
    format: str


class QualityCheck(msgspec.Struct, kw_only=True, frozen=True):
    """One check of the data's quality, worst first. ``level``: ok, note or warning."""

    check: str
    level: str
    count: Count
    share: Number | None
    message: str


class Fingerprints(msgspec.Struct, kw_only=True, frozen=True):
    prices: str
    policy: str
    classifier: str
    config: str
    ledger: str
