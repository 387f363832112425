"""Price one model at one provider at any time, by applying the layers of prices in order.

The standard price is resolved first: the price table's, then the packaged corrections', then the user's. A service
tier's price is the one listed for it, or else is derived from the standard price by the ratio listed later or by the
provider's published discount. The user's discounts come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import msgspec
from msgspec.structs import replace

from llm_audit.pricing import price_table
from llm_audit.pricing.price_rows import Quote, ResolvedPrice, Unpriced
from llm_audit.pricing.rules import PriceRule
from llm_audit.pricing.schedule import RATES, Rates, Schedule

_NEVER_STANDARD = frozenset({"fast", "provisioned"})
"""Service tiers that are never billed at the standard price."""


class PriceChanges(msgspec.Struct, kw_only=True, frozen=True):
    """The times at which a price may change: ``dates`` (from that day on), ``minutes`` of the day, weekdays; in UTC."""

    dates: frozenset[date] = frozenset()
    minutes: frozenset[int] = frozenset()
    by_weekday: bool = False

    def __or__(self, other: PriceChanges) -> PriceChanges:
        return PriceChanges(
            dates=self.dates | other.dates,
            minutes=self.minutes | other.minutes,
            by_weekday=self.by_weekday or other.by_weekday,
        )


class ModelPrices(msgspec.Struct, kw_only=True, frozen=True, dict=True):  # for the cached property
    """The prices of one model at one provider in one region.

    Attributes:
        provider: The price table's id.
        model: The model's name there.
        listing: Its entry in the price table, if any.
        rules: Corrections and the user's rules for it; later ones take precedence.
    """

    provider: str
    model: str
    region: str | None
    listing: price_table.Listing | None
    rules: Sequence[PriceRule]

    @cached_property
    def changes(self) -> PriceChanges:
        """The times at which the price may change."""
        scopes = [rule.scope for rule in self.rules]
        listed = self.listing.changes() if self.listing else (set(), set())
        return PriceChanges(
            dates=frozenset(listed[0].union(*(scope.change_dates() for scope in scopes))),
            minutes=frozenset(listed[1].union(*(scope.minutes or () for scope in scopes))),
            by_weekday=any(len(scope.days) < 7 for scope in scopes),
        )

    def period(self, moment: datetime) -> tuple[int, ...]:
        """Return the period of a time; two moments of one period have the same price."""
        minute = moment.hour * 60 + moment.minute
        return (
            sum(moment.date() >= day for day in self.changes.dates),
            moment.weekday() if self.changes.by_weekday else 0,
            sum(minute >= cut for cut in self.changes.minutes),
        )

    def quote(self, service_tier: str, moment: datetime, *, fees: bool = False) -> Quote:
        """Return the price rows of a service tier at a time (UTC), with the rates of fees where they are wanted."""
        active = [rule for rule in self.rules if rule.scope.active(moment)]
        price = _apply_prices(self._listed(moment), active, "standard")
        if service_tier != "standard":
            if service_tier in _NEVER_STANDARD and not self._has_price(service_tier, active, moment):
                return Quote(reason=Unpriced.NO_RATE)
            price = _in_tier(price, self.listing, active, service_tier, moment)
            price = _apply_prices(price, active, service_tier)
        price = _discounted(price, active, service_tier, origin="overlay")
        if not any(price.schedule.steps[0][1]):
            return Quote(reason=Unpriced.OTHER_UNIT if self.listing else Unpriced.UNKNOWN_MODEL)
        for rule in active if fees else ():
            if rule.fees:
                notes = (*price.notes, rule.source or rule.where)
                price = replace(price, schedule=price.schedule.patched(rule.fees), notes=notes)
        price = _discounted(price, active, service_tier, origin="user file")
        return Quote(rows=tuple(self._row(price, service_tier, *step) for step in price.schedule.completed().steps))

    def _has_price(self, service_tier: str, active: Sequence[PriceRule], moment: datetime) -> bool:
        if any(rule.scope.service_tier == service_tier for rule in active):
            return True
        listing = self.listing
        return listing is not None and (
            listing.tier_price(service_tier, moment) is not None
            or listing.later_tier_price(service_tier, moment) is not None
        )

    def _listed(self, moment: datetime) -> _Price:
        if self.listing is None:
            return _Price(schedule=Schedule(), source="", matched="")
        listed = self.listing.standard(moment)
        return _Price(
            schedule=listed.schedule,
            source="genai-prices",
            matched=self.listing.matched,
            since=listed.since,
            notes=self.listing.notes,
        )

    def _row(self, price: _Price, service_tier: str, context_from: int, rates: Rates) -> ResolvedPrice:
        return ResolvedPrice(
            provider=self.provider,
            model=self.model,
            service_tier=service_tier,
            region=self.region,
            since=price.since,
            context_from=context_from,
            rates=tuple((kind, rates[kind]) for kind in RATES if kind in rates),
            source=price.source,
            matched=price.matched,
            basis="; ".join(price.notes),
        )


class _Price(msgspec.Struct, kw_only=True, frozen=True):
    """A price while the layers are applied."""

    schedule: Schedule
    source: str
    matched: str  # the source's own id of the model, or the pattern of the rule that prices it
    since: date | None = None
    notes: tuple[str, ...] = ()
    changed: bool = False

    def with_rates(self, rule: PriceRule) -> _Price:
        return replace(
            self,
            schedule=self.schedule.patched(rule.listed_rates, context_from=rule.context_from),
            source=rule.origin,
            matched=rule.scope.model if not self.matched else self.matched,
            since=rule.scope.start if rule.scope.start > date.min else self.since,
            notes=(*self.notes, rule.source or rule.where),
            changed=True,
        )

    def discounted(self, rule: PriceRule, *notes: str) -> _Price:
        source = self.source if self.source == "user file" else rule.origin
        notes = (*self.notes, *notes, rule.source or rule.where)
        return replace(self, schedule=self.schedule.scaled(rule.factors), source=source, notes=notes)


def _discounted(price: _Price, rules: Sequence[PriceRule], service_tier: str, *, origin: str) -> _Price:
    """Return the price with the last of an origin's discounts."""
    discounts = [rule for rule in rules if rule.origin == origin and _is_discount(rule, service_tier)]
    return price.discounted(discounts[-1]) if discounts else price


