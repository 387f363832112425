"""Amounts and days as cost exports write them; what may mean two things is unknown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from llm_audit.money import PICO_PER_USD

_AMOUNT = re.compile(
    r"(?P<sign>-?)\$?(?P<number>(?:\d+|\d{1,3}(?:,\d{3})+(?=\.)|\d{1,3}(?:,\d{3}){2,})?(?:\.\d*)?)(?P<power>[eE][+-]?\d{1,2})?"
)
_MOST_USD = 10**15
"""More than any sum: what is larger is a mistake."""


def read_amount(text: str) -> int | None:
    """Read an amount of dollars as pico-dollars, rounded half to even; None where it is none or may be another.

    A comma is a separator of thousands only where it can be nothing else: ``1,000`` may be one, with decimals.

    >>> read_amount("1,234.5"), read_amount("-$2"), read_amount("0,035"), read_amount("1.234,50"), read_amount("1,000")
    (1234500000000000, -2000000000000, None, None, None)
    """
    found = _AMOUNT.fullmatch(text)
    if found is None or not re.search(r"\d", found["number"]):
        return None
    amount = Decimal(f"{found['sign']}{found['number'].replace(',', '')}{found['power'] or ''}")
    return int((amount * PICO_PER_USD).to_integral_value()) if abs(amount) < _MOST_USD else None


def read_day(text: str | None) -> date | None:
    """Read a day, or that of a time or of Unix seconds in UTC.

    >>> [str(read_day(text)) for text in ("2026-09-10T23:30-05:00", "2026-09-10 00:00:00 UTC", "1788220800")]
    ['2026-09-11', '2026-09-10', '2026-09-01']
    """
    if text is None:
        return None
    if re.fullmatch(r"\d{9,11}", text):
        return datetime.fromtimestamp(int(text), UTC).date()
    for part in (text, text[:10]):
        try:
            moment = datetime.fromisoformat(part)
        except ValueError:
            continue
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
    return None
