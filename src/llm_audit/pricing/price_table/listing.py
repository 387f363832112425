"""Listed prices as schedules in pico-dollars, once for each distinct name; never queried per request.

The table has dated prices, context tiers, cache lifetimes, service tiers and times of day.
"""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec

from llm_audit.model_names import canonical, priced_separately
from llm_audit.pricing.price_table.models import DatedPrices, Model, Prices, Provider, Tiered, find_provider_by_id
from llm_audit.pricing.price_table.source import providers
from llm_audit.pricing.schedule import PICO_PER_USD_PER_THOUSAND, Rates, Schedule, pico_per_token

_SOURCES = {
    "input": ("input_mtok",),
    "cache_read": ("cache_read_mtok",),
    "cache_write_5m": ("cache_write_5m_mtok", "cache_write_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok"),
    "output": ("output_mtok",),
    "audio_input": ("input_audio_mtok",),
    "audio_output": ("output_audio_mtok",),
    "image_input": ("input_image_mtok",),
    "image_output": ("output_image_mtok",),
    "reasoning": ("output_reasoning_mtok",),
}
_UNIT_SOURCES = {"per_call": "requests_kcount", "per_tool_call": "web_searches_kcount"}
_CONTEXTS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
    "provisioned": {"service_tier": "provisioned"},
}


class ListedPrice(msgspec.Struct, frozen=True):
    """A price as listed. ``since`` is its effective date, where the table has one."""

    schedule: Schedule
    since: date | None


class Listing(msgspec.Struct, frozen=True, eq=False):
    """One model at one provider. ``by_line``: found by its undated line, not by the name itself."""

    provider: Provider
    model: Model
    by_line: bool

    @property
    def matched(self) -> str:
        """The table's id of the model, with the provider that lists it."""
        return f"{_owner(self).id}/{self.model.id}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on how the listing was found, where that was not by its name at its provider."""
        by_line = ("found by its model line",) if self.by_line else ()
        borrowed = (f"fallback: {_owner(self).id}'s price",) if _owner(self) is not self.provider else ()
        return by_line + borrowed

    def standard(self, moment: datetime) -> ListedPrice:
        """Return the standard price at a time."""
        since = None
        for dated in self.model.prices:
            if dated.condition is not None and dated.condition.since is not None and dated.holds(moment):
                since = dated.condition.since
        schedule = _schedule(self.model.prices_at(moment))
        return ListedPrice(schedule.without("per_tool_call") if _owner(self) is not self.provider else schedule, since)

    def tier_price(self, service_tier: str, moment: datetime) -> ListedPrice | None:
        """Return the price of a service tier at a time; None where the table lists none by then."""
        return self._tier(service_tier, moment) if self.tier_listed_from(service_tier, moment) is None else None

    def later_tier_price(self, service_tier: str, moment: datetime) -> tuple[ListedPrice, ListedPrice] | None:
        """Return the first price of a service tier listed after a time, and the standard price of that day."""
        start = self.tier_listed_from(service_tier, moment)
        if start is None or start == date.max:
            return None
        day = datetime.combine(start, time(12), UTC)
        listed = self._tier(service_tier, day)
        return (listed, self.standard(day)) if listed else None

    def tier_listed_from(self, service_tier: str, moment: datetime) -> date | None:
        """Return the first day on which the tier's price is listed (``date.max``: never); None where it is by then."""
        starts = []
        for variant in self._variants(service_tier):
            if variant.condition is None or variant.holds(moment):
                return None
            if variant.condition.since is not None:
                starts.append(variant.condition.since)
        return min(starts, default=date.max)

    def changes(self) -> tuple[set[date], set[int]]:
        """Return the days from which, and the minutes of the day (UTC) at which, the price may change."""
        conditions = [dated.condition for dated in (*self.model.prices, *self.model.variants) if dated.condition]
        moments = [moment for found in conditions for moment in (found.starts, found.ends) if moment is not None]
        return (
            {found.since for found in conditions if found.since is not None},
            {moment.hour * 60 + moment.minute for moment in moments},
        )

    def _tier(self, service_tier: str, moment: datetime) -> ListedPrice | None:
        prices = self.model.prices_at(moment, _CONTEXTS[service_tier])
        starts = [
            variant.condition.since
            for variant in self._variants(service_tier)
            if variant.condition is not None and variant.condition.since is not None and variant.holds(moment)
        ]
        return ListedPrice(_schedule(prices), max(starts, default=None))

    def _variants(self, service_tier: str) -> list[DatedPrices]:
        if _owner(self) is not self.provider:
            return []  # another provider's model, sold here: its tiers are not this provider's
        context = _CONTEXTS[service_tier]
        return [variant for variant in self.model.variants if variant.applies_to(context)]


@functools.cache  # listings are kept too, and few
def _owner(listing: Listing) -> Provider:
    """Return the provider that lists the model."""
    owners = (listing.provider, *providers())
    return next(owner for owner in owners if any(listing.model is model for model in owner.models))


@functools.cache
def find_provider(provider_id: str) -> Provider | None:
    """Return the provider with that id, or with a name that the table accepts for it."""
    return find_provider_by_id(providers(), provider_id)


@functools.cache
def find_listing(provider_id: str, model: str) -> Listing | None:
    """Return the listing of a model at a provider, by its name or else its undated line; None where there is none."""
    provider = find_provider(provider_id)
    if provider is None:
        return None
    if info := provider.find_model(model, providers()):
        return Listing(provider, info, by_line=False)
    if priced_separately(model):
        return None
    by_line = _lines(provider.id).get(canonical(model))
    return Listing(provider, by_line, by_line=True) if by_line else None


def listings() -> list[tuple[Provider, Model]]:
    """Return every model of the table with its provider."""
    return [(provider, model) for provider in providers() for model in provider.models]


@functools.cache
def _lines(provider_id: str) -> dict[str, Model]:
    """Return a provider's models by undated line; of several, the shortest name, and worldwide before regional."""
    own = next(provider for provider in providers() if provider.id == provider_id)
    sources = [own, *(p for name in own.sells for p in providers() if p.id == name)]
    lines: dict[str, Model] = {}
    for source in sources:
        plain = [model for model in source.models if not priced_separately(model.id)]
        for model in sorted(plain, key=lambda m: (m.id.startswith("regional."), len(m.id), m.id)):
            lines.setdefault(canonical(model.id), model)
    return lines


def _schedule(prices: Prices) -> Schedule:
    values = {kind: value for kind, keys in _SOURCES.items() if (value := _first(prices, keys)) is not None}
    starts = {0} | {start + 1 for v in values.values() if isinstance(v, Tiered) for start, _ in v.tiers}
    units: Rates = {}
    for kind, key in _UNIT_SOURCES.items():
        value = prices.get(key)
        if isinstance(value, Decimal):
            units[kind] = int((value * PICO_PER_USD_PER_THOUSAND).to_integral_value())
    return Schedule(
        tuple(
            (start, {kind: pico_per_token(_at(value, start)) for kind, value in values.items()} | units)
            for start in sorted(starts)
        )
    )


def _first(prices: Prices, keys: tuple[str, ...]) -> Decimal | Tiered | None:
    return next((prices[key] for key in keys if key in prices), None)


def _at(value: Decimal | Tiered, context_tokens: int) -> Decimal:
    return value if isinstance(value, Decimal) else value.at(context_tokens)
