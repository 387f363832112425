"""Results of a comparison and of its gates: the types that reports render.

Amounts are decimal strings of dollars, shares fractions of one, as in ``audit.document``.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """Result of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"  # the requests are too few, or too noisy, to tell
    NOT_EVALUATED = "not_evaluated"  # there is nothing to evaluate, or nothing to compare with


class InconclusiveIs(StrEnum):
    """What an inconclusive rule counts as."""

    PASSED = "pass"
    WARNING = "warn"
    FAILURE = "fail"


class Side(msgspec.Struct, kw_only=True, frozen=True):
    """One side of a comparison."""

    label: str  # its file or paths
    start: str | None
    end: str | None
    requests: int  # audited
    priced_requests: int  # those that cost and flagship tax are of
    cost: str  # priced with the one table both sides share
    flagship_tax: str | None  # None where no priced request could be judged and routed
    flagship_tax_share: float | None


class Part(msgspec.Struct, kw_only=True, frozen=True):
    """One part of the change in cost. The parts add up exactly to ``head.cost - base.cost``.

    ``name``: volume, model_mix, tokens_per_request, cache or price.
    """

    name: str
    amount: str


class GroupChange(msgspec.Struct, kw_only=True, frozen=True):
    """The change of one group, largest first by its absolute amount."""

    group: str  # model, team, app …
    name: str
    base_cost: str
    head_cost: str
    change: str
    base_flagship_tax: str | None  # None where none of it could be judged and routed
    head_flagship_tax: str | None


class MetricChange(msgspec.Struct, kw_only=True, frozen=True):
    """A metric on both sides. ``low`` and ``high`` bound the change at the confidence asked for."""

    metric: str
    unit: str  # USD, share or count
    base: float | None
    head: float | None
    change: float | None
    low: float | None
    high: float | None


class Comparison(msgspec.Struct, kw_only=True, frozen=True):
    """Two audits side by side."""

    base: Side
    head: Side
    change: str
    parts: list[Part]
    tax_parts: list[Part]  # the flagship tax: volume, model_mix, per_request; none where it is unknown on a side
    groups: list[GroupChange]
    metrics: list[MetricChange]
    realised: str | None  # the saving seen in unit cost, where the base had estimated one
    estimated: str | None  # the saving the base's policy promised for the head's volume
    notes: list[str]


class Rule(msgspec.Struct, kw_only=True, frozen=True):
    """One rule and what became of it. ``message`` is a sentence that says why, naming what moved."""

    rule: str  # as the user wrote it, such as "cost_per_request:+10%"
    outcome: Outcome
    message: str
    base: float | None
    head: float | None
    threshold: float
    unit: str
    source: str | None  # file that holds the rule, for annotations
    line: int | None
    change_unit: str | None = None  # of the changes below: percent (of the baseline), points, USD or count
    low: float | None = None  # interval of the change, in the unit of the threshold
    high: float | None = None
    smallest_change: float | None = None  # that these requests could have shown, of an inconclusive rule
    requests_needed: int | None = None  # that would show the threshold; of each side where the baseline is too small


class CheckResult(msgspec.Struct, kw_only=True, frozen=True):
    """Result of ``llm-audit check``."""

    rules: list[Rule]
    comparison: Comparison | None  # None where no baseline was given
    failed: int
    passed: int
    not_evaluated: int
    inconclusive: int = 0
    inconclusive_is: InconclusiveIs = InconclusiveIs.WARNING

    @property
    def failures(self) -> int:
        """Return how many rules fail the check."""
        return self.failed + (self.inconclusive if self.inconclusive_is is InconclusiveIs.FAILURE else 0)
