"""Parts of the audit document that say what a policy would change. See ``document`` for their conventions."""

from __future__ import annotations

import msgspec

from llm_audit.document.values import Amount, Count, Number


class Estimate(msgspec.Struct, kw_only=True, frozen=True):
    """Actual minus policy cost. ``share`` is of the actual cost of priced requests; both may be negative.

    All are None where no priced request could be judged and routed: what is not known is not zero.
    """

    amount: Amount | None
    share: Number | None
    policy_cost: Amount | None


class IntervalPart(msgspec.Struct, kw_only=True, frozen=True):
    """The interval that one source of error would give by itself: sampling, model, assumptions or price."""

    source: str
    low: Amount
    high: Amount


FEW_CLUSTERS = 30
"""Below this many clusters an interval by resampling is too narrow to rely on."""


class Expected(Estimate, kw_only=True, frozen=True):
    """The headline, with its interval. ``low`` and ``high`` are amounts, never clamped at zero."""

    low: Amount | None
    high: Amount | None
    share_low: Number | None
    share_high: Number | None
    confidence: Number
    clusters: Count
    resamples: Count
    parts: list[IntervalPart] = []

    @property
    def rests_on_few(self) -> bool:
        """Whether its interval is too narrow to rely on, and the headline with it."""
        return 0 < self.clusters < FEW_CLUSTERS


class Quality(msgspec.Struct, kw_only=True, frozen=True):
    """Answers expected to change for the worse or the better, beyond what a second run of the model used would.

    ``lost_per_1000`` is of a thousand moved requests, with an interval at the confidence of the headline;
    ``saved_per_lost_answer`` is the expected tax for each lost answer, None where none is lost.
    """

    lost_answers: Number
    gained_answers: Number
    lost_per_1000: Number
    lost_per_1000_low: Number
    lost_per_1000_high: Number
    saved_per_lost_answer: Amount | None


class PreferenceGap(msgspec.Struct, kw_only=True, frozen=True):
    """The share of readers who would prefer the answers of the model used, net of those who would prefer the route's.

    The mean over the moved requests whose two models were both rated, with its 90% interval; None where there are none.
    """

    gap: Number | None
    low: Number | None
    high: Number | None
    known_requests: Count
    moved_requests: Count


class Unmeasured(msgspec.Struct, kw_only=True, frozen=True):
    """A further saving if models that nobody measured in the request's category hold up. Never in the headline."""

    amount: Amount
    requests: Count
    models: list[str]


class FlagshipTax(msgspec.Struct, kw_only=True, frozen=True):
    ceiling: Estimate
    expected: Expected
    floor: Estimate
    covered_cost: Amount | None  # actual cost of the requests that the policy could judge and route, moved or not
    covered_share: Number | None
    moved_requests: Count
    quality: Quality | None  # None where nothing moves, or the loss of a move is unknown
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
    requests: Count
    cost: Amount | None
    cost_share: Number | None


class Route(msgspec.Struct, kw_only=True, frozen=True):
    """Priced requests moved (or kept, ``from_model == to_model``), most saved dollars first.

    The models are called from and to in JSON.
    """

    from_model: str = msgspec.field(name="from")
    to_model: str = msgspec.field(name="to")
    requests: Count
    actual_cost: Amount
    policy_cost: Amount
    p_suffices: Number | None  # mean over the requests
    preference: PreferenceGap | None = None  # None where the requests are kept


class Gate(msgspec.Struct, kw_only=True, frozen=True):
    reason: str  # context_window, max_output, vision, audio, tools, json_schema, reasoning, unknown_vision …
    requests: Count
    cost: Amount  # what the requests cost
    kept_back: Amount  # the saving the gate forgoes, at the ceiling's arithmetic


class FrontierPoint(msgspec.Struct, kw_only=True, frozen=True):
    """One value of what the policy decides by: expected cost against answers expected to be lost."""

    target: Number
    policy_cost: Amount
    flagship_tax: Amount
    share: Number | None
    moved_requests: Count
    lost_answers: Number | None
    gained_answers: Number | None
    in_use: bool


class TornadoBar(msgspec.Struct, kw_only=True, frozen=True):
    """One assumption moved to its low and high end, widest first."""

    assumption: str
    low_value: str
    high_value: str
    tax_at_low: Amount
    tax_at_high: Amount


class Sensitivity(msgspec.Struct, kw_only=True, frozen=True):
    frontier: list[FrontierPoint]
    tornado: list[TornadoBar]


class TraceRouting(msgspec.Struct, kw_only=True, frozen=True):
    """Routing each request by itself against routing each trace as a whole, risk downstream counted in both.

    Amounts are expected taxes over all requests. ``risk``: what answers expected to be lost make run again, with all
    that depends on them.
    """

    traces: Count
    requests: Count
    decisions: Count  # a tool loop, and siblings of one template, are one
    inferred_edges: Count  # known by a repeated text or the conversation's order only
    per_request: Amount
    per_trace: Amount
    risk_per_request: Amount
    risk_per_trace: Amount


class BreakEven(msgspec.Struct, kw_only=True, frozen=True):
    """The value of an assumption at which the policy stops paying; None where it pays at any."""

    assumption: str  # extra_steps, escalation, or escalation_rate of a cascade
    assumed: Number
    break_even: Number | None
    detail: str


class ObservedPair(msgspec.Struct, kw_only=True, frozen=True):
    """One template that the log shows on two models: what was observed, beside what the model says.

    Ratios are of the cheaper to the costlier model's means per request.
    """

    template: str
    app: str
    costlier: str
    cheaper: str
    requests_costlier: Count
    requests_cheaper: Count
    observed_cost_ratio: Number | None
    observed_output_ratio: Number | None
    expected_cost_ratio: Number | None  # of the costlier model's requests that the policy moves to the cheaper


class ObservedRouter(msgspec.Struct, kw_only=True, frozen=True):
    """A router observed in the log, such as a Bedrock prompt router, and its saving against its most expensive model.

    The log does not name the fallback: the most expensive model served stands for it. Amounts are at the same tokens.
    """

    router: str
    fallback: str
    requests: Count
    requests_elsewhere: Count  # served by another model than the fallback
    actual_cost: Amount
    fallback_cost: Amount
    saved: Amount
    saved_share: Number | None


class PolicyResult(msgspec.Struct, kw_only=True, frozen=True):
    """One of several policies on the same requests.

    Amounts are None where the policy could judge and route none of the priced requests.
    """

    name: str
    target: Number | None
    policy_cost: Amount | None
    flagship_tax: Amount | None
    share: Number | None
    ladder_share: Number | None = None  # of the cost of the requests whose models are in its ladders
    ceiling: Amount | None
    floor: Amount | None
    moved_requests: Count
    lost_answers: Number | None  # beyond a second run of the model used; None where nothing moves or a loss is unknown
    gained_answers: Number | None
    saved_per_lost_answer: Amount | None
    preference: PreferenceGap | None = None  # None where nothing moves
    reason: str | None  # why nothing moves
    in_use: bool


class PolicyInfo(msgspec.Struct, kw_only=True, frozen=True):
    """``target`` is the number that ``decision`` compares: of limits by category the largest; None where none."""

    name: str
    decision: str  # quality_loss, p_suffices, strong_wins, quality_difference, always, never
    target: Number | None
    ladders: dict[str, list[str]]  # ladder name to models, cheapest first
    assumptions: dict[str, str]
    gates: list[str]
    toml: str

    @property
    def routes_any(self) -> bool:
        """Whether any request may be routed elsewhere; a policy that never does needs no judgement."""
        return self.decision != "never"
