"""Logs that are declared a sample of all traffic: what scales to it, and the words that say so."""

from __future__ import annotations

from fractions import Fraction


def scale(rate: float) -> Fraction:
    """Return what one logged request stands for, exactly as the rate is written.

    >>> scale(0.0025), scale(1.0)
    (Fraction(400, 1), Fraction(1, 1))
    """
    return 1 / Fraction(str(rate))


def in_words(rate: float) -> str:
    """Write a sampling rate.

    >>> in_words(0.0025), in_words(0.3), in_words(1.0)
    ('1 request in 400', '30% of all requests', 'all requests')
    """
    each = scale(rate)
    if each == 1:
        return "all requests"
    return f"1 request in {int(each):,}" if each.denominator == 1 else f"{rate * 100:.4g}% of all requests"
