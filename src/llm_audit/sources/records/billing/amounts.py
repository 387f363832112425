"""Amounts of money as logs write them: numbers and texts, with a currency or a part of one, read exactly.

``$0.0035``, ``0.0035 USD``, ``0,0035 €``, ``0.35 cents`` and ``3500 microdollars`` name their unit; so may a field
beside an amount (``currency``) or its own name (``cost_cents``, ``costInMicros``). Without any it is in dollars.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from llm_audit.money import pico

_PARTS = {"": 0, "milli": -3, "micro": -6, "nano": -9, "pico": -12}
_BASES = {"usd": 0, "dollar": 0, "usdollar": 0, "cent": -2, "usdcent": -2, "uscent": -2, "centusd": -2}
_EXPONENTS = {
    "$": 0, "us$": 0, "usd$": 0, "$usd": 0, "¢": -2, "µusd": -6, "μusd": -6, "µ$": -6, "μ$": -6,
    "usdtick": -10,  # xAI's
    "nanoaiu": -11,  # GitHub's AI unit is a cent
    **{f"{part}{base}": down + exponent for part, down in _PARTS.items() for base, exponent in _BASES.items()},
    **{f"{part}{dollar}": down for part, down in _PARTS.items() if part for dollar in ("", "s")},
    **{f"usd{part}": down for part, down in _PARTS.items() if part},
}  # fmt: skip
"""Units of US dollars, each a power of ten of a dollar, without separators and without the ``s`` of a plural."""
_OTHERS = {
    "€": "EUR", "euro": "EUR", "£": "GBP", "¥": "yen or yuan", "￥": "yen or yuan", "元": "CNY", "rmb": "CNY",
    "yuan": "CNY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₫": "VND", "₪": "ILS", "฿": "THB", "zł": "PLN",
    "credit": "credits", "point": "points", "unit": "units", "premiumrequest": "premium requests", "quota": "quota",
    "coin": "coins", "request": "requests", "token": "tokens", "tick": "ticks", "aiu": "AI units",
}  # fmt: skip
_CURRENCIES = ("eur", "gbp", "cny", "rmb", "jpy", "inr", "chf", "cad", "aud", "sek", "pln", "brl", "krw")
_COSTS = ("cost", "total_cost", "price", "total_price", "amount", "spend", "response_cost", "estimated_cost", "charge")
_UNIT_WORDS = (
    *(f"{head}cents" for head in ("", "usd_", "us_", "milli", "micro")), "cents_usd",
    *(
        written
        for part in ("micro", "nano", "pico")
        for written in (
            f"{part}s", f"{part}_usd", f"{part}usd", f"{part}s_usd", f"usd_{part}s", f"{part}dollars",
            f"{part}_dollars",
        )
    ),
    "usd_ticks",
)  # fmt: skip
COLUMNS = {
    f"{cost}_{between}{unit}": unit
    for cost in _COSTS
    for between in ("", "in_")
    for unit in (*_UNIT_WORDS, *_CURRENCIES, *"¢€£¥￥元₹₩₽", "credits", "points", "units", "premium_requests")
}
"""Units by the normalized names of costs that end in them."""
_PART_WORDS = {
    "input_cost": ("input", "prompt"),
    "output_cost": ("output", "completion"),
    "cache_read_cost": ("cache_read", "cached_input", "cached", "cache_hit", "cache"),
    "cache_write_cost": ("cache_write", "cache_creation"),
}
_PART_UNITS = ("", "usd", *_UNIT_WORDS, *_CURRENCIES)
PARTS = {
    part: {
        f"{name}{between}{unit}": unit
        for word in words
        for name in (f"{word}_cost", f"cost_{word}")
        for unit in _PART_UNITS
        for between in (("_", "_in_") if unit else ("",))
    }
    for part, words in _PART_WORDS.items()
}
"""Units (empty for dollars) by the normalized names of a part of a cost, for each part."""

_WRITTEN = re.compile(r"([^\d.,+()<>~≈-]*?)\s*([+-]?(?:\d[\d.,'\u00a0\u202f ]*|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\d]*)")
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"(?P<whole>[+-]?\d{1,3}(?:(?P<group>[.,' ])\d{3})(?:(?P=group)\d{3})*)(?P<rest>[.,]\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+")
_EITHER = re.compile(r"[1-9]\d{0,2},\d{3}")  # thousands, or a decimal comma
_SEPARATORS = re.compile(r"[\s_.\-]+")
_NAME = re.compile(r"[A-Za-z]{3,5}|[A-Za-z]{1,3}\$")
_MAX_DIGITS = 30  # more than those of a cost in any unit
_LONGEST = 48  # characters of an amount
_MAX_UNITS = 256  # remembered
UNCLEAR = "cost that is no plain amount"
"""What is said of a cost that cannot be read."""


class Stated(NamedTuple):
    """A cost as a log states it: pico-dollars, or why it is not used. Neither where none is stated."""

    pico: int | None = None
    left_out: str = ""


NOTHING = Stated()


def amount(value: object, unit: str | None = None) -> Stated:
    """Return a stated number or text as pico-dollars, given the unit that stands beside it.

    >>> amount("0.35 cents").pico, amount(0.35, "cents").pico, amount("0,0035 €").left_out
    (3500000000, 3500000000, 'cost in EUR')
    """
    if isinstance(value, str):
        return _of_text(value.strip(), unit)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return NOTHING
    return _scaled(value if isinstance(value, Decimal) else Decimal(str(value)), unit)


def is_dollars(unit: str | None) -> bool:
    """Return whether an amount is in US dollars or a part of them: by its unit, or because none is named."""
    return unit is None or exponent_of(unit) is not None


@lru_cache(maxsize=_MAX_UNITS)
def exponent_of(unit: str) -> int | None:
    """Return the power of ten of a dollar that a unit is; None where it is none.

    >>> exponent_of("USD"), exponent_of("US cents"), exponent_of("micro_usd"), exponent_of("EUR")
    (0, -2, -6, None)
    """
    return _EXPONENTS.get(_bare(unit))


def _of_text(written: str, unit: str | None) -> Stated:
    if _PLAIN.fullmatch(written):
        return _scaled(Decimal(written), unit)
    found = _WRITTEN.fullmatch(written) if len(written) <= _LONGEST else None
    if found is None:
        return Stated(left_out=UNCLEAR) if any(character in "123456789" for character in written) else NOTHING
    before, digits, after = (part.strip() for part in found.groups())
    number = _number(digits.strip())
    if number is None:
        return Stated(left_out=UNCLEAR)
    named = _agreed(after or None, before or None)  # "USD 35 cents" are cents
    return _scaled(number, _agreed(named, unit)) if number else Stated(0)


def _agreed(own: str | None, beside: str | None) -> str | None:
    """Return the unit that a text and what stands beside it name; of two different ones, one that is no dollar."""
    if own is None or beside is None:
        return own or beside
    if not is_dollars(own) or not is_dollars(beside):
        return own if is_dollars(beside) else beside
    if exponent_of(beside) == 0 or exponent_of(own) == exponent_of(beside):
        return own
    return "?"


def _scaled(number: Decimal, unit: str | None) -> Stated:
    exponent = 0 if unit is None else exponent_of(unit)
    if exponent is None:
        return Stated(left_out=f"cost in {_name(unit or '')}") if number > 0 else NOTHING
    if not number.is_finite() or number.adjusted() > _MAX_DIGITS:
        return NOTHING
    found = pico(number.scaleb(exponent) if exponent else number)
    if found is None or number == -1:  # which stands for none
        return NOTHING
    return Stated(found) if found >= 0 else Stated(left_out=UNCLEAR)  # a refund


def _number(digits: str) -> Decimal | None:
    """Return a number with grouped thousands or a decimal comma; None where it may be read in two ways."""
    digits = digits.replace("\u00a0", " ").replace("\u202f", " ")
    if _PLAIN.fullmatch(digits):
        return Decimal(digits)
    if _EITHER.fullmatch(digits):
        return None
    if _COMMA.fullmatch(digits):
        return Decimal(digits.replace(",", "."))
    found = _GROUPED.fullmatch(digits)
    if found is None or (found["rest"] or "")[:1] == found["group"]:
        return None
    return Decimal(found["whole"].replace(found["group"], "") + (found["rest"] or "").replace(",", "."))


def _bare(unit: str) -> str:
    bare = _SEPARATORS.sub("", unit).strip("()[]").lower().replace("cents", "cent")
    return bare.removesuffix("s") if len(bare) > 1 else bare


def _name(unit: str) -> str:
    """Return the name of a unit other than the dollar; a text that may be anything is not shown."""
    known = _OTHERS.get(_bare(unit))
    if known is not None:
        return known
    unit = unit.strip("()[] ").removesuffix(" $")  # of a country's dollar
    return unit.upper() if _NAME.fullmatch(unit) else "an unknown unit"
