"""Parts of the audit document that say what a policy would change. See ``document`` for their conventions."""

from __future__ import annotations

import msgspec


class Estimate(msgspec.Struct, kw_only=True, frozen=True):
    """Actual minus policy cost. ``share`` is of the actual cost of priced requests; both may be negative."""

    amount: str
    share: float | None
    policy_cost: str


class IntervalPart(msgspec.Struct, kw_only=True, frozen=True):
    """The interval that one source of error would give by itself: sampling, model, assumptions or price."""

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


class Quality(msgspec.Struct, kw_only=True, frozen=True):
    """Answers expected to change for the worse or the better, beyond what a second run of the model used would.

    ``lost_per_1000`` is of a thousand moved requests, with an interval at the confidence of the headline;
    ``saved_per_lost_answer`` is the expected tax for each lost answer, None where none is lost.
    """

    lost_answers: float
    gained_answers: float
    lost_per_1000: float
    lost_per_1000_low: float
    lost_per_1000_high: float
    saved_per_lost_answer: str | None


class PreferenceGap(msgspec.Struct, kw_only=True, frozen=True):
    """The share of readers who would prefer the answers of the model used, net of those who would prefer the route's.

    The mean over the moved requests whose two models were both rated, with its 90% interval; None where there are none.
    """

    gap: float | None
    low: float | None
    high: float | None
    known_requests: int
    moved_requests: int


class Unmeasured(msgspec.Struct, kw_only=True, frozen=True):
    """A further saving if models that nobody measured in the request's category hold up. Never in the headline."""

    amount: str
    requests: int
    models: list[str]


class FlagshipTax(msgspec.Struct, kw_only=True, frozen=True):
    ceiling: Estimate
    expected: Expected
    floor: Estimate
    covered_cost: str  # actual cost of the requests that the policy could judge and route, moved or not
    covered_share: float | None
    moved_requests: int
    quality: Quality | None  # None where nothing moves
    preference: PreferenceGap | None = None  # None where nothing moves
    unmeasured: Unmeasured | None  # None where every candidate was measured
    warnings: list[str]


class Coverage(msgspec.Struct, kw_only=True, frozen=True):
    """Requests and dollars by what the policy could do with them, most dollars first.

    ``outcome``: moved, no_capable_model (kept: no cheaper model meets the policy), no_saving (kept: the one that does
    is not expected to cost less), already_cheapest, unmeasured (kept: nobody measured the cheaper models in the
    request's category), not_offered (what is cheaper was not on offer then, or about to be retired), gated, abstained,
    unpriced, not_in_ladder, not_chat.
    """

    outcome: str
    requests: int
    cost: str | None
    cost_share: float | None


class Route(msgspec.Struct, kw_only=True, frozen=True):
    """Priced requests moved (or kept, ``from_model == to_model``), most saved dollars first.

    The models are called from and to in JSON.
    """

    from_model: str = msgspec.field(name="from")
    to_model: str = msgspec.field(name="to")
    requests: int
    actual_cost: str
    policy_cost: str
    p_suffices: float | None  # mean over the requests
    preference: PreferenceGap | None = None  # None where the requests are kept


class Gate(msgspec.Struct, kw_only=True, frozen=True):
    reason: str  # context_window, max_output, vision, audio, tools, json_schema, reasoning, unknown_vision …
    requests: int
    cost: str  # what the requests cost
    kept_back: str  # the saving the gate forgoes, at the ceiling's arithmetic


class Finding(msgspec.Struct, kw_only=True, frozen=True):
    """Something worth acting on: those that share no request first, then those that overlap with them.

    ``requests`` move; ``amount`` is what all of the subject's requests would save together. ``overlaps``: some of
    its requests are in a finding above it too, so that the two amounts do not add up.
    """

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
    overlaps: bool = False


class Waste(msgspec.Struct, kw_only=True, frozen=True):
    """Waste unrelated to routing, most dollars first. Counted in sequence: no request's dollars are in two rows."""

    kind: str  # failed_requests, retries, repeated_prompts, cache_never_used, cache_written_unread, runaway_output …
    title: str
    detail: str
    amount: str
    requests: int


class FrontierPoint(msgspec.Struct, kw_only=True, frozen=True):
    """One value of what the policy decides by: expected cost against answers expected to be lost."""

    target: float
    policy_cost: str
    flagship_tax: str
    share: float | None
    moved_requests: int
    lost_answers: float | None
    gained_answers: float | None
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
    inferred_edges: int  # known by a repeated text or the conversation's order only
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

    Ratios are of the cheaper to the costlier model's means per request.
    """

    template: str
    app: str
    costlier: str
    cheaper: str
    requests_costlier: int
    requests_cheaper: int
    observed_cost_ratio: float | None
    observed_output_ratio: float | None
    expected_cost_ratio: float | None  # of the costlier model's requests that the policy moves to the cheaper


class ObservedRouter(msgspec.Struct, kw_only=True, frozen=True):
    """A router observed in the log, such as a Bedrock prompt router, and its saving against its most expensive model.

    The log does not name the fallback: the most expensive model served stands for it. Amounts are at the same tokens.
    """

    router: str
    fallback: str
    requests: int
    requests_elsewhere: int  # served by another model than the fallback
    actual_cost: str
    fallback_cost: str
    saved: str
    saved_share: float | None


class PolicyResult(msgspec.Struct, kw_only=True, frozen=True):
    """One of several policies on the same requests."""

    name: str
    target: float | None
    policy_cost: str
    flagship_tax: str
    share: float | None
    ladder_share: float | None = None  # of the cost of the requests whose models are in its ladders
    ceiling: str
    floor: str
    moved_requests: int
    lost_answers: float | None  # beyond a second run of the model used; None where nothing moves
    gained_answers: float | None
    saved_per_lost_answer: str | None
    preference: PreferenceGap | None = None  # None where nothing moves
    reason: str | None  # why nothing moves
    in_use: bool


class PolicyInfo(msgspec.Struct, kw_only=True, frozen=True):
    """``target`` is the number that ``decision`` compares: of limits by category the largest; None where none."""

    name: str
    decision: str  # quality_loss, p_suffices, strong_wins, quality_difference, always, never
    target: float | None
    ladders: dict[str, list[str]]  # ladder name to models, cheapest first
    assumptions: dict[str, str]
    gates: list[str]
    toml: str
