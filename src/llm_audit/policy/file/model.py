"""A policy: the models it may choose, what it asks of them, and what it assumes of a switch."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np

from llm_audit.arrays import Floats
from llm_audit.vocabulary import Category, Stakes

ANSWERS = 100
"""Quality losses are stated in answers of a hundred."""

READERS = 100
"""Preference gaps are bounded in readers of a hundred."""

_CATEGORIES = tuple(category.value for category in Category)


class Decision(StrEnum):
    """A way to decide between the models of a ladder."""

    QUALITY_LOSS = "quality_loss"  # the first model that loses few answers and pays for those it loses
    P_SUFFICES = "p_suffices"  # the first model whose P(suffices) reaches ``target``
    STRONG_WINS = "strong_wins"  # RouteLLM: weak unless P(strong wins) reaches ``threshold``
    QUALITY_DIFFERENCE = "quality_difference"  # Bedrock: small unless P(large) - P(small) exceeds it
    ALWAYS = "always"  # the first model that passes the gates
    NEVER = "never"  # every request keeps its model


class Order(StrEnum):
    """The order in which candidates are cheaper than each other."""

    LADDER = "ladder"  # the ladder's own order
    COST = "cost"  # what this request's tokens would cost


class Scope(StrEnum):
    """The requests that one decision covers."""

    REQUEST = "request"
    TRACE = "trace"  # tool loops decide once, and the routes of a trace are chosen together


class Gate(StrEnum):
    """A capability that is checked before quality, in the order of checking."""

    CONTEXT_WINDOW = "context_window"
    MAX_OUTPUT = "max_output"
    VISION = "vision"
    AUDIO = "audio"
    TOOLS = "tools"
    JSON_SCHEMA = "json_schema"
    REASONING = "reasoning"


class Range(msgspec.Struct, kw_only=True, frozen=True):
    """An assumption: its likeliest value, and the ends that favour and disfavour a switch."""

    favourable: float
    expected: float
    pessimistic: float


class Cascade(msgspec.Struct, kw_only=True, frozen=True):
    """Try the small model, check its answer, escalate where the check fails; both are paid.

    ``recall`` is the share of bad answers that the check finds, ``false_alarm`` the share of good ones it rejects.
    """

    check_usd: float
    recall: float
    false_alarm: float


class StakesLimit(msgspec.Struct, kw_only=True, frozen=True):
    """What a policy asks of a route where a wrong answer could do harm, besides what it asks of every route.

    Attributes:
        keep: Whether the request keeps its model.
        max_quality_loss: Most answers in 100 that the route may lose; None for no limit of its own.
        min_success: Least P(success) of the route; None likewise.
    """

    keep: bool
    max_quality_loss: float | None
    min_success: float | None


class Assumptions(msgspec.Struct, kw_only=True, frozen=True):
    """Effects of a switch of model, each as a range; ``docs/method.md`` gives the sources.

    Attributes:
        output_ratio: Visible output tokens of the route by those of the model used, where neither is measured.
        reasoning_ratio: The same for reasoning tokens, where the route reasons too.
        added_reasoning: Reasoning tokens a visible one, where the route reasons by itself and the model used did not.
        tokenizer_ratio: A factor on measured tokenizer ratios.
        extra_steps: Steps that an agent adds for each step that is moved.
        escalation: Share of the answers expected to be lost that are asked again of the model used.
        cache_kept: Share of the simulated warm cache reads that come true.
        ability_shift: Added to the route's ability, in standard deviations of it.
        output_ratios: A user's own measured output ratios, by "used>route" of canonical model ids.
        difficulty_sd: Standard deviation of an error that the difficulties of a category share, for resampling.
        difficulty_common_sd: The same for an error that all difficulties share.
    """

    output_ratio: Range
    reasoning_ratio: Range
    added_reasoning: Range
    tokenizer_ratio: Range
    extra_steps: Range
    escalation: Range
    cache_kept: Range
    ability_shift: Range
    output_ratios: dict[str, float]
    difficulty_sd: float
    difficulty_common_sd: float


DIFFICULTY_SD = 0.25
"""Default standard deviation of an error that the difficulties of a category share, in logits."""

DIFFICULTY_COMMON_SD = 0.85
"""The same for an error that all difficulties share; ``docs/method.md`` has the coverage that it gives."""

RANGES: tuple[str, ...] = (
    "output_ratio",
    "reasoning_ratio",
    "added_reasoning",
    "tokenizer_ratio",
    "extra_steps",
    "escalation",
    "cache_kept",
    "ability_shift",
)
"""The assumptions that have a favourable and a pessimistic end."""


class Policy(msgspec.Struct, kw_only=True, frozen=True):
    """A routing policy, complete: with the ledger, the catalog and the prices it decides every figure.

    Attributes:
        max_quality_loss: Most answers in 100 that a route may lose beyond a second run of the model used, by category,
            for ``Decision.QUALITY_LOSS``; every category has one.
        min_success: Least P(success) of a route, for ``Decision.QUALITY_LOSS``: where a model often fails, each answer
            must be checked, and a failure that nobody notices has a price too.
        lost_answer_usd: Dollars that one lost answer costs, besides its repeat; a move must save more.
        stakes: Stricter limits by what is at stake, under any decision; none for what is not named.
        max_preference_gap: Most readers in 100, net, who may prefer the model used to a route, by category; an unknown
            gap is above it. A category that is not named is not bounded.
        unmeasured: Whether models without published scores or a calibration in the request's category are candidates.
        target: Least P(suffices), for ``Decision.P_SUFFICES``.
        threshold: Least P(strong wins) that asks for the strong model, for ``Decision.STRONG_WINS``.
        strong_share: Instead of a threshold: the share of strong calls it is calibrated to on the log.
        quality_difference: Largest P(large) - P(small) at which the small model is taken.
        ladders: Models, cheapest first, by name; empty for the catalog's own.
        across_families: Without ladders of its own: every model of the catalog's ladders, not just the family's.
        gates: Gates that are checked; an unknown capability blocks.
        allow_upgrade: Whether a route may cost more than the model used.
        toml: The policy as written.

    Examples:
        >>> policy = llm_audit.load_policy("small-by-default")
        >>> policy.name, policy.decision
        ('small-by-default', <Decision.QUALITY_LOSS: 'quality_loss'>)
    """

    name: str
    description: str
    decision: Decision
    order: Order
    scope: Scope
    max_quality_loss: dict[str, float]
    min_success: float
    lost_answer_usd: float
    stakes: dict[Stakes, StakesLimit]
    max_preference_gap: dict[str, float]
    unmeasured: bool
    target: float | None
    threshold: float | None
    strong_share: float | None
    quality_difference: float | None
    ladders: dict[str, tuple[str, ...]]
    across_families: bool
    gates: frozenset[Gate]
    allow_upgrade: bool
    assumptions: Assumptions
    cascade: Cascade | None
    toml: str
    source: str = ""  # the preset's name or the file's path; empty for a text

    @property
    def routes_any(self) -> bool:
        """Whether any request may be routed elsewhere; a policy that never does needs no judgement."""
        return self.decision is not Decision.NEVER

    def quality_limits(self) -> Floats:
        """Return the most answers in 100 that a route may lose, by index of the category."""
        return np.array([self.max_quality_loss[name] for name in _CATEGORIES])

    def preference_limits(self) -> Floats:
        """Return the largest share of readers, net, who may prefer the model used, by index of the category."""
        return np.array([self.max_preference_gap.get(name, np.inf) / READERS for name in _CATEGORIES])
