"""The audit document: the one result every report renders, and the JSON that machines read.

``Document`` is both the type and the schema (``msgspec.json.schema`` publishes it). Amounts are decimal strings of
the document's currency (``money.usd``), shares are fractions of one rounded to 6 decimals, times are ISO 8601 in the
document's time zone, dates ISO dates. ``None`` is unknown. Lists are sorted as each field says, so the same input
gives the same bytes. Nothing here is prompt or completion text; names (models, teams, apps) come from the log and must
be escaped by every renderer.
"""

from __future__ import annotations

import msgspec

SCHEMA_VERSION = "1.0"


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


class Estimate(msgspec.Struct, kw_only=True, frozen=True):
    """Actual minus policy cost. ``share`` is of the actual cost of priced requests; both may be negative."""

    amount: str
    share: float | None
    policy_cost: str


class IntervalPart(msgspec.Struct, kw_only=True, frozen=True):
    """The interval that one source of error would give by itself: sampling, model or price."""

    source: str
    low: str
    high: str


class Expected(Estimate, kw_only=True, frozen=True):
    """The headline, with its interval. ``low`` and ``high`` are amounts, never clamped at zero."""

    low: str
    high: str
    share_low: float | None
    share_high: float | None
    confidence: float
    clusters: int
    resamples: int
    parts: list[IntervalPart] = []


class FlagshipTax(msgspec.Struct, kw_only=True, frozen=True):
    ceiling: Estimate
    expected: Expected
    floor: Estimate
    covered_cost: str  # actual cost of the requests that the policy could judge and route, moved or not
    covered_share: float | None
    moved_requests: int
    expected_failures: float | None  # moved requests expected to lose a success
    warnings: list[str]


class Coverage(msgspec.Struct, kw_only=True, frozen=True):
    """Requests and dollars by what the policy could do with them, most dollars first.

    ``outcome``: moved, sufficed_by_none (kept: no cheaper model reaches the target), already_cheapest, gated,
    abstained, unpriced, not_in_ladder, not_chat.
    """

    outcome: str
    requests: int
    cost: str
    cost_share: float | None


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
    date: str
    requests: int
    tokens: int
    cost: str
    policy_cost: str
    cost_by_tier: dict[str, str]


class Route(msgspec.Struct, kw_only=True, frozen=True):
    """Requests moved (or kept, ``from_model == to_model``), most saved dollars first. Renamed to from/to in JSON."""

    from_model: str = msgspec.field(name="from")
    to_model: str = msgspec.field(name="to")
    requests: int
    actual_cost: str
    policy_cost: str
    p_suffices: float | None  # mean over the requests


class CategoryRow(msgspec.Struct, kw_only=True, frozen=True):
    category: str
    requests: int
    cost: str
    mean_difficulty: float | None


class Classification(msgspec.Struct, kw_only=True, frozen=True):
    scored: int
    inherited: int
    abstained: int
    by_category: list[CategoryRow]
    abstentions: list[ReasonCount]


class Gate(msgspec.Struct, kw_only=True, frozen=True):
    reason: str  # context_window, max_output, vision, audio, tools, json_schema, reasoning, unknown_vision …
    requests: int
    cost: str  # what the requests cost
    kept_back: str  # the saving the gate forgoes, at the ceiling's arithmetic


class GroupRow(msgspec.Struct, kw_only=True, frozen=True):
    """One team, app, model, template, category or environment, most cost first."""

    name: str
    requests: int
    tokens: int
    cost: str
    cost_share: float | None
    policy_cost: str
    flagship_tax: str
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


class Finding(msgspec.Struct, kw_only=True, frozen=True):
    """Something worth acting on, most dollars first."""

    kind: str  # route_template, route_app, route_model …
    title: str
    detail: str
    action: str
    amount: str
    low: str | None
    high: str | None
    requests: int
    subject: str  # the template, app or model it is about
    p_suffices: float | None


class Waste(msgspec.Struct, kw_only=True, frozen=True):
    """Waste beside routing, most dollars first. Counted in sequence: no request's dollars are in two rows."""

    kind: str  # failed_requests, retries, repeated_prompts, cache_never_used, cache_written_unread, runaway_output …
    title: str
    detail: str
    amount: str
    requests: int


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


