"""Read the price table, genai-prices, as schedules in pico-dollars, once for each distinct name.

genai-prices has dated prices, context tiers, cache lifetimes, service tiers and times of day. It is never queried per
request, and its updater, which would use the network, is never started.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from genai_prices.data import providers as PROVIDERS  # noqa: N812 - a constant, though its source names it otherwise
from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from llm_audit.model_names import canonical, priced_separately
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


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A price as listed. ``since`` is its effective date, where the table has one."""

    schedule: Schedule
    since: date | None


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """One model at one provider. ``by_line``: found by its undated line, not by the name itself."""

    provider: Provider
    model: ModelInfo
    by_line: bool

    @property
    def matched(self) -> str:
        """The table's id of the model, with the provider that lists it."""
        return f"{self._owner.id}/{self.model.id}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on how the listing was found, where that was not by its name at its provider."""
        by_line = ("found by its model line",) if self.by_line else ()
        borrowed = (f"fallback: {self._owner.id}'s price",) if self._owner is not self.provider else ()
        return by_line + borrowed

    @property
    def _owner(self) -> Provider:
        owners = (self.provider, *PROVIDERS)
        return next(owner for owner in owners if any(self.model is model for model in owner.models))

    def standard(self, moment: datetime) -> ListedPrice:
        """Return the standard price at a time."""
        since = None
        for conditional in self.model.prices if isinstance(self.model.prices, list) else ():
            constraint = conditional.constraint
            if isinstance(constraint, StartDateConstraint) and constraint.active(moment):
                since = constraint.start_date
        schedule = _schedule(self.model.get_prices(moment))
        return ListedPrice(schedule.without("per_tool_call") if self._owner is not self.provider else schedule, since)

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
            if variant.constraint is None or variant.constraint.active(moment):
                return None
            if isinstance(variant.constraint, StartDateConstraint):
                starts.append(variant.constraint.start_date)
        return min(starts, default=date.max)

    def changes(self) -> tuple[set[date], set[int]]:
        """Return the days from which, and the minutes of the day (UTC) at which, the price may change."""
        conditionals = self.model.prices if isinstance(self.model.prices, list) else ()
        constraints = [change.constraint for change in (*conditionals, *(self.model.price_variants or ()))]
        spans = [(c.start_time, c.end_time) for c in constraints if isinstance(c, TimeOfDateConstraint)]
        return (
            {c.start_date for c in constraints if isinstance(c, StartDateConstraint)},
            {moment.hour * 60 + moment.minute for span in spans for moment in span},
        )

    def _tier(self, service_tier: str, moment: datetime) -> ListedPrice | None:
        prices = self.model.get_prices(moment, _CONTEXTS[service_tier])
        starts = [
            v.constraint.start_date
            for v in self._variants(service_tier)
            if isinstance(v.constraint, StartDateConstraint) and v.constraint.active(moment)
        ]
        return ListedPrice(_schedule(prices), max(starts, default=None))

    def _variants(self, service_tier: str) -> list[PriceVariant]:
        if self._owner is not self.provider:
            return []  # another provider's model, sold here: its tiers are not this provider's
        context = _CONTEXTS[service_tier]
        return [v for v in self.model.price_variants or () if all(context.get(k) == x for k, x in v.when.items())]


@functools.cache
def find_provider(provider_id: str) -> Provider | None:
    """Return the provider with that id, or with a name that the table accepts for it."""
    return find_provider_by_id(PROVIDERS, provider_id)


@functools.cache
def find_listing(provider_id: str, model: str) -> Listing | None:
    """Return the listing of a model at a provider, by its name or else its undated line; None where there is none."""
    provider = find_provider(provider_id)
    if provider is None:
        return None
    if info := provider.find_model(model, all_providers=PROVIDERS):
        return Listing(provider, info, by_line=False)
    if priced_separately(model):
        return None
    by_line = _lines(provider.id).get(canonical(model))
    return Listing(provider, by_line, by_line=True) if by_line else None


def listings() -> list[tuple[Provider, ModelInfo]]:
    """Return every model of the table with its provider."""
    return [(provider, model) for provider in PROVIDERS for model in provider.models]


@functools.cache
def _lines(provider_id: str) -> dict[str, ModelInfo]:
    """Return a provider's models by undated line; of several, the shortest name, and worldwide before regional."""
    own = next(provider for provider in PROVIDERS if provider.id == provider_id)
    sources = [own, *(p for name in own.fallback_model_providers or () for p in PROVIDERS if p.id == name)]
    lines: dict[str, ModelInfo] = {}
    for source in sources:
        plain = [model for model in source.models if not priced_separately(model.id)]
        for model in sorted(plain, key=lambda m: (m.id.startswith("regional."), len(m.id), m.id)):
            lines.setdefault(canonical(model.id), model)
    return lines


def _schedule(prices: ModelPrice) -> Schedule:
    values = {kind: value for kind, keys in _SOURCES.items() if (value := _first(prices, keys)) is not None}
    starts = {0} | {tier.start + 1 for v in values.values() if isinstance(v, TieredPrices) for tier in v.tiers}
    units: Rates = {}
    for kind, key in _UNIT_SOURCES.items():
        value = getattr(prices, key)
        if isinstance(value, Decimal):
            units[kind] = int((value * PICO_PER_USD_PER_THOUSAND).to_integral_value())
    return Schedule(
        tuple(
            (start, {kind: pico_per_token(_at(value, start)) for kind, value in values.items()} | units)
            for start in sorted(starts)
        )
    )


def _first(prices: ModelPrice, keys: tuple[str, ...]) -> Decimal | TieredPrices | None:
    return next((value for key in keys if (value := getattr(prices, key)) is not None), None)


def _at(value: Decimal | TieredPrices, context_tokens: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return next((tier.price for tier in reversed(value.tiers) if context_tokens > tier.start), value.base)
