"""Write amounts, shares, counts and names, the same way in every report for people."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
MINUS = "\u2212"
"""Written before a negative figure."""
_LONG = 500
"""Length from which a shortened name states its full length."""
CODE = re.compile("`([^`]+)`")
"""Code in a sentence, between backticks."""
UNKNOWN = "unknown"
"""Shown for a figure that is null."""
NONE = "(none)"
"""Shown for a team, app or other group that the log does not name."""


def plain(text: str, *, limit: int = 80) -> str:
    r"""Write a name from a log on one line, invisible characters as escapes and the middle of a long one left out.

    Line breaks, ANSI escapes, NUL and characters that turn the writing direction become visible, so that two
    different names never look alike and no terminal or page acts on them.

    >>> plain("a\x1b[31m"), plain("abcdefghij" * 3, limit=12), plain("abcdefghij" * 100, limit=12)
    ('a\\x1b[31m', 'abcdefgh…hij', 'abcdefgh…hij (1,000 characters)')
    """
    note = ""
    if len(text) > limit:
        note = f" ({len(text):,} characters)" if len(text) > _LONG else ""
        tail = limit // 4
        text = f"{text[: limit - tail - 1]}…{text[-tail:]}"
    return "".join(char if char.isprintable() else _escape(char) for char in text) + note


def quoted(text: str) -> str:
    """Put the code in a sentence between quotation marks, for output without markup.

    >>> quoted("run `llm-audit sample` first")
    'run "llm-audit sample" first'
    """
    return CODE.sub(r'"\1"', text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def money(amount: str | None, *, currency: str = "USD") -> str:
    """Round an amount for reading: whole units from 1,000, cents from 1, else two significant digits.

    >>> money("12345.678"), money("3.14159"), money("0.00123"), money("0.000998"), money("0.00")
    ('$12,346', '$3.14', '$0.0012', '$0.0010', '$0')
    """
    return UNKNOWN if amount is None else fixed(Decimal(amount), decimals(amount), currency=currency)


def decimals(amount: str) -> int:
    """Return the number of decimals that ``money`` rounds an amount to."""
    size = abs(Decimal(amount))
    if 0 < size < 1000:
        size = to_places(size, max(2, 1 - size.adjusted()))  # 0.000998 is shown as 0.0010, and 999.996 as 1,000
    return 0 if size == 0 or size >= 1000 else max(2, 1 - size.adjusted())


def fixed(amount: Decimal, places: int, *, currency: str) -> str:
    """Write an amount with the given number of decimals."""
    rounded = to_places(abs(amount), places)
    return f"{MINUS if amount < 0 else ''}{_symbol(currency)}{rounded:,f}"


def to_places(amount: Decimal, places: int) -> Decimal:
    """Round half away from zero."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _symbol(currency: str) -> str:
    return _SYMBOLS.get(currency, f"{currency} ")


def exact(amount: str | None, *, currency: str = "USD") -> str:
    """Write an amount with every digit, for a tooltip next to the rounded one."""
    return UNKNOWN if amount is None else f"{currency} {Decimal(amount):,f}"


def share(fraction: float | None) -> str:
    """Write a fraction of one as a percentage with one decimal, or more where that would read as none or all.

    >>> share(0.4444), share(0.0003), share(None)
    ('44.4%', '0.03%', 'unknown')
    """
    if fraction is None:
        return UNKNOWN
    percent = abs(fraction) * 100
    sign = MINUS if fraction < 0 else ""
    if 0 < percent < 0.1:
        return f"{sign}{percent:.2g}%" if percent >= 0.001 else f"{sign}<0.001%"
    if 99.95 <= percent < 100:
        return f"{sign}99.9%"
    return f"{sign}{percent:.1f}%"


def count(number: float | None) -> str:
    """Write a whole number with thousands separators."""
    return UNKNOWN if number is None else f"{number:,.0f}".replace("-", MINUS)


def decimal(number: float | None) -> str:
    """Write a score, probability or difficulty with two decimals."""
    return UNKNOWN if number is None else f"{number:.2f}".replace("-", MINUS)


def plural(number: int, noun: str, *, many: str | None = None) -> str:
    """Write a count with its noun.

    >>> plural(1, "request"), plural(2_000, "request")
    ('1 request', '2,000 requests')
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def words(name: str) -> str:
    """Write an identifier from the document as words.

    >>> words("cache_write_5m"), words("tokens_per_request")
    ('cache write 5m', 'tokens per request')
    """
    return name.replace("_", " ")
