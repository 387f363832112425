"""Exact costs: prices by provider, model, service tier, region and time, and what each request cost."""

from __future__ import annotations

from llm_audit.pricing.book import PriceBook
from llm_audit.pricing.cost import COST_COLUMNS, PRICED_BY, price, rates_for
from llm_audit.pricing.price_rows import PriceRow, Unpriced

__all__ = ["COST_COLUMNS", "PRICED_BY", "PriceBook", "PriceRow", "Unpriced", "price", "rates_for"]
