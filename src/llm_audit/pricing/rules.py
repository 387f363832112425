"""Price files: absolute rates, discounts and aliases in TOML, as the packaged corrections and users write them.

[aliases]
"prod-chat" = "azure/gpt-4o"            # a name in the log, or a pattern, to a model the price table knows

[[price]]                               # dollars per million tokens; only the rates given are replaced
provider = "azure"                      # patterns with * and ?, any where left out
model = "gpt-4o*"
service_tier = "standard"               # standard (the default), batch, flex or priority
from = 2026-01-01                       # first and last day (UTC), open where left out
to = 2026-12-31
context_from = 0                        # holds for requests with at least that many input tokens
hours = "00:30-16:30"                   # UTC, and days = ["mon", ...]: where the price depends on them
input = 2.25
output = 9.00
per_call = 0.005                        # dollars per request; per_tool_call likewise
source = "contract 2026-17"

[[discount]]
provider = "openai"
percent = 12.5                          # off; negative is a surcharge
rates = ["input", "cache_read"]         # all where left out
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.ledger.schema import ServiceTier
from llm_audit.money import PICO_PER_USD
from llm_audit.pricing.schedule import RATES, UNIT_RATES, Rates, pico_per_token

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHERE = ("provider", "model", "region", "service_tier", "from", "to", "hours", "days", "source", "checked")
_KEYS = {
    "price": (*_WHERE, "context_from", *RATES),
    "discount": (*_WHERE, "percent", "rates", "unlisted_only"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which requests a rule is for. ``minutes`` is a span of the day that may pass midnight; None is the whole day."""

    provider: str = "*"
    model: str = "*"
    region: str = "*"
    service_tier: str | None = None
    start: date = date.min
    end: date = date.max
    minutes: tuple[int, int] | None = None
    days: frozenset[int] = frozenset(range(7))

    def covers(self, provider: str, names: Iterable[str], region: str | None) -> bool:
        """Whether a model, under any of its names, at a provider in a region falls under the rule."""
        if not fnmatchcase(provider, self.provider) or not fnmatchcase((region or "").lower(), self.region):
            return False
        return any(fnmatchcase(name.lower(), self.model) for name in names)

    def change_dates(self) -> set[date]:
        """Days (UTC) from which the rule holds or no longer holds."""
        after = {self.end + timedelta(days=1)} if self.end < date.max else set()
        return {self.start} | after

    def active(self, moment: datetime) -> bool:
        """Whether the rule holds at a time (UTC)."""
        if not self.start <= moment.date() <= self.end or moment.weekday() not in self.days:
            return False
        if self.minutes is None:
            return True
        start, end = self.minutes
        minute = moment.hour * 60 + moment.minute
        return start <= minute < end if start <= end else minute >= start or minute < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One ``[[price]]`` or ``[[discount]]`` of a price file.

    Attributes:
        rates: Pico-dollars per token (or unit) that replace the listed ones; empty in a discount.
        context_from: Input tokens of a request from which ``rates`` hold; None for every context tier.
        factors: What rates are multiplied by, in a discount.
        unlisted_only: A discount for a service tier whose price the table does not list.
        origin: ``overlay`` or ``user file``.
        where: File and line, for messages.
        source: Where the figures are from, as the file says.
    """

    scope: Scope
    rates: Rates = field(default_factory=dict)
    context_from: int | None = None
    factors: Mapping[str, Decimal] = field(default_factory=dict)
    unlisted_only: bool = False
    origin: str
    where: str
    source: str = ""

    @property
    def is_price(self) -> bool:
        """A price, not a discount."""
        return not self.factors


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """A price file, read and checked."""

    name: str
    rules: tuple[Rule, ...]
    aliases: dict[str, str]
    sha256: str


def read_price_file(path: Path) -> PriceFile:
    """Read a user's price file.

    Raises:
        UsageError: It cannot be read, or a key or value in it is not valid; the message names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read the price file {path}: {error.strerror}. Give another with --prices.") from None
    return parse_price_file(data, name=str(path), origin="user file")