class FrontierPoint(msgspec.Struct, kw_only=True, frozen=True):
    """One target of the policy: expected cost against expected failures."""

    target: float
    policy_cost: str
    flagship_tax: str
    share: float | None
    moved_requests: int
    expected_failures: float | None
    in_use: bool


class TornadoBar(msgspec.Struct, kw_only=True, frozen=True):
    """One assumption moved to its low and high end, widest first."""

    assumption: str
    low_value: str
    high_value: str
    tax_at_low: str
    tax_at_high: str


class Sensitivity(msgspec.Struct, kw_only=True, frozen=True):
    frontier: list[FrontierPoint]
    tornado: list[TornadoBar]


class TraceRouting(msgspec.Struct, kw_only=True, frozen=True):
    """Routing each request by itself against routing each trace as a whole, risk downstream counted in both.

    Amounts are expected taxes over all requests. ``risk``: what answers expected to be lost make run again, with all
    that depends on them.
    """

    traces: int
    requests: int
    decisions: int  # a tool loop, and siblings of one template, are one
    inferred_edges: int  # known by the conversation's order only
    per_request: str
    per_trace: str
    risk_per_request: str
    risk_per_trace: str


class BreakEven(msgspec.Struct, kw_only=True, frozen=True):
    """The value of an assumption at which the policy stops paying; None where it pays at any."""

    assumption: str  # extra_steps, escalation, or escalation_rate of a cascade
    assumed: float
    break_even: float | None
    detail: str


class ObservedPair(msgspec.Struct, kw_only=True, frozen=True):
    """One template that the log shows on two models: what was observed, beside what the model says.

    Ratios are of the cheaper to the dearer model's means per request.
    """

    template: str
    app: str
    dearer: str
    cheaper: str
    requests_dearer: int
    requests_cheaper: int
    observed_cost_ratio: float | None
    observed_output_ratio: float | None
    expected_cost_ratio: float | None  # of the dearer model's requests that the policy moves to the cheaper


class PolicyResult(msgspec.Struct, kw_only=True, frozen=True):
    """One of several policies on the same requests."""

    name: str
    target: float | None
    policy_cost: str
    flagship_tax: str
    share: float | None
    ceiling: str
    floor: str
    moved_requests: int
    expected_failures: float | None
    in_use: bool


class PolicyInfo(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    target: float | None
    ladders: dict[str, list[str]]  # ladder name to models, cheapest first
    assumptions: dict[str, str]
    gates: list[str]
    toml: str


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
    """What two audits are compared by: sums within one price row, so that pricing a sum again is exact."""

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


class Document(msgspec.Struct, kw_only=True, frozen=True):
    """One audit."""

    schema_version: str
    tool: Tool
    command: str  # the command that reproduces it
    period: Period
    currency: str
    currency_note: str | None
    requests: Requests
    rejected: list[RejectedReason]
    not_provider_calls: list[ReasonCount]
    tokens: Tokens
    cost: Cost
    flagship_tax: FlagshipTax
    coverage: list[Coverage]
    model_mix: list[ModelMix]
    model_mix_daily: list[DailyMix]
    daily: list[Day]
    routes: list[Route]
    classification: Classification
    gates: list[Gate]
    groups: dict[str, list[GroupRow]]  # by team, app, model, category, template, environment; and --group-by
    spend: list[Spend] = msgspec.field(default_factory=list)
    findings: list[Finding]
    waste: list[Waste]
    unpriced_models: list[UnpricedModel]
    reconciliation: list[Reconciliation]
    price_rows: list[PriceRow]
    sensitivity: Sensitivity
    policy: PolicyInfo
    quality: list[QualityCheck]
    warnings: list[str]
    inputs: list[Input]
    fingerprints: Fingerprints
    trace_routing: TraceRouting | None = None
    break_even: list[BreakEven] = []
    observed_pairs: list[ObservedPair] = []  # most requests first
    policies: list[PolicyResult] = []  # where several are simulated, in the order asked for
    metrics: list[Metric] = []
    basis: list[BasisRow] = []


def encode(document: Document) -> bytes:
    """The document as indented JSON with a closing newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def decode(data: bytes) -> Document:
    """Read a document back. Raises ``msgspec.DecodeError`` where it is none."""
    return msgspec.json.decode(data, type=Document)
