"""Exact amounts of money: integers of 10^-12 dollars, written as decimal strings.

A price of $0.075 per million tokens is 75,000 pico-dollars a token, so every published price is a whole
number of pico-dollars and sums are exact in any order. One request fits in 64 bits; totals are summed in 128.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, Overflow
from fractions import Fraction

PICO_PER_USD = 10**12
_MAX_ROW_PICO = 2**63 - 1


def usd(pico: int) -> str:
    """Write an amount as a plain decimal of dollars: at least two decimals, no exponent, nothing rounded.

    >>> usd(1_500_000_000_000), usd(-75_000), usd(0)
    ('1.50', '-0.000000075', '0.00')
    """
    sign = "-" if pico < 0 else ""
    dollars, rest = divmod(abs(pico), PICO_PER_USD)
    decimals = f"{rest:012d}".rstrip("0").ljust(2, "0")
    return f"{sign}{dollars}.{decimals}"


def pico(value: Decimal | float | str) -> int | None:
    """Read an amount of dollars as pico-dollars, rounding half to even below 10^-12.

    A float is read by its shortest decimal form, so 0.1 is ten cents. A text that is not a finite number, or is too
    large for one request (about 9.2 million dollars), is None: unknown, not zero.

    >>> pico("0.000000075"), pico(0.1), pico("nan"), pico(""), pico("1e999999")
    (75000, 100000000000, None, None, None)
    """
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
        if not amount.is_finite():
            return None
        scaled = int((amount * PICO_PER_USD).to_integral_value())
    except (InvalidOperation, Overflow):
        return None
    return scaled if abs(scaled) <= _MAX_ROW_PICO else None


def total_pico(amount: str) -> int:
    """Read an amount that ``usd`` wrote, of one request or of any sum, as pico-dollars.

    >>> total_pico("0.000000075"), total_pico("123456789.50")
    (75000, 123456789500000000000)
    """
    return round(Fraction(amount) * PICO_PER_USD)
