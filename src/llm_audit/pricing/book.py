"""The price book: price rows by provider, model, service tier, region and time, or the reason why there are none.

There are three layers, of which later ones take precedence: the price table (genai-prices), the packaged corrections
(``overlay.toml``), and the user's price files in the order given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import polars as pl

from llm_audit.catalog import Aliases
from llm_audit.model_names import names_in_rules, parse, priced_separately
from llm_audit.pricing import price_table
from llm_audit.pricing.model_prices import ModelPrices, PriceChanges
from llm_audit.pricing.price_rows import Quote, ResolvedPrice, Unpriced, rows_frame, sort_key
from llm_audit.pricing.rules import PriceFile, parse_price_file, read_price_file

_CHECKED_VERSION = "0.2.3"
"""The version of genai-prices that the packaged corrections were made for."""
_CHECKED = date(2026, 11, 23)
"""The day on which its prices and the corrections were last checked against the providers' own pages."""

LATEST = datetime(2100, 1, 1, 12, tzinfo=UTC)
"""A time at which the latest prices hold."""
_PACKAGED = "overlay"
"""The origin of the packaged corrections' rules."""


class PriceBook:
    """All prices, and the price rows that were used.

    Args:
        user_files: Price files (see ``pricing.rules``); later ones override.
        aliases: Names in the log to models in the price table; they override those of the files.

    Raises:
        UsageError: A price file cannot be read or is not valid.
    """

    def __init__(self, user_files: Sequence[Path] = (), *, aliases: Mapping[str, str] | None = None) -> None:
        self.files: tuple[PriceFile, ...] = (_overlay(), *(read_price_file(Path(path)) for path in user_files))
        names = {name: target for file in self.files for name, target in file.aliases.items()}
        self._names = names | dict(aliases or {})
        self._aliases = Aliases(self._names)
        self._models: dict[tuple[str | None, str | None, str | None], ModelPrices | Unpriced] = {}
        self._quotes: dict[tuple[object, ...], Quote] = {}
        self._used: dict[ResolvedPrice, None] = {}
        self.undated_at = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        """The time at which requests without one are priced: today, until the times of an audit are known."""

    def published(self) -> PriceBook | None:
        """Return a book of the published prices alone, with the same names; None where this one has no others."""
        if not any(rule.origin != _PACKAGED for file in self.files for rule in file.rules):
            return None
        book = PriceBook(aliases=self._names)
        book.undated_at = self.undated_at
        return book

    @property
    def fingerprint(self) -> str:
        """Return a SHA-256 of what decides a price: the table's version, corrections, user files and aliases."""
        parts = [metadata.version("genai-prices"), *(file.sha256 for file in self.files)]
        parts += [f"{name}={target}" for name, target in sorted(self._names.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def checked(self) -> date | None:
        """Return the day on which the price table was last checked; None for another version, or with a user's prices.

        What a user prices is as recent as they keep it.
        """
        own = len(self.files) == 1 and metadata.version("genai-prices") == _CHECKED_VERSION
        return _CHECKED if own else None

    @property
    def rates(self) -> pl.DataFrame:
        """Return the price rows used so far, sorted by provider, model, tier, region, date and context.

        Columns: ``price_id``, ``provider``, ``model``, ``service_tier``, ``region``, ``since`` (Date),
        ``context_from``, ``<rate>_rate`` (Int64 pico-dollars per token, request or tool call; null where there is no
        price), ``source``, ``matched``, ``basis``.
        """
        return rows_frame(self.used)

    def quote(
        self,
        provider: str | None,
        model: str | None,
        service_tier: str | None,
        region: str | None,
        moment: datetime | None,
        *,
        fees: bool = False,
    ) -> Quote:
        """Return the price rows of a model, service tier and region at a time (UTC; None: ``undated_at``).

        ``fees`` are wanted for requests that are billed units beside tokens, requests and tool calls.
        """
        prices = self._model_prices(provider, model, region)
        if isinstance(prices, Unpriced):
            return Quote(reason=prices)
        moment, service_tier = moment or self.undated_at, service_tier or "standard"
        key = (provider, model, region, service_tier, prices.period(moment), fees)
        if key not in self._quotes:
            self._quotes[key] = prices.quote(service_tier, moment, fees=fees)
        return self._quotes[key]

    def changes(self, provider: str | None, model: str | None, region: str | None) -> PriceChanges:
        """Return the times at which a model's price may change."""
        prices = self._model_prices(provider, model, region)
        return PriceChanges() if isinstance(prices, Unpriced) else prices.changes

    @property
    def used(self) -> tuple[ResolvedPrice, ...]:
        """Return the price rows used so far, in the order of ``rates``."""
        return tuple(sorted(self._used, key=sort_key))

    def record(self, rows: Iterable[ResolvedPrice]) -> None:
        """Record rows as used."""
        self._used.update(dict.fromkeys(rows))

    def _model_prices(self, provider: str | None, model: str | None, region: str | None) -> ModelPrices | Unpriced:
        key = (provider, model, region)
        if key not in self._models:
            self._models[key] = self._resolve(provider, model, region)
        return self._models[key]

    def _resolve(self, provider: str | None, model: str | None, region: str | None) -> ModelPrices | Unpriced:
        if not model or not model.strip():
            return Unpriced.NO_MODEL
        reference = parse(provider, model)
        if target := self._aliases.target(provider, model):
            named = parse(None, target)
            reference = named if named.provider else parse(provider, target)
        if reference.provider is None:
            return Unpriced.UNKNOWN_PROVIDER
        region = region or reference.region
        listing = price_table.find_listing(reference.provider, reference.model)
        # A rule for the table's name of a model applies to every name that the table resolves to it.
        listed = (listing.model.id,) if listing and not priced_separately(reference.model) else ()
        names = (*names_in_rules(reference.model), model, *listed)
        all_rules = (rule for file in self.files for rule in file.rules)
        rules = [rule for rule in all_rules if rule.scope.covers(reference.provider, names, region)]
        if listing is None and not any(rule.listed_rates for rule in rules):
            known = price_table.find_provider(reference.provider) is not None
            return Unpriced.UNKNOWN_MODEL if known else Unpriced.UNKNOWN_PROVIDER
        return ModelPrices(
            provider=reference.provider, model=reference.model, region=region, listing=listing, rules=rules
        )


@cache
def _overlay() -> PriceFile:
    data = resources.files("llm_audit.pricing").joinpath("overlay.toml").read_bytes()
    return parse_price_file(data, name="overlay.toml", origin=_PACKAGED)
