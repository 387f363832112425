"""The explanations of one request and of a text; amounts are exact decimals in text."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, kw_only=True, frozen=True):
    """Tokens of one type at a rate; ``rate_usd_per_mtok`` is None where the model has no price for them."""

    kind: str
    tokens: int
    rate_usd_per_mtok: str | None
    cost_usd: str


class Candidate(msgspec.Struct, kw_only=True, frozen=True):
    """A model of the ladder as the policy saw it, in the ladder's order.

    ``lost_in_100`` is the answers lost in 100 beyond a second run of the model used, negative for a better model.
    ``preference_gap`` is the share of readers who prefer the model used, net of those who prefer this one, with its 90%
    interval; None where one of both was not rated. ``gate`` is the first that blocks it, where it meets the policy;
    ``cost_usd`` is at the same tokens.
    """

    model: str
    ability: float
    p_success: float
    p_suffices: float
    lost_in_100: float
    preference_gap: float | None
    preference_low: float | None
    preference_high: float | None
    cost_usd: str
    meets: bool
    gate: str | None
    chosen: bool


class Estimate(msgspec.Struct, kw_only=True, frozen=True):
    """The policy's cost of the request under one set of assumptions, by part.

    ``mean_step_usd`` is the mean cost of its trace's ``agent_steps`` under the policy, at which further steps are
    billed; None where it is no step of a tool loop that moves.
    """

    name: str
    lines: list[Line]
    per_call_usd: str
    run_usd: str
    check_usd: str
    escalation_usd: str
    extra_steps_usd: str
    total_usd: str
    p_suffices: float | None
    agent_steps: int
    mean_step_usd: str | None
    assumptions: dict[str, float]


class RequestExplanation(msgspec.Struct, kw_only=True, frozen=True):
    """Why a request was judged, routed and priced as it was."""

    request: str
    file: str
    line: int
    time: str | None
    provider: str | None
    model: str | None
    model_id: str | None
    price_provider: str | None  # at which the price was found; it may be that of the model, where the log has none
    price_source: str | None
    unpriced_reason: str | None
    category: str | None
    difficulty: float | None
    judged: str | None
    abstention: str | None
    stakes: str | None
    stakes_limit: str | None  # what the policy asks of its route besides, in words
    used_ability: float | None
    actual_lines: list[Line]
    per_call_usd: str
    actual_usd: str | None
    outcome: str
    route: str | None
    decision: str
    decided_by: float | None
    candidates: list[Candidate]
    cache_reads_logged: int
    cache_reads_kept: int
    tokenizer_ratio: float
    measured_output_ratio: float | None
    measured_reasoning_ratio: float | None
    reasoning_tokens: int
    estimates: list[Estimate]


class Contribution(msgspec.Struct, kw_only=True, frozen=True):
    """One thing that moved a text's difficulty, and by how many logits."""

    text: str
    logits: float


class KnownExample(msgspec.Struct, kw_only=True, frozen=True):
    """A task of a published set near a text's difficulty, in words; ``level`` is the set's, in logits."""

    comparison: str
    example: str
    level: float


class FamilyChoice(msgspec.Struct, kw_only=True, frozen=True):
    """The model of a family that a policy gives a text to, in place of its flagship ``used``, and why."""

    family: str
    used: str
    model: str
    moves: bool
    reason: str


class PromptExplanation(msgspec.Struct, kw_only=True, frozen=True):
    """How a text was judged, and the models that suffice for it.

    ``difficulty`` is None where it was not judged, for the reason in ``abstention``. ``kinds`` are kinds of task with
    their shares. ``reasons`` add up to the difficulty; ``words`` count most within the reason they belong to.
    """

    summary: str
    category: str
    language: str | None
    stakes: str | None
    difficulty: float | None
    abstention: str | None
    example: KnownExample | None
    policy: str
    choices: list[FamilyChoice]
    kinds: dict[str, float]
    reasons: list[Contribution]
    words: list[Contribution]
