"""Parts of the audit document that say what was read, used and paid. See ``document`` for their conventions."""

from __future__ import annotations

import msgspec


class Tool(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    version: str


class Period(msgspec.Struct, kw_only=True, frozen=True):
    """First and last request's time; ``None`` where no record has one."""

    start: str | None
    end: str | None
    days: int  # calendar days with requests
    timezone: str
    undated_requests: int


class Requests(msgspec.Struct, kw_only=True, frozen=True):
    """Every record read: ``read = audited + duplicates + not_provider_calls + rejected + out_of_period``."""

    read: int
    audited: int
    duplicates: int
    not_provider_calls: int
    rejected: int
    out_of_period: int = 0  # requests that ``--since`` and ``--until`` leave out


class Example(msgspec.Struct, kw_only=True, frozen=True):
    file: str
    line: int


class RejectedReason(msgspec.Struct, kw_only=True, frozen=True):
    reason: str
    count: int
    examples: list[Example]


class ReasonCount(msgspec.Struct, kw_only=True, frozen=True):
    reason: str
    count: int


class Tokens(msgspec.Struct, kw_only=True, frozen=True):
    """Sums of disjoint token types; ``reasoning`` is a subset of ``output``."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    audio_input: int
    audio_output: int
    reasoning: int
    estimated: int  # of all, counted from text because the log has no usage
    ambiguous: int  # of all, possibly counted twice by the log


class Cost(msgspec.Struct, kw_only=True, frozen=True):
    actual: str
    priced_requests: int
    unpriced_requests: int
    by_token_type: dict[str, str]  # token types and "per_call"
    stated: str | None  # what the log itself says, over the requests that say it
    stated_requests: int
    estimated: str  # the part of actual that rests on estimated tokens
    ambiguous: str  # by how much actual may be too high because of ambiguous tokens


class ModelMix(msgspec.Struct, kw_only=True, frozen=True):
    provider: str
    model: str
    tier: str  # small, mid, frontier or unknown
    requests: int
    request_share: float
    tokens: int
    token_share: float
    cost: str | None
    cost_share: float | None


class DailyMix(msgspec.Struct, kw_only=True, frozen=True):
    date: str
    model: str
    provider: str
    tier: str
    requests: int
    tokens: int
    cost: str | None


class Day(msgspec.Struct, kw_only=True, frozen=True):
    """One day; costs are ``None`` where no request has a price, and such a tier is absent."""

    date: str
    requests: int
    tokens: int
    cost: str | None
    policy_cost: str | None
    cost_by_tier: dict[str, str]


class CategoryRow(msgspec.Struct, kw_only=True, frozen=True):
    category: str
    requests: int
    cost: str | None
    mean_difficulty: float | None


class Classification(msgspec.Struct, kw_only=True, frozen=True):
    scored: int
    inherited: int
    abstained: int
    by_category: list[CategoryRow]
    abstentions: list[ReasonCount]


class GroupRow(msgspec.Struct, kw_only=True, frozen=True):
    """One team, app, model, template, category or environment, most cost first; without any price, no amounts."""

    name: str
    requests: int
    tokens: int
    cost: str | None
    cost_share: float | None
    policy_cost: str | None
    flagship_tax: str | None
    unpriced_requests: int
    moved_requests: int


class Spend(msgspec.Struct, kw_only=True, frozen=True):
    """One team's use of one model through one app, most cost first; "" where the log names no team or app."""

    team: str
    app: str
    provider: str
    model: str
    tier: str
    requests: int
    tokens: int
    cost: str | None


class UnpricedModel(msgspec.Struct, kw_only=True, frozen=True):
    provider: str
    model: str
    requests: int
    tokens: int
    reason: str


class PriceRow(msgspec.Struct, kw_only=True, frozen=True):
    """A price row used, in dollars per million tokens as decimal strings."""

    provider: str
    model: str
    service_tier: str
    since: str | None  # effective date, where the source has one
    context_from: int  # applies from this many input tokens in a request
    rates: dict[str, str]
    source: str  # genai-prices, overlay, user file
    matched: str  # the source's own id of the model
    requests: int


class Reconciliation(msgspec.Struct, kw_only=True, frozen=True):
    """Stated against computed cost, by model, largest difference first."""

    provider: str
    model: str
    requests: int
    stated: str
    computed: str
    difference: str
    reason: str


class Input(msgspec.Struct, kw_only=True, frozen=True):
    path: str
    sha256: str
    bytes: int
    records: int
    format: str


class QualityCheck(msgspec.Struct, kw_only=True, frozen=True):
    """One check of the data's quality, worst first. ``level``: ok, note or warning."""

    check: str
    level: str
    count: int
    share: float | None
    message: str


class Metric(msgspec.Struct, kw_only=True, frozen=True):
    """A figure that gates can hold, with the standard error of its cluster sampling.

    ``name`` may carry a selector, such as ``cost_per_request[team=search]``.
    """

    name: str
    unit: str  # USD, share or count
    value: float
    stderr: float | None  # None where nothing was sampled, such as a share of records rejected
    requests: int
    clusters: int


class BasisRow(msgspec.Struct, kw_only=True, frozen=True):
    """Basis of comparisons: sums within one price row, so that pricing a sum again is exact."""

    provider: str
    model: str
    tier: str
    service_tier: str
    context_from: int
    since: str | None
    first_day: str | None
    team: str | None
    app: str | None
    requests: int
    tokens: dict[str, int]  # disjoint token types
    cost_by_type: dict[str, str]  # token types and "per_call"
    policy_cost: str


class Fingerprints(msgspec.Struct, kw_only=True, frozen=True):
    prices: str
    policy: str
    classifier: str
    config: str
    ledger: str
