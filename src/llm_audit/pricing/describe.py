"""What would be charged and why: lists of prices, one model's price in full, a price file checked against the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from llm_audit.ledger.schema import ServiceTier
from llm_audit.model_names import Reference, canonical, names_of, parse
from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.listing import find, listings
from llm_audit.pricing.rows import PriceRow, Unpriced, rows_frame
from llm_audit.pricing.rules import PriceRule, read_price_file
from llm_audit.pricing.schedule import RATES, TOKEN_RATES
from llm_audit.suggestions import similar_names, suggest

NOON = time(12)
"""Prices of a day are those of noon (UTC), where they depend on the hour."""

SUSPICIOUS_FACTOR = 20
"""A price so many times the listed one, or less, is more likely a slip of units than a contract."""


def list_prices(
    book: PriceBook, *, provider: str = "*", model: str = "*", at: date, service_tier: str = "standard"
) -> pl.DataFrame:
    """Every price of a day, by patterns of provider and model; columns as ``PriceBook.rates``.

    The table's models are listed under its own names; models that only a price file knows, under its patterns.
    """
    moment = datetime.combine(at, NOON, UTC)
    rows: dict[PriceRow, None] = {}
    for owner, info in listings():
        if fnmatchcase(owner.id, provider.lower()) and fnmatchcase(info.id.lower(), model.lower()):
            rows |= dict.fromkeys(book.quote(owner.id, info.id, service_tier, None, moment).rows)
    for file in book.files:
        for rule in file.rules:
            scope = rule.scope
            named = rule.is_price and not any(character in scope.provider + scope.model for character in "*?")
            if named and fnmatchcase(scope.provider, provider.lower()) and fnmatchcase(scope.model, model.lower()):
                rows |= dict.fromkeys(book.quote(scope.provider, scope.model, service_tier, None, moment).rows)
    return rows_frame(sorted(rows, key=lambda row: (row.provider, row.model, row.context_from)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One model's price in full.

    Attributes:
        reference: How the name was read.
        model_line: The undated line the catalogue knows it by.
        rates: A row a service tier and context tier; columns as ``PriceBook.rates``; empty where unpriced.
        reason: Why there is no price.
        changes: Days on which the price changes or changed.
        suggestions: Names the table does know, where this one is unknown.
    """

    reference: Reference
    model_line: str
    rates: pl.DataFrame
    reason: Unpriced | None
    changes: list[date]
    suggestions: list[str]


def show(book: PriceBook, provider: str | None, model: str, *, at: date, region: str | None = None) -> Shown:
    """A model's price on a day in every service tier, and where it is from."""
    moment = datetime.combine(at, NOON, UTC)
    quotes = [book.quote(provider, model, tier.value, region, moment) for tier in ServiceTier]
    rows = [row for quote in quotes for row in quote.rows]
    reason = quotes[0].reason
    return Shown(
        reference=parse(provider, model),
        model_line=canonical(model),
        rates=rows_frame(rows),
        reason=reason,
        changes=sorted(day for day in book.changes(provider, model, region).dates if day > date.min),
        suggestions=_suggestions(parse(provider, model).provider, model) if reason else [],
    )


def diff(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Prices that two lists do not share: other rates, or listed in one only.

    Args:
        before: As ``list_prices`` gives it, of one day or book.
        after: The same of another.

    Returns:
        ``provider``, ``model``, ``service_tier``, ``context_from``, ``rate``, ``before``, ``after`` (Int64
        pico-dollars, null where not listed), a row a rate that differs.
    """
    keys = ["provider", "model", "service_tier", "context_from"]
    columns = [f"{kind}_rate" for kind in RATES]
    sides = [
        frame.unpivot(columns, index=keys, variable_name="rate", value_name=name)
        .drop_nulls(name)
        .with_columns(pl.col("rate").str.strip_suffix("_rate"))
        for name, frame in (("before", before), ("after", after))
    ]
    joined = sides[0].join(sides[1], on=[*keys, "rate"], how="full", coalesce=True)
    return joined.filter(pl.col("before").ne_missing(pl.col("after"))).sort(*keys, "rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One rule of a price file, checked.

    Attributes:
        where: File and line.
        models: How many models of the table it applies to.
        notes: What is odd about it; empty where nothing is.
    """

    where: str
    models: int
    notes: tuple[str, ...]


def verify(path: Path) -> list[Verified]:
    """Check a price file against the price table.

    Raises:
        UsageError: The file is not valid; the message names the line.
    """
    return [_verify(rule) for rule in read_price_file(path).rules]


def _verify(rule: PriceRule) -> Verified:
    covered = [
        (provider, info)
        for provider, info in listings()
        if rule.scope.covers(provider.id, names_of(info.id.lower()), rule.scope.region)
    ]
    notes = []
    exact = not any(character in rule.scope.model for character in "*?")
    if not covered and not (exact and find(rule.scope.provider, rule.scope.model)):
        close = _suggestions(rule.scope.provider, rule.scope.model)
        hint = suggest(close)
        notes.append(f"no model of the price table matches provider {rule.scope.provider!r}, model "
                     f"{rule.scope.model!r}: fine for a model of your own.{hint}")  # fmt: skip
    if rule.is_price and {"input", "output"} - rule.rates.keys() and not covered:
        notes.append("gives no price for both input and output tokens, and the table has none to add.")
    moment = datetime.combine(min(max(rule.scope.start, date(2024, 1, 1)), date(2100, 1, 1)), NOON, UTC)
    for provider, info in covered:
        listing = find(provider.id, info.id.lower())
        listed = listing.standard(moment).schedule.at(0) if listing else {}
        for kind, rate in rule.rates.items():
            factor = rate / listed[kind] if kind in TOKEN_RATES and listed.get(kind) and rate else 1.0
            if not 1 / SUSPICIOUS_FACTOR <= factor <= SUSPICIOUS_FACTOR:
                notes.append(f"{kind} is {factor:.3g} times the listed price of {provider.id}/{info.id}: "
                             "rates are dollars per million tokens.")  # fmt: skip
    return Verified(where=rule.where, models=len(covered), notes=tuple(notes))


def _suggestions(provider: str | None, model: str) -> list[str]:
    """Names like one that is not known: the provider's own, or else anyone's."""
    own = [(owner.id, info.id.lower()) for owner, info in listings() if owner.id == provider]
    for known in (own, [(owner.id, info.id.lower()) for owner, info in listings()]):
        owners = {name: owner for owner, name in reversed(known)}
        if close := similar_names(parse(provider, model).model, owners, limit=3, min_similarity=0.75):
            return [f"{owners[name]}/{name}" for name in close]
    return []
