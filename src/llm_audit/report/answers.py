"""Sentences on the answers that a saving is expected to cost, and on the saving that unmeasured models might add."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.document.audit import Document
from llm_audit.report.text import MINUS, count, money, plain, plural

_THOUSAND = 1_000
_HUNDRED = 100
_MODELS = 3
"""Unmeasured models named in a sentence; the rest are counted."""


def number_of(value: float) -> str:
    """Write expected answers or readers: whole from ten on, one decimal below.

    >>> number_of(22.277), number_of(2.04), number_of(1.0), number_of(0.02), number_of(0.0)
    ('22', '2', '1', '<0.1', '0')
    >>> number_of(-6.46) == f"{MINUS}6.5"
    True
    """
    if 0 < value < 0.05:
        return "<0.1"
    rounded = f"{value:,.0f}" if abs(value) >= 9.95 else f"{round(value, 1) + 0.0:g}"
    return rounded.replace("-", MINUS)


def quality(document: Document) -> str:
    """Say how many answers are expected to be lost and gained, and what is saved for each; "" where nothing moves."""
    tax = document.flagship_tax
    if tax.quality is None or not tax.moved_requests:
        return ""
    found = tax.quality
    lost = number_of(found.lost_per_1000)
    low, high, gained = (
        number_of(value)
        for value in (
            found.lost_per_1000_low,
            found.lost_per_1000_high,
            found.gained_answers / tax.moved_requests * _THOUSAND,
        )
    )
    subject = "No answer" if lost == "0" else f"About {lost} answer{'' if lost == '1' else 's'}"
    verb = "is" if lost in {"0", "1"} else "are"
    text = (
        f"{subject} in 1,000 moved requests {verb} expected to be lost beyond a second run of the same model"
        f" ({low} to {high}), {'none' if gained == '0' else gained} gained"
    )
    if found.saved_per_lost_answer is not None and Decimal(found.saved_per_lost_answer) > 0:
        text += f"; {money(found.saved_per_lost_answer, currency=document.currency)} saved for each lost answer"
    return f"{text}."


def preference(document: Document) -> str:
    """Say how many readers would prefer the answers of the models used; "" where nothing moves."""
    found = document.flagship_tax.preference
    if found is None or not found.moved_requests:
        return ""
    moved = plural(found.moved_requests, "moved request")
    if found.gap is None or found.low is None or found.high is None:
        return (
            f"How many readers would prefer the answers of the models used is unknown: none of the {moved} has ratings."
        )
    readers, low, high = (_readers(value) for value in (found.gap, found.low, found.high))
    better = "today's"
    if found.gap < 0:
        better = "the policy's"
        readers, low, high = (_readers(-value) for value in (found.gap, found.high, found.low))
    return (
        f"Of 100 readers, {readers} more would prefer {better} answers ({low} to {high});"
        f" known for {count(found.known_requests)} of {moved}."
    )


def _readers(share: float) -> str:
    """Write a net share of readers, in readers of a hundred.

    >>> _readers(0.1477), _readers(0.0021), _readers(0.05)
    ('15', '0.2', '5')
    """
    return number_of(share * _HUNDRED)


def unmeasured(document: Document) -> str:
    """Say what models that nobody measured would save besides, or "" where they would save nothing."""
    found = document.flagship_tax.unmeasured
    if found is None or not found.models or Decimal(found.amount) <= 0:
        return ""
    amount, one = money(found.amount, currency=document.currency), len(found.models) == 1
    condition = "a model unmeasured on such prompts holds up" if one else "models unmeasured on such prompts hold up"
    return f"A further {amount} if {condition} ({_named(found.models)}), on {plural(found.requests, 'request')}."


def _named(models: list[str]) -> str:
    shown = [plain(model, limit=40) for model in models[:_MODELS]]
    if len(models) > _MODELS:
        shown.append(f"{len(models) - _MODELS:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