def _is_discount(rule: PriceRule, service_tier: str) -> bool:
    return not rule.is_price and not rule.unlisted_only and rule.scope.service_tier in {None, service_tier}


def _apply_prices(price: _Price, rules: Sequence[PriceRule], service_tier: str) -> _Price:
    for rule in rules:
        if rule.listed_rates and rule.scope.service_tier == service_tier:
            price = price.with_rates(rule)
    return price


def _in_tier(
    standard: _Price,
    listing: price_table.Listing | None,
    rules: Sequence[PriceRule],
    service_tier: str,
    moment: datetime,
) -> _Price:
    """Return the price of a service tier, given the standard price."""
    listed = listing.tier_price(service_tier, moment) if listing else None
    if listing and listed:
        if not standard.changed:
            return replace(standard, schedule=listed.schedule, since=listed.since)
        base = listing.standard(moment)
        return replace(standard, schedule=_ratio(standard.schedule, listed.schedule, base.schedule))
    later = listing.later_tier_price(service_tier, moment) if listing else None
    if later:
        tier, base = later
        note = f"{service_tier} price listed from {tier.since}, its ratio applied to the day's standard price"
        schedule = _ratio(standard.schedule, tier.schedule, base.schedule)
        return replace(standard, schedule=schedule, notes=(*standard.notes, note))
    published = [r for r in rules if r.unlisted_only and r.scope.service_tier == service_tier]
    if published:
        return standard.discounted(published[-1], f"no {service_tier} price listed: the published discount")
    note = f"fallback: no {service_tier} price known, standard price"
    return replace(standard, notes=(*standard.notes, note))


def _ratio(standard: Schedule, tier: Schedule, base: Schedule) -> Schedule:
    """Return ``standard`` times ``tier / base``, by type and context step; ``tier`` where both are equal."""
    if standard == base:
        return tier
    starts = sorted({start for schedule in (standard, tier, base) for start, _ in schedule.steps})
    steps = []
    for start in starts:
        now, of, to = standard.at(start), base.at(start), tier.at(start)
        rates: Rates = {
            kind: int((Decimal(rate) * to[kind] / of[kind]).to_integral_value())
            if of.get(kind) and kind in to
            else rate
            for kind, rate in now.items()
        }
        steps.append((start, rates))
    return Schedule(tuple(steps))
