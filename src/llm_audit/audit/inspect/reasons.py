"""The reasons why a policy takes a candidate model or refuses it, as one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.policy import ANSWERS, CandidateFigures, Decision, Policy
from llm_audit.vocabulary import Category, Stakes


def chosen_because(one: CandidateFigures) -> str:
    """Say what the chosen candidate loses, and how often it succeeds."""
    return f"{_lost(one.loss)}, succeeds on {one.p_success:.0%}"


def refused_because(one: CandidateFigures, policy: Policy, *, category: Category, stakes: Stakes | None) -> str:
    """Say every reason why a candidate was not chosen."""
    if one.gate:
        return f"{one.model} is blocked by {one.gate.replace('_', ' ')}"
    reasons = [
        *_harm(one, policy, category, stakes),
        *_price(one, policy),
        *_preference(one, policy, category),
    ] or [f"suffices with probability {one.p_suffices:.0%}, which the policy does not accept"]
    *others, last = reasons
    return f"{one.model} {', '.join(others)}{' and ' if others else ''}{last}"


def _harm(one: CandidateFigures, policy: Policy, category: Category, stakes: Stakes | None) -> Iterator[str]:
    """Yield the limits on lost answers and on success that a candidate breaks, or the stricter ones of stakes."""
    limit = policy.stakes.get(stakes) if stakes else None
    note = f" with {stakes} stakes" if stakes else ""
    if limit is not None and limit.keep:
        yield f"may not replace the model used{note}"
    by_quality = policy.decision is Decision.QUALITY_LOSS
    most = (policy.max_quality_loss[category.value] if by_quality else float(ANSWERS), "")
    least = (policy.min_success if by_quality else 0.0, "")
    if limit is not None:
        most = min(most, (most[0] if limit.max_quality_loss is None else limit.max_quality_loss, note))
        least = max(least, (limit.min_success or 0.0, note))
    lost = one.loss * _missed(policy)
    if lost * ANSWERS > most[0]:
        yield f"{_lost(lost)} (at most {most[0]:g}{most[1]})"
    if one.p_success < least[0]:
        yield f"succeeds on {one.p_success:.0%} (at least {least[0]:.0%}{least[1]})"


def _price(one: CandidateFigures, policy: Policy) -> Iterator[str]:
    """Yield that a candidate does not suffice often enough, or costs more in the end."""
    if policy.decision is Decision.P_SUFFICES and policy.target is not None:
        suffices = 1 - _missed(policy) * (1 - one.p_suffices)
        if suffices < policy.target:
            yield f"suffices with probability {suffices:.2%} (at least {policy.target:.2%})"
    if policy.decision in (Decision.QUALITY_LOSS, Decision.P_SUFFICES) and not one.pays:
        yield "saves less than its repeats and lost answers cost"


def _preference(one: CandidateFigures, policy: Policy, category: Category) -> Iterator[str]:
    """Yield that more readers prefer the model used than the policy accepts."""
    limit = policy.max_preference_gap.get(category.value)
    if limit is not None and one.preference is None:
        yield "was rated by no readers"
    elif limit is not None and one.preference is not None and one.preference.share * ANSWERS > limit:
        yield f"is preferred less by {one.preference.share:.0%} of readers (at most {limit:g}%)"


def _missed(policy: Policy) -> float:
    """Return the share of lost answers that the policy's check does not find."""
    return 1.0 if policy.cascade is None else 1 - policy.cascade.recall


def _lost(share: float) -> str:
    return f"loses {max(share, 0) * ANSWERS:.1f} answers in 100"
