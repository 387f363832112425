"""Words for a policy's decision, the number it decides by, its outcomes and the parts of an interval."""

from __future__ import annotations

import msgspec

from llm_audit.document.audit import Document
from llm_audit.report.text import words


class Measure(msgspec.Struct, kw_only=True, frozen=True):
    """The number that a policy decides by: its name, meaning, decimals and unit."""

    name: str
    meaning: str
    decimals: int | None  # None: as many as it has
    unit: str = ""

    def write(self, value: float) -> str:
        """Write a value of it.

        >>> measure("quality_loss").write(2.0), measure("p_suffices").write(0.9)
        ('2', '0.90')
        """
        return f"{value:g}" if self.decimals is None else f"{value:.{self.decimals}f}"


_MEASURES = {
    "quality_loss": Measure(name="limit", meaning="limit: answers lost in 100", decimals=None, unit=" in 100"),
    "p_suffices": Measure(name="target", meaning="target P(suffices)", decimals=2),
    "strong_wins": Measure(name="threshold", meaning="threshold: P(strong wins)", decimals=2),
    "quality_difference": Measure(name="difference", meaning="quality difference", decimals=2),
}
_OTHER = Measure(name="value", meaning="value decided by", decimals=None)

_OUTCOMES = {
    "moved": "moved",
    "no_capable_model": "kept: no cheaper model meets the policy",
    "no_saving": "kept: no move would save money",
    "already_cheapest": "kept: already the cheapest model",
    "not_offered": "kept: cheaper models were not available",
    "unmeasured": "kept: nobody measured the cheaper models",
    "gated": "kept: blocked by a gate",
    "abstained": "kept: not judged",
    "not_in_ladder": "kept: model in no ladder",
    "not_chat": "kept: not a chat request",
    "kept_by_policy": "kept: by the policy",
}
_SOURCES = {
    "sampling": "sampling: which requests were logged",
    "model": "model: difficulties and abilities",
    "assumptions": "assumptions: each within its range",
    "price": "price: uncertain prices",
}


def measure(decision: str) -> Measure:
    """Return the number that a decision compares."""
    return _MEASURES.get(decision, _OTHER)


def measure_of(document: Document) -> Measure:
    """Return the number that the document's policy decides by."""
    return measure(document.policy.decision)


def outcome(name: str) -> str:
    """Write what became of requests under the policy."""
    return _OUTCOMES.get(name, words(name))


def source(name: str) -> str:
    """Write a source of error of the interval."""
    return _SOURCES.get(name, words(name))
