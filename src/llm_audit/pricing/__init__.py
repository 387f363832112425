"""Exact costs: prices by provider, model, service tier, region and time, and the cost of each request.

Other packages import from here only; the modules of this package are its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.pricing.book import PriceBook
    from llm_audit.pricing.cost import COST_COLUMNS, PRICED_BY, list_costs, price, rates_for
    from llm_audit.pricing.currency import Currency, parse_currency
    from llm_audit.pricing.describe import (
        PriceDetails,
        RuleCheck,
        diff_prices,
        list_prices,
        price_details,
        verify_price_file,
    )
    from llm_audit.pricing.invoice import Invoice, read_invoice
    from llm_audit.pricing.invoiced_costs import (
        InvoiceComparison,
        add_days,
        costs_by_day,
        reconcile_invoice,
        tie_out,
    )
    from llm_audit.pricing.lookup import PRICED_AT, price_periods
    from llm_audit.pricing.model_prices import PriceChanges
    from llm_audit.pricing.price_rows import ResolvedPrice, Unpriced
    from llm_audit.pricing.row_keys import EncodedRows, distinct_keys
    from llm_audit.pricing.stated_costs import reconcile_stated

__all__ = [
    "COST_COLUMNS",
    "PRICED_AT",
    "PRICED_BY",
    "Currency",
    "EncodedRows",
    "Invoice",
    "InvoiceComparison",
    "PriceBook",
    "PriceChanges",
    "PriceDetails",
    "ResolvedPrice",
    "RuleCheck",
    "Unpriced",
    "add_days",
    "costs_by_day",
    "diff_prices",
    "distinct_keys",
    "list_costs",
    "list_prices",
    "parse_currency",
    "price",
    "price_details",
    "price_periods",
    "rates_for",
    "read_invoice",
    "reconcile_invoice",
    "reconcile_stated",
    "tie_out",
    "verify_price_file",
]

_MODULES = {
    "COST_COLUMNS": "cost",
    "PRICED_AT": "lookup",
    "PRICED_BY": "cost",
    "Currency": "currency",
    "EncodedRows": "row_keys",
    "Invoice": "invoice",
    "InvoiceComparison": "invoiced_costs",
    "PriceBook": "book",
    "PriceChanges": "model_prices",
    "PriceDetails": "describe",
    "ResolvedPrice": "price_rows",
    "RuleCheck": "describe",
    "Unpriced": "price_rows",
    "add_days": "invoiced_costs",
    "costs_by_day": "invoiced_costs",
    "diff_prices": "describe",
    "distinct_keys": "row_keys",
    "list_costs": "cost",
    "list_prices": "describe",
    "parse_currency": "currency",
    "price": "cost",
    "price_details": "describe",
    "price_periods": "lookup",
    "rates_for": "cost",
    "read_invoice": "invoice",
    "reconcile_invoice": "invoiced_costs",
    "reconcile_stated": "stated_costs",
    "tie_out": "invoiced_costs",
    "verify_price_file": "describe",
}


def __getattr__(name: str) -> Any:
    """Import on first use: an audit that is kept needs no prices."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
