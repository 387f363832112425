"""Figures of gates as words."""

from __future__ import annotations

from decimal import Decimal


def show(value: float, unit: str, *, signed: bool = False) -> str:
    """Write a figure for a sentence.

    Args:
        value: The figure; a share or per cent as a fraction of one.
        unit: USD, share, count, percent (of the baseline) or points (a difference of shares).
        signed: Whether a rise has a plus sign.

    >>> show(0.844, "share"), show(0.2, "percent", signed=True), show(-0.0004, "points", signed=True)
    ('84.4%', '+20.0%', '0.0 pp')
    >>> show(1234.5, "USD"), show(0.00012345, "USD"), show(-3, "USD", signed=True)
    ('$1,234.50', '$0.0001234', '-$3.00')
    >>> show(0.5, "USD"), show(0.00001, "USD"), show(0.999999, "USD")
    ('$0.50', '$0.00001', '$1.00')
    """
    size = abs(value)
    text = _size(size, unit)
    if not any(digit in "123456789" for digit in text):
        return text  # nothing is left of the figure, so it has no sign
    return f"{'-' if value < 0 else '+' if signed else ''}{text}"


def _size(size: float, unit: str) -> str:
    match unit:
        case "share" | "percent":
            return f"{size:.1%}"
        case "points":
            return f"{size * 100:.1f} pp"
        case "USD":
            return f"${size:,.2f}" if size >= 1 or size == 0 else f"${_cents(Decimal(f'{size:.4g}'))}"
        case _:
            return f"{size:,.0f}"


def _cents(amount: Decimal) -> str:
    """Write an amount in full, without an exponent, with two decimals or more."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:f}"


def about(value: float, unit: str) -> str:
    """Write a signed figure of which two digits are known.

    >>> about(0.3142, "percent"), about(0.1, "percent"), about(-0.0123, "points"), about(12345, "count")
    ('+31%', '+10%', '-1.2 pp', '+12,000')
    >>> about(0.00001, "USD")
    '+$0.00001'
    """
    size = abs(value) * (100 if unit in {"percent", "points"} else 1)
    text = f"{Decimal(f'{size:.2g}'):,f}"
    written = {"percent": f"{text}%", "points": f"{text} pp", "USD": f"${text}"}.get(unit, text)
    return f"{'-' if value < 0 else '+'}{written}"