def parse_price_file(data: bytes, *, name: str, origin: str) -> PriceFile:
    """Read a price file's bytes. ``name`` is what messages call it; errors as ``read_price_file``."""
    try:
        text = data.decode("utf-8")
        table = tomllib.loads(text, parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{name} is not valid TOML: {error}. Correct it there.") from None
    lines = text.splitlines()
    for key in table.keys() - {"aliases", "price", "discount"}:
        raise UsageError(
            f"{name}:{_line(lines, key)}: unknown key {key!r}. A price file has [aliases], [[price]] and [[discount]]."
        )
    rules = [
        _rule(kind, entry, _Place(name, lines, kind, number), origin)
        for kind in ("price", "discount")
        for number, entry in enumerate(_tables(table.get(kind, []), kind, name))
    ]
    aliases = _aliases(table.get("aliases", {}), name, lines)
    return PriceFile(name=name, rules=tuple(rules), aliases=aliases, sha256=hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class _Place:
    """The nth table of a kind in a file, for messages that name a line."""

    file: str
    lines: list[str]
    kind: str
    number: int

    def line(self, key: str | None = None) -> int:
        headers = [n for n, line in enumerate(self.lines) if re.match(rf"\s*\[\[\s*{self.kind}\s*\]\]", line)]
        start = headers[self.number] if self.number < len(headers) else 0
        if key is None:
            return start + 1
        rest = enumerate(self.lines[start + 1 :], start + 2)
        return next((n for n, line in rest if re.match(rf'\s*"?{re.escape(key)}"?\s*=', line)), start + 1)

    def error(self, key: str | None, message: str) -> UsageError:
        return UsageError(f"{self.file}:{self.line(key)}: {message}")


def _line(lines: list[str], key: str) -> int:
    pattern = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=\]]""")
    return next((n for n, line in enumerate(lines, 1) if pattern.match(line)), 1)


def _tables(value: Any, kind: str, name: str) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    raise UsageError(f"{name}: write each {kind} as a table of its own, headed [[{kind}]].")


def _aliases(value: Any, name: str, lines: list[str]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UsageError(f'{name}: [aliases] must be a table of "name in the log" = "provider/model".')
    for key, target in value.items():
        if not isinstance(target, str) or not target.strip():
            raise UsageError(f"{name}:{_line(lines, key)}: give the alias {key!r} a model's name in quotes.")
    return dict(value)


def _rule(kind: str, entry: dict[str, Any], place: _Place, origin: str) -> Rule:
    for key in entry:
        if key not in _KEYS[kind]:
            raise place.error(key, f"unknown key {key!r} in [[{kind}]]. Known: {', '.join(_KEYS[kind])}.")
    common: dict[str, Any] = {
        "scope": _scope(entry, place, kind),
        "origin": origin,
        "where": f"{place.file}:{place.line()}",
        "source": str(entry.get("source", "")),
    }
    if kind == "discount":
        return Rule(
            factors=_factors(entry, place), unlisted_only=bool(entry.get("unlisted_only")), **common
        )  # fmt: skip
    rates = {key: _rate(key, entry[key], place) for key in RATES if key in entry}
    if not rates:
        raise place.error(None, f"[[price]] gives no rate. Give at least one of {', '.join(RATES)}.")
    context = entry.get("context_from")
    if context is not None and (not isinstance(context, int) or isinstance(context, bool) or context < 0):
        raise place.error("context_from", "context_from must be a whole number of input tokens, 0 or more.")
    return Rule(rates=rates, context_from=context, **common)


def _scope(entry: dict[str, Any], place: _Place, kind: str) -> Scope:
    values: dict[str, Any] = {}
    for key in ("provider", "model", "region"):
        if key in entry:
            if not isinstance(entry[key], str):
                raise place.error(key, f"{key} must be a name or a pattern in quotes.")
            values[key] = entry[key].lower()
    tier = entry.get("service_tier", "standard" if kind == "price" else None)
    if tier is not None and tier not in list(ServiceTier):
        raise place.error("service_tier", f"service_tier must be one of {', '.join(ServiceTier)}.")
    start, end = (_day(key, entry, place) for key in ("from", "to"))
    if start and end and start > end:
        raise place.error("to", "to is before from; exchange them.")
    return Scope(
        service_tier=tier,
        start=start or date.min,
        end=end or date.max,
        minutes=_minutes(entry["hours"], place) if "hours" in entry else None,
        days=_weekdays(entry.get("days", list(_DAYS)), place),
        **values,
    )


def _day(key: str, entry: dict[str, Any], place: _Place) -> date | None:
    day = entry.get(key)
    if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
        raise place.error(key, f"{key} must be a date without quotes, such as {key} = 2026-01-31.")
    return day


def _weekdays(value: Any, place: _Place) -> frozenset[int]:
    if not isinstance(value, list) or not value or any(day not in _DAYS for day in value):
        raise place.error("days", f"days must be a list of some of {', '.join(_DAYS)}.")
    return frozenset(_DAYS.index(day) for day in value)


def _minutes(value: Any, place: _Place) -> tuple[int, int]:
    match = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 24 or int(match[3]) > 24:
        raise place.error("hours", 'hours must be a span of the day in UTC, such as hours = "16:30-00:30".')
    return (int(match[1]) * 60 + int(match[2])) % 1440, (int(match[3]) * 60 + int(match[4])) % 1440


def _number(key: str, value: Any, place: _Place) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise place.error(key, f"{key} must be a number without quotes.")
    return Decimal(value)


def _rate(key: str, value: Any, place: _Place) -> int:
    unit = "dollars per unit" if key in UNIT_RATES else "dollars per million tokens"
    amount = _number(key, value, place)
    if not 0 <= amount <= 100_000:
        raise place.error(key, f"{key} must be {unit}, from 0 to 100000.")
    return int((amount * PICO_PER_USD).to_integral_value()) if key in UNIT_RATES else pico_per_token(amount)


def _factors(entry: dict[str, Any], place: _Place) -> dict[str, Decimal]:
    if "percent" not in entry:
        raise place.error(None, "[[discount]] needs percent, such as percent = 15.")
    percent = _number("percent", entry["percent"], place)
    if not -1000 <= percent <= 100:
        raise place.error("percent", "percent is what comes off the price: from -1000 (a surcharge) to 100.")
    rates = entry.get("rates", list(RATES))
    if not isinstance(rates, list) or not rates or any(rate not in RATES for rate in rates):
        raise place.error("rates", f"rates must be a list of some of {', '.join(RATES)}.")
    return dict.fromkeys(rates, 1 - percent / 100)
