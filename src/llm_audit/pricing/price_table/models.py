"""Providers, their models and prices, by the rules of genai-prices: which name is which model, what holds when.

``genai_prices.json`` holds them for one version of genai-prices, whose own form takes several times longer to load than
all that prices the requests of a small log.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec

_COMPACT_DATE = re.compile(r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")

_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "equals": operator.eq,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": operator.contains,
    "regex": lambda name, pattern: re.search(pattern, name) is not None,
}
_TOGETHER: dict[str, Callable[[Iterable[bool]], bool]] = {"or": any, "and": all}


class Clause(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A condition on a name in lower case: ``equals``, ``starts_with``, ``or`` and so on."""

    kind: str
    text: str = ""
    clauses: tuple[Clause, ...] = ()

    def holds(self, name: str) -> bool:
        """Return whether a name meets the condition."""
        if self.kind in _TOGETHER:
            return _TOGETHER[self.kind](clause.holds(name) for clause in self.clauses)
        return _COMPARISONS[self.kind](name, self.text)


class Tiered(msgspec.Struct, frozen=True, array_like=True):
    """A price by the input tokens of a request: ``base``, and from above so many tokens on another one, ascending."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...]

    def at(self, context_tokens: int) -> Decimal:
        """Return the price of a request with so many input tokens."""
        return next((price for start, price in reversed(self.tiers) if context_tokens > start), self.base)


Prices = dict[str, Decimal | Tiered]
"""Prices by what they are of, such as ``input_mtok``: dollars per million tokens."""


class Condition(msgspec.Struct, frozen=True, array_like=True):
    """The time at which a price holds: from a day on, or in a part of each day; UTC."""

    since: date | None
    starts: time | None = None
    ends: time | None = None

    def holds(self, moment: datetime) -> bool:
        """Return whether the price holds at a time."""
        moment = moment.astimezone(UTC)
        if self.since is not None:
            return moment.date() >= self.since
        assert self.starts is not None
        assert self.ends is not None
        now = moment.time()
        if self.ends < self.starts:
            return now >= self.starts or now < self.ends
        return self.starts <= now < self.ends


class DatedPrices(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Prices that hold at some time, or at any; a variant's, for requests with the values of ``when`` only."""

    prices: Prices
    condition: Condition | None = None
    when: dict[str, str] = {}

    def holds(self, moment: datetime) -> bool:
        """Return whether the prices hold at a time."""
        return self.condition is None or self.condition.holds(moment)

    def applies_to(self, context: Mapping[str, str]) -> bool:
        """Return whether a variant is for requests of a context, such as a service tier."""
        return all(context.get(name) == value for name, value in self.when.items())


class Model(msgspec.Struct, frozen=True, eq=False, omit_defaults=True):
    """A model at a provider. Of ``prices`` the last that holds applies, else the first; variants override these."""

    id: str
    match: Clause
    prices: tuple[DatedPrices, ...]
    variants: tuple[DatedPrices, ...] = ()

    def prices_at(self, moment: datetime, context: Mapping[str, str] | None = None) -> Prices:
        """Return the prices at a time; for a context, of variants that are for it the first that has each price."""
        standard = next((dated for dated in reversed(self.prices) if dated.holds(moment)), self.prices[0])
        found: Prices = {}
        for variant in self.variants:
            if context and variant.holds(moment) and variant.applies_to(context):
                found = variant.prices | found
        return standard.prices | found


class Provider(msgspec.Struct, frozen=True, eq=False, omit_defaults=True):
    """A provider; it may sell the models of the providers in ``sells``, whose prices then hold."""

    id: str
    models: tuple[Model, ...]
    match: Clause | None = None
    sells: tuple[str, ...] = ()

    def find_model(self, name: str, providers: Sequence[Provider] = ()) -> Model | None:
        """Return the model of a name, its own or of another provider that it sells.

        A date without dashes is tried with them, where the name is not known.
        """
        name = name.lower()
        found = self._model(name, providers)
        if found is None and (dashed := _COMPACT_DATE.sub(_with_dashes, name)) != name:
            return self._model(dashed, providers)
        return found

    def _model(self, name: str, providers: Sequence[Provider]) -> Model | None:
        sold = (next((other for other in providers if other.id == provider), None) for provider in self.sells)
        sellers = (self, *(other for other in sold if other is not None))
        return next((model for seller in sellers for model in seller.models if model.match.holds(name)), None)


class PriceTable(msgspec.Struct, frozen=True):
    """A version of the table. It is MIT-licensed: see NOTICE."""

    source: str
    version: str
    licence: str
    providers: tuple[Provider, ...]


def find_provider_by_id(providers: Sequence[Provider], provider_id: str) -> Provider | None:
    """Return the provider with that id, else the first with a name that the table accepts for it."""
    name = provider_id.lower().strip()
    by_id = next((provider for provider in providers if provider.id == name), None)
    return by_id or next((provider for provider in providers if provider.match and provider.match.holds(name)), None)


def _with_dashes(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return found[0]
    return f"-{year}-{month}-{day}"
