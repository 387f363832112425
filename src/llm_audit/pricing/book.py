"""The price book: for any provider, model, service tier, region and time, the price rows that apply, or why none does.

Three layers, later ones first in force: the price table (genai-prices), the packaged corrections (``overlay.toml``),
the user's price files in the order given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path

import polars as pl

from llm_audit.catalog.aliases import Aliases
from llm_audit.model_names import names_of, parse, sold_apart
from llm_audit.pricing import listing as table
from llm_audit.pricing.layers import Changes, Plan
from llm_audit.pricing.rows import PriceRow, Quote, Unpriced, rows_frame, sort_key
from llm_audit.pricing.rules import PriceFile, parse_price_file, read_price_file

UNDATED = datetime(2100, 1, 1, 12, tzinfo=UTC)
"""A request without a time is priced at the latest prices, at noon."""


class PriceBook:
    """Prices, and a record of those used.

    Args:
        user_files: Price files (see ``pricing.rules``); later ones override.
        aliases: Names in the log to models the price table knows; they override those of the files.

    Raises:
        UsageError: A price file cannot be read or is not valid.
    """

    def __init__(self, user_files: Sequence[Path] = (), *, aliases: Mapping[str, str] | None = None) -> None:
        self.files: tuple[PriceFile, ...] = (_overlay(), *(read_price_file(Path(path)) for path in user_files))
        names = {name: target for file in self.files for name, target in file.aliases.items()}
        self._names = names | dict(aliases or {})
        self._aliases = Aliases(self._names)
        self._plans: dict[tuple[str | None, str | None, str | None], Plan | Unpriced] = {}
        self._quotes: dict[tuple[object, ...], Quote] = {}
        self._used: dict[PriceRow, None] = {}

    @property
    def fingerprint(self) -> str:
        """A SHA-256 of everything that decides a price: the table's version, corrections, user files and aliases."""
        parts = [metadata.version("genai-prices"), *(file.sha256 for file in self.files)]
        parts += [f"{name}={target}" for name, target in sorted(self._names.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def rates(self) -> pl.DataFrame:
        """The price rows used so far, sorted by provider, model, tier, region, date and context.

        Columns: ``price_id``, ``provider``, ``model``, ``service_tier``, ``region``, ``since`` (Date),
        ``context_from``, ``<rate>_rate`` (Int64 pico-dollars per token, request or tool call; null where there is no
        price), ``source``, ``matched``, ``basis``.
        """
        return rows_frame(sorted(self._used, key=sort_key))

    def quote(
        self,
        provider: str | None,
        model: str | None,
        service_tier: str | None,
        region: str | None,
        moment: datetime | None,
    ) -> Quote:
        """The price rows of a model, service tier and region at a time (UTC; None: the latest)."""
        plan = self._plan(provider, model, region)
        if isinstance(plan, Unpriced):
            return Quote(reason=plan)
        moment, service_tier = moment or UNDATED, service_tier or "standard"
        key = (provider, model, region, service_tier, plan.period(moment))
        if key not in self._quotes:
            self._quotes[key] = plan.quote(service_tier, moment)
        return self._quotes[key]

    def changes(self, provider: str | None, model: str | None, region: str | None) -> Changes:
        """What a model's price depends on of a request's time."""
        plan = self._plan(provider, model, region)
        return Changes() if isinstance(plan, Unpriced) else plan.changes

    def record(self, rows: Iterable[PriceRow]) -> None:
        """Note rows as used."""
        self._used.update(dict.fromkeys(rows))

    def _plan(self, provider: str | None, model: str | None, region: str | None) -> Plan | Unpriced:
        key = (provider, model, region)
        if key not in self._plans:
            self._plans[key] = self._make_plan(provider, model, region)
        return self._plans[key]

    def _make_plan(self, provider: str | None, model: str | None, region: str | None) -> Plan | Unpriced:
        if not model or not model.strip():
            return Unpriced.NO_MODEL
        reference = parse(provider, model)
        if target := self._aliases.target(provider, model):
            named = parse(None, target)
            reference = named if named.provider else parse(provider, target)
        if reference.provider is None:
            return Unpriced.UNKNOWN_PROVIDER
        region = region or reference.region
        listing = table.find(reference.provider, reference.model)
        # A rule for the table's own name holds for all that the table prices by it.
        listed = (listing.model.id,) if listing and not sold_apart(reference.model) else ()
        names = (*names_of(reference.model), model, *listed)
        every = (rule for file in self.files for rule in file.rules)
        rules = [rule for rule in every if rule.scope.covers(reference.provider, names, region)]
        if listing is None and not any(rule.is_price for rule in rules):
            known = table.find_provider(reference.provider) is not None
            return Unpriced.UNKNOWN_MODEL if known else Unpriced.UNKNOWN_PROVIDER
        return Plan(provider=reference.provider, model=reference.model, region=region, listing=listing, rules=rules)


def _overlay() -> PriceFile:
    data = resources.files("llm_audit.pricing").joinpath("overlay.toml").read_bytes()
    return parse_price_file(data, name="overlay.toml", origin="overlay")
