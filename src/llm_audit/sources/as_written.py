"""A value of a rejected field as its log writes it, for a message; never a text that may be a prompt's."""

from __future__ import annotations

import re

_NAMES = (
    r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|january|february|march|april|june|july|august|september|"
    r"october|november|december|mon|tue|wed|thu|fri|sat|sun|[ap]\.?m\.?|gmt|utc|est|edt|cst|cdt|mst|mdt|pst|pdt|cet|cest)"
)
_TIME = re.compile(rf"(?=.*\d)(?:[\d\s.,:/+()'-]|\b{_NAMES}\b|(?<=\d)[TZ]){{1,48}}", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[\d.,'\u00a0\u202f ]{1,32}[kKmM]?")
_OPEN_DATE = re.compile(r"\s*\d{1,2}([/.-])\d{1,2}\1(?:\d{2}|\d{4})\b.*", re.DOTALL)
_OPEN_NUMBER = re.compile(r"\s*\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*\s*")


def time_note(value: object, field: str) -> str:
    """Return what to tell the user of a value that is no time; empty where it cannot be shown.

    >>> time_note("01/09/2026 00:00", "Date")
    '`01/09/2026 00:00` in `Date`: days first? `--date-order dmy`; months first? `--date-order mdy`'
    """
    shown = _shown(value, _TIME)
    if not shown:
        return ""
    hint = ": days first? `--date-order dmy`; months first? `--date-order mdy`" if _OPEN_DATE.fullmatch(shown) else ""
    return f"`{shown}` in `{field}`{hint or ' is not a time between 2015 and 2099'}"


def count_note(value: object, field: str) -> str:
    """Return what to tell the user of a value that is no token count; empty where it cannot be shown.

    >>> count_note("12.000", "tokens")
    '`12.000` in `tokens`: is the sign a decimal one, or does it group thousands? Write counts without it'
    """
    shown = _shown(value, _NUMBER)
    if not shown:
        return ""
    if _OPEN_NUMBER.fullmatch(shown):
        return f"`{shown}` in `{field}`: is the sign a decimal one, or does it group thousands? Write counts without it"
    return f"`{shown}` in `{field}` is not a count of tokens"


def _shown(value: object, allowed: re.Pattern[str]) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    written = str(value).strip()
    return " ".join(written.split()) if allowed.fullmatch(written) else ""
