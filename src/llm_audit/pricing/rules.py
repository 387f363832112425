"""Price files: absolute rates, discounts and aliases in TOML, of the packaged corrections and of users.

[aliases]
"prod-chat" = "azure/gpt-4o"            # a name in the log, or a pattern, to a model of the price table

[[price]]                               # dollars per million tokens; only the rates given are replaced
provider = "azure"                      # patterns with * and ?, any by default
model = "gpt-4o*"
service_tier = "standard"               # standard (the default), batch, flex, priority, fast, …
from = 2026-01-01                       # first and last day (UTC), open by default
to = 2026-12-31
context_from = 0                        # applies to requests with at least that many input tokens
hours = "00:30-16:30"                   # UTC, and days = ["mon", ...]: where the price depends on them
input = 2.25
output = 9.00
per_call = 0.005                        # dollars per request; per_tool_call likewise
source = "contract 2026-17"

[[discount]]
provider = "openai"
percent = 12.5                          # off; negative is a surcharge
rates = ["input", "cache_read"]         # all by default
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from llm_audit.errors import UsageError
from llm_audit.ledger.schema import ServiceTier
from llm_audit.money import PICO_PER_USD
from llm_audit.pricing.schedule import FEE_RATES, RATES, TOKEN_RATES, UNIT_RATES, Rates, pico_per_token
from llm_audit.toml_reader import TomlTable, parse_toml

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SCOPE_KEYS = ("provider", "model", "region", "service_tier", "from", "to", "hours", "days", "source", "checked")
_PRICE_KEYS = (*_SCOPE_KEYS, "context_from", *RATES)
_DISCOUNT_KEYS = (*_SCOPE_KEYS, "percent", "rates", "unlisted_only")
_MAX_RATE_USD = 100_000
_FEES = frozenset(FEE_RATES.values())


class RuleScope(msgspec.Struct, kw_only=True, frozen=True):
    """The requests that a rule applies to; ``minutes`` is a span that may pass midnight, None for all day."""

    provider: str = "*"
    model: str = "*"
    region: str = "*"
    service_tier: str | None = None
    start: date = date.min
    end: date = date.max
    minutes: tuple[int, int] | None = None
    days: frozenset[int] = frozenset(range(7))

    def covers(self, provider: str, names: Iterable[str], region: str | None) -> bool:
        """Return whether the rule applies to a model, under any of its names, at a provider in a region."""
        if not fnmatchcase(provider, self.provider) or not fnmatchcase((region or "").lower(), self.region):
            return False
        return any(fnmatchcase(name.lower(), self.model) for name in names)

    def change_dates(self) -> set[date]:
        """Return the days (UTC) from which the rule applies or no longer applies."""
        after = {self.end + timedelta(days=1)} if self.end < date.max else set()
        return {self.start} | after

    def active(self, moment: datetime) -> bool:
        """Return whether the rule applies at a time (UTC)."""
        if not self.start <= moment.date() <= self.end or moment.weekday() not in self.days:
            return False
        if self.minutes is None:
            return True
        start, end = self.minutes
        minute = moment.hour * 60 + moment.minute
        return start <= minute < end if start <= end else minute >= start or minute < end


class PriceRule(msgspec.Struct, kw_only=True, frozen=True):
    """One ``[[price]]`` or ``[[discount]]`` of a price file.

    Attributes:
        rates: Pico-dollars per token (or unit) that replace the listed ones; empty in a discount.
        context_from: Input tokens of a request from which ``rates`` apply; None for every context tier.
        factors: Multipliers of rates, in a discount.
        unlisted_only: A discount for a service tier whose price the table does not list.
        origin: ``overlay`` or ``user file``.
        where: File and line, for messages.
        source: The source of the figures, as given in the file.
    """

    scope: RuleScope
    rates: Rates = msgspec.field(default_factory=dict)
    context_from: int | None = None
    factors: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    unlisted_only: bool = False
    origin: str
    where: str
    source: str = ""

    @property
    def is_price(self) -> bool:
        """Whether the rule is a price and not a discount."""
        return not self.factors

    @property
    def listed_rates(self) -> Rates:
        """The rates of a price by the token, request or tool call."""
        return {kind: rate for kind, rate in self.rates.items() if kind not in _FEES}

    @property
    def fees(self) -> Rates:
        """The rates of fees, which hold for the requests that are billed any."""
        return {kind: rate for kind, rate in self.rates.items() if kind in _FEES}


class PriceFile(msgspec.Struct, kw_only=True, frozen=True):
    """A price file, read and checked."""

    name: str
    rules: tuple[PriceRule, ...]
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
    """Parse a price file's bytes; ``name`` is the file's name in messages.

    Raises:
        UsageError: A key or value is not valid; the message names the line.
    """
    document = parse_toml(data, file=name, parse_float=Decimal)
    document.check_keys(("aliases", "price", "discount"))
    rules = [
        *(_price(entry, origin) for entry in document.tables("price")),
        *(_discount(entry, origin) for entry in document.tables("discount")),
    ]
    aliases = _aliases(document.table("aliases"))
    return PriceFile(name=name, rules=tuple(rules), aliases=aliases, sha256=hashlib.sha256(data).hexdigest())


def _aliases(given: TomlTable) -> dict[str, str]:
    for name, target in given.values.items():
        if not isinstance(target, str) or not target.strip():
            given.fail(name, f'give the alias {name!r} a model in quotes, such as "openai/gpt-4o".')
    return dict(given.values)


def _price(entry: TomlTable, origin: str) -> PriceRule:
    entry.check_keys(_PRICE_KEYS)
    rates = {kind: _rate(kind, entry) for kind in RATES if kind in entry}
    if not rates:
        entry.fail(None, f"[[price]] gives no rate. Give at least one of {', '.join(RATES)}.")
    return PriceRule(
        scope=_scope(entry, default_tier=ServiceTier.STANDARD),
        rates=rates,
        context_from=entry.whole_number("context_from"),
        origin=origin,
        where=f"{entry.file}:{entry.line}",
        source=entry.text("source"),
    )


def _discount(entry: TomlTable, origin: str) -> PriceRule:
    entry.check_keys(_DISCOUNT_KEYS)
    if "percent" not in entry:
        entry.fail(None, "[[discount]] needs percent, such as percent = 15.")
    factor = 1 - entry.decimal("percent", -1000, 100) / 100  # a negative percentage is a surcharge
    unlisted_only = entry.flag("unlisted_only")
    # What providers publish of a service tier is of its tokens: searches cost the same in it.
    rates = entry.options("rates", TOKEN_RATES if unlisted_only and "rates" not in entry else RATES)
    return PriceRule(
        scope=_scope(entry, default_tier=None),
        factors=dict.fromkeys(rates, factor),
        unlisted_only=unlisted_only,
        origin=origin,
        where=f"{entry.file}:{entry.line}",
        source=entry.text("source"),
    )


def _scope(entry: TomlTable, *, default_tier: ServiceTier | None) -> RuleScope:
    tier = entry.option("service_tier", ServiceTier, ServiceTier.STANDARD) if "service_tier" in entry else default_tier
    start, end = entry.day("from"), entry.day("to")
    if start and end and start > end:
        entry.fail("to", "to is before from; exchange them.")
    return RuleScope(
        provider=entry.text("provider", "*").lower(),
        model=entry.text("model", "*").lower(),
        region=entry.text("region", "*").lower(),
        service_tier=tier.value if tier else None,
        start=start or date.min,
        end=end or date.max,
        minutes=_minutes(entry) if "hours" in entry else None,
        days=frozenset(_DAYS.index(day) for day in entry.options("days", _DAYS)),
    )


def _minutes(entry: TomlTable) -> tuple[int, int]:
    value = entry.values["hours"]
    match = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 24 or int(match[3]) > 24:
        entry.fail("hours", 'hours must be a span of the day in UTC, such as hours = "16:30-00:30".')
    return (int(match[1]) * 60 + int(match[2])) % 1440, (int(match[3]) * 60 + int(match[4])) % 1440


def _rate(kind: str, entry: TomlTable) -> int:
    """Return a rate in pico-dollars; files give dollars per million tokens or per unit."""
    amount = entry.decimal(kind, 0, _MAX_RATE_USD)
    return int((amount * PICO_PER_USD).to_integral_value()) if kind in UNIT_RATES else pico_per_token(amount)
