"""Costs by day and provider of a saved audit, to tie it out with an invoice without its logs."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import msgspec
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.document.audit import Document
from llm_audit.errors import UsageError
from llm_audit.money import total_pico
from llm_audit.pricing import add_days

_AGAIN = "Give --invoice to `llm-audit analyze`, which reads the logs."
_NAMELESS = "(none)"
Model = tuple[str, str]


class _Costs(msgspec.Struct):
    """Requests of one model with their costs."""

    requests: int = 0
    unpriced: int = 0
    computed_pico: int = 0
    stated_pico: int | None = None

    def add(self, other: _Costs) -> None:
        self.requests += other.requests
        self.unpriced += other.unpriced
        self.computed_pico += other.computed_pico
        if other.stated_pico is not None:
            self.stated_pico = (self.stated_pico or 0) + other.stated_pico

    def without(self, part: _Costs) -> _Costs:
        """Return the rest; a stated cost of zero is not known of it."""
        return _Costs(
            self.requests - part.requests,
            self.unpriced - part.unpriced,
            self.computed_pico - part.computed_pico,
            None if self.stated_pico is None else (self.stated_pico - (part.stated_pico or 0)) or None,
        )


def days_of(document: Document, *, catalog: Catalog) -> pl.DataFrame:
    """Return what ``pricing.costs_by_day`` gives of the requests of a saved audit.

    Raises:
        UsageError: The audit does not have it: it says why.
    """
    _check(document)
    rows: list[tuple[str | None, Model, _Costs]] = []
    dated: dict[Model, _Costs] = defaultdict(_Costs)
    for mix in document.model_mix_daily:
        costs = _Costs(mix.requests, mix.unpriced_requests or 0, _pico(mix.cost) or 0, _pico(mix.stated))
        rows.append((mix.date, (mix.provider, mix.model), costs))
        dated[mix.provider, mix.model].add(costs)
    for model, costs in _undated(document, dated, catalog).items():
        rows.append((None, model, costs))
    return add_days(
        pl.DataFrame(
            [
                {
                    "day": None if day is None else dt.date.fromisoformat(day),
                    "provider": _provider(model, catalog),
                    "billed": True,
                    "requests": costs.requests,
                    "unpriced_requests": costs.unpriced,
                    "computed_pico": costs.computed_pico,
                    "list_pico": costs.computed_pico,
                    "stated_pico": costs.stated_pico,
                }
                for day, model, costs in rows
            ],
            schema={"day": pl.Date, "provider": pl.String, "billed": pl.Boolean}
            | dict.fromkeys(("requests", "unpriced_requests"), pl.Int64)
            | dict.fromkeys(("computed_pico", "list_pico", "stated_pico"), pl.Int128),
        )
    )


def _undated(document: Document, dated: dict[Model, _Costs], catalog: Catalog) -> dict[Model, _Costs]:
    """Return the costs of each model's requests without a time: those of all less those of the days.

    What they state is not known of a provider with requests of such a model that have no price: the sum of all lacks
    what these state, and that of the days has it.
    """
    found = {model: rest for model, costs in _all(document).items() if (rest := costs.without(dated[model])).requests}
    unknown = {_provider(model, catalog) for model, rest in found.items() if dated[model].unpriced or rest.unpriced}
    for model, rest in found.items():
        if _provider(model, catalog) in unknown:
            rest.stated_pico = None
    return found


def _provider(model: Model, catalog: Catalog) -> str | None:
    return catalog.provider(*(None if name == _NAMELESS else name for name in model))


def _all(document: Document) -> dict[Model, _Costs]:
    """Return the costs of each model, those of requests without a time included."""
    found: dict[Model, _Costs] = defaultdict(_Costs)
    for mix in document.model_mix:
        found[mix.provider, mix.model].add(_Costs(mix.requests, 0, _pico(mix.cost) or 0))
    for unpriced in document.unpriced_models:
        found[unpriced.provider, unpriced.model].unpriced += unpriced.requests
    for stated in document.reconciliation:
        found[stated.provider, stated.model].add(_Costs(stated_pico=_pico(stated.stated)))
    return found


def _check(document: Document) -> None:
    """Check that days and amounts of an audit can be compared with an invoice.

    Raises:
        UsageError: They cannot.
    """
    if document.currency != "USD":
        raise UsageError(f"The saved audit is in {document.currency}, an invoice in US dollars. {_AGAIN}")
    if document.period.timezone != "UTC":
        raise UsageError(
            f"The saved audit has days of {document.period.timezone}, an invoice has days in UTC. {_AGAIN}"
        )
    if document.billing is not None and document.billing.api_equivalent is not None:
        raise UsageError(f"The saved audit has costs that are not billed by use, and no days of the others. {_AGAIN}")
    if any(mix.unpriced_requests is None for mix in document.model_mix_daily):
        raise UsageError(f"The saved audit is of a version before 2.3, without what an invoice needs. {_AGAIN}")
    if any(row.source == "user file" for row in document.price_rows):
        raise UsageError(f"The saved audit was priced with price files, and lacks published prices. {_AGAIN}")


def _pico(amount: str | None) -> int | None:
    return None if amount is None else total_pico(amount)
