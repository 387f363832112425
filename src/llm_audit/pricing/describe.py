"""Describe prices: list them, show one model's price in full, compare lists, and check price files."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
import polars as pl

from llm_audit.ledger.schema import ServiceTier
from llm_audit.model_names import Reference, canonical, names_in_rules, parse
from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.price_rows import ResolvedPrice, Unpriced, rows_frame
from llm_audit.pricing.price_table import find_listing, listings
from llm_audit.pricing.rules import PriceRule, read_price_file
from llm_audit.pricing.schedule import RATES, TOKEN_RATES
from llm_audit.suggestions import similar_names, suggest

NOON = time(12)
"""The time of day (UTC) of a day's prices, where they depend on the hour."""

SUSPICIOUS_FACTOR = 20
"""A price that differs from the listed one by this factor is more likely a mistake of units than a contract."""


def list_prices(
    book: PriceBook, *, provider: str = "*", model: str = "*", at: date, service_tier: str = "standard"
) -> pl.DataFrame:
    """Return the prices of a day by patterns of provider and model; columns as ``PriceBook.rates``.

    The table's models are listed under its names; models that only a price file has, under the names it gives.
    """
    moment = datetime.combine(at, NOON, UTC)
    rows: dict[ResolvedPrice, None] = {}
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


class PriceDetails(msgspec.Struct, kw_only=True, frozen=True):
    """One model's price in full.

    Attributes:
        reference: The name taken apart.
        model_line: The undated line that the catalogue lists.
        rates: A row for each service tier and context tier; columns as ``PriceBook.rates``; empty where unpriced.
        reason: The reason why there is no price.
        changes: Days on which the price changes or changed.
        suggestions: Similar names in the table, where this one is unknown.
    """

    reference: Reference
    model_line: str
    rates: pl.DataFrame
    reason: Unpriced | None
    changes: list[date]
    suggestions: list[str]


def price_details(
    book: PriceBook, provider: str | None, model: str, *, at: date, region: str | None = None
) -> PriceDetails:
    """Return a model's price on a day in every service tier, with its source."""
    moment = datetime.combine(at, NOON, UTC)
    quotes = [book.quote(provider, model, tier.value, region, moment) for tier in ServiceTier]
    rows = [row for quote in quotes for row in quote.rows]
    reason = quotes[0].reason
    return PriceDetails(
        reference=parse(provider, model),
        model_line=canonical(model),
        rates=rows_frame(rows),
        reason=reason,
        changes=sorted(day for day in book.changes(provider, model, region).dates if day > date.min),
        suggestions=_suggestions(parse(provider, model).provider, model) if reason else [],
    )


def diff_prices(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the prices that differ between two lists, or are in one of them only.

    Args:
        before: A frame of ``list_prices``, of one day or book.
        after: A frame of another.

    Returns:
        ``provider``, ``model``, ``service_tier``, ``context_from``, ``rate``, ``before``, ``after`` (Int64
        pico-dollars, null where not listed), a row for each rate that differs.
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


class RuleCheck(msgspec.Struct, kw_only=True, frozen=True):
    """The result of checking one rule of a price file.

    Attributes:
        where: File and line.
        models: The number of models of the table it applies to.
        notes: Remarks on probable mistakes; empty where there are none.
    """

    where: str
    models: int
    notes: tuple[str, ...]


def verify_price_file(path: Path) -> list[RuleCheck]:
    """Check a price file against the price table.

    Raises:
        UsageError: The file is not valid; the message names the line.
    """
    return [_check_rule(rule) for rule in read_price_file(path).rules]


def _check_rule(rule: PriceRule) -> RuleCheck:
    covered = [
        (provider, info)
        for provider, info in listings()
        if rule.scope.covers(provider.id, names_in_rules(info.id.lower()), rule.scope.region)
    ]
    notes = []
    exact = not any(character in rule.scope.model for character in "*?")
    if not covered and not (exact and find_listing(rule.scope.provider, rule.scope.model)):
        close = _suggestions(rule.scope.provider, rule.scope.model)
        hint = suggest(close)
        notes.append(f"no model of the price table matches provider {rule.scope.provider!r}, model "
                     f"{rule.scope.model!r}: correct for a model of your own.{hint}")  # fmt: skip
    if rule.is_price and {"input", "output"} - rule.rates.keys() and not covered:
        notes.append("gives no price for both input and output tokens, and the table has none to add.")
    moment = datetime.combine(min(max(rule.scope.start, date(2024, 1, 1)), date(2100, 1, 1)), NOON, UTC)
    for provider, info in covered:
        listing = find_listing(provider.id, info.id.lower())
        listed = listing.standard(moment).schedule.at(0) if listing else {}
        for kind, rate in rule.rates.items():
            factor = rate / listed[kind] if kind in TOKEN_RATES and listed.get(kind) and rate else 1.0
            if not 1 / SUSPICIOUS_FACTOR <= factor <= SUSPICIOUS_FACTOR:
                notes.append(f"{kind} is {factor:.3g} times the listed price of {provider.id}/{info.id}: "
                             "rates are dollars per million tokens.")  # fmt: skip
    return RuleCheck(where=rule.where, models=len(covered), notes=tuple(notes))


def _suggestions(provider: str | None, model: str) -> list[str]:
    """Return names similar to an unknown one: the provider's, or else those of any provider."""
    own = [(owner.id, info.id.lower()) for owner, info in listings() if owner.id == provider]
    for known in (own, [(owner.id, info.id.lower()) for owner, info in listings()]):
        owners = {name: owner for owner, name in reversed(known)}
        if close := similar_names(parse(provider, model).model, owners, limit=3, min_similarity=0.75):
            return [f"{owners[name]}/{name}" for name in close]
    return []
