"""Read the price table: the packaged form of one version of genai-prices, else the installed version's own form."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

import msgspec

from llm_audit.pricing.price_table.models import (
    Clause,
    Condition,
    DatedPrices,
    Model,
    Prices,
    PriceTable,
    Provider,
    Tiered,
)

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, StartDateConstraint, TimeOfDateConstraint

SOURCE, FILE = "genai-prices", "genai_prices.json"
LICENCE = "MIT, Copyright Pydantic Services Inc."


@cache
def providers() -> tuple[Provider, ...]:
    """Return the providers of the installed version, whose updater, which would use the network, is never started."""
    data = resources.files("llm_audit.pricing.price_table").joinpath(FILE).read_bytes()
    packaged = msgspec.json.decode(data, type=PriceTable)
    return packaged.providers if packaged.version == metadata.version(SOURCE) else converted().providers


def converted() -> PriceTable:
    """Return the table of the installed version of genai-prices; loading it takes a while."""
    from genai_prices.data import providers as listed

    return PriceTable(
        source=SOURCE,
        version=metadata.version(SOURCE),
        licence=LICENCE,
        providers=tuple(
            Provider(
                id=provider.id,
                match=_clause(provider.provider_match) if provider.provider_match else None,
                sells=tuple(provider.fallback_model_providers or ()),
                models=tuple(_model(model) for model in provider.models),
            )
            for provider in listed
        ),
    )


def _model(model: ModelInfo) -> Model:
    dated = model.prices if isinstance(model.prices, list) else None
    return Model(
        id=model.id,
        match=_clause(model.match),
        prices=tuple(DatedPrices(_prices(one.prices), _condition(one.constraint)) for one in dated)
        if dated is not None
        else (DatedPrices(_prices(model.prices)),),
        variants=tuple(
            DatedPrices(_prices(one.prices), _condition(one.constraint), one.when) for one in model.price_variants or ()
        ),
    )


def _clause(clause: Any) -> Clause:
    """Return a clause, which has one field, named after what it compares."""
    ((name, value),) = vars(clause).items()
    if isinstance(value, list):
        return Clause(name.rstrip("_"), "", tuple(map(_clause, value)))
    return Clause(name, value if name == "regex" else value.lower())


def _prices(prices: Any) -> Prices:
    return {
        name: value
        if not hasattr(value, "tiers")
        else Tiered(value.base, tuple((tier.start, tier.price) for tier in value.tiers))
        for name, value in sorted(vars(prices).items())
        if value is not None
    }


def _condition(constraint: StartDateConstraint | TimeOfDateConstraint | None) -> Condition | None:
    if constraint is None:
        return None
    fields = vars(constraint)
    return Condition(fields.get("start_date"), *(_in_utc(fields.get(name)) for name in ("start_time", "end_time")))


def _in_utc(moment: time | None) -> time | None:
    """Return a time of day in UTC, which one without a zone is in."""
    if moment is None or moment.tzinfo is None:
        return moment
    return datetime.combine(date(1970, 1, 1), moment).astimezone(UTC).time()
