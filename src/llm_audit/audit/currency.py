"""A document's amounts in another currency, each converted once from its exact US dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from llm_audit.document.audit import Document
from llm_audit.money import PICO_PER_USD

if TYPE_CHECKING:
    from llm_audit.pricing import Currency

_AMOUNTS = frozenset(
    {
        "abstained_cost",
        "actual",
        "actual_cost",
        "ambiguous",
        "amount",
        "by_token_type",
        "by_weekday",
        "ceiling",
        "computed",
        "cost",
        "cost_by_tier",
        "covered_cost",
        "difference",
        "discount",
        "fallback_cost",
        "estimated",
        "flagship_tax",
        "floor",
        "further_saving",
        "high",
        "invoiced",
        "kept_back",
        "listed",
        "low",
        "monthly",
        "per_request",
        "per_trace",
        "plan_cost",
        "policy_cost",
        "risk_per_request",
        "risk_per_trace",
        "saved",
        "saved_per_lost_answer",
        "spent",
        "stated",
        "tax_at_high",
        "tax_annual",
        "tax_at_low",
        "uncovered",
        "tax_monthly",
        "usual_cost",
    }
)
"""Fields that hold amounts, where they hold text: counts and shares of the same name are numbers."""

_KEPT = frozenset({"price_rows", "metrics", "basis"})
"""Sections that stay in US dollars: price rows are what a provider lists, the others are what comparisons read."""


def convert(document: Document, currency: Currency) -> Document:
    """Return the document with its amounts in another currency, and a note that says so."""
    note = currency.note
    if note is None:
        return document
    changed = {
        name: _converted(name, getattr(document, name), currency)
        for name in document.__struct_fields__
        if name not in _KEPT
    }
    said = f"{note} Price rows, and amounts inside sentences, are in US dollars."
    return msgspec.structs.replace(document, **changed | {"currency": currency.code, "currency_note": said})


def _converted(name: str, value: Any, currency: Currency) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = {field: _converted(field, getattr(value, field), currency) for field in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if isinstance(value, list):
        return [_converted(name, item, currency) for item in value]
    if isinstance(value, dict):
        return {key: _converted(name, item, currency) for key, item in value.items()}
    return _amount(value, currency) if name in _AMOUNTS and isinstance(value, str) else value


def _amount(text: str, currency: Currency) -> str:
    dollars, _, decimals = text.lstrip("-").partition(".")
    pico = int(dollars) * PICO_PER_USD + int(decimals.ljust(12, "0"))
    return currency.amount(-pico if text.startswith("-") else pico)
