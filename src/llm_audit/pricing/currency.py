"""Convert amounts for display: they are computed in US dollars and converted once, at the rate the user gives."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from llm_audit.errors import UsageError
from llm_audit.money import usd


class Currency(msgspec.Struct, frozen=True):
    """A currency and its amount for one US dollar."""

    code: str = "USD"
    per_usd: Decimal = Decimal(1)

    @property
    def note(self) -> str | None:
        """Return a report's remark on the conversion; None for US dollars."""
        if self.code == "USD":
            return None
        return f"Prices are US dollars, converted at {self.per_usd} {self.code} for 1 USD, as given."

    def amount(self, pico: int) -> str:
        """Return an amount of pico-dollars in the currency, as a plain decimal, rounded half to even at 10^-12.

        >>> Currency("EUR", Decimal("0.9")).amount(1_500_000_000_000)
        '1.35'
        """
        return usd(int((pico * self.per_usd).to_integral_value()) if self.per_usd != 1 else pico)


def parse_currency(text: str) -> Currency:
    """Read ``USD`` or ``CODE=RATE``, such as ``EUR=0.92``: euros for one dollar.

    Raises:
        UsageError: The text is neither.
    """
    code, _, rate = text.strip().partition("=")
    code = code.strip().upper()
    if code == "USD" and not rate:
        return Currency()
    try:
        per_usd = Decimal(rate.strip())
    except InvalidOperation:
        per_usd = Decimal(0)
    of_itself = code == "USD" and per_usd != 1
    if of_itself or len(code) != 3 or not code.isalpha() or not per_usd.is_finite() or not 0 < per_usd < 10**6:
        raise UsageError(
            f"Cannot convert to {text!r}. Give a code and its amount for one dollar, such as --currency EUR=0.92."
        )
    return Currency(code, per_usd)
