"""The cost of a call as its log states it: an amount, an object of costs, or a field that is named after its unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from llm_audit.sources.entry import Request
from llm_audit.sources.records.billing import amounts
from llm_audit.sources.records.billing.amounts import NOTHING, Stated, amount
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.fields import Json, as_int, first, parsed, text
from llm_audit.sources.records.tokens.names import normalize_name

_TOTALS = ("total_cost", "total_cost_usd", "totalCost", "total", "cost_usd", "usd", "amount", "value", "cost")
_UNITS = ("currency", "currency_code", "currencyCode", "unit")
_MONEY = frozenset({"units", "nanos", "currency_code", "currencyCode"})  # of google.type.Money
_PARTS = frozenset({"input", "output", "prompt", "completion", "cache_read", "cache_write", "cached_input"})
_NANO = Decimal("1e-9")


def stated(value: object, unit: str | None = None) -> Stated:
    """Return a stated cost, given the unit that stands beside it; of an object of costs, its total or their sum.

    >>> stated("$0.25").pico, stated({"input_cost": 0.1, "output_cost": 0.2}).pico, stated({"total": 1}).pico
    (250000000000, 300000000000, 1000000000000)
    """
    value = parsed(value) if isinstance(value, str) and value.lstrip()[:1] == "{" else value
    return _of_object(value, unit) if isinstance(value, Mapping) else amount(value, unit)


def _of_object(costs: Json, unit: str | None) -> Stated:
    unit = text(first(costs, *_UNITS)) or unit
    if costs.keys() <= _MONEY:
        whole, nanos = as_int(costs.get("units")), as_int(costs.get("nanos"))
        return NOTHING if whole is None and nanos is None else amount((whole or 0) + (nanos or 0) * _NANO, unit)
    total = first(costs, *_TOTALS)
    if total is not None:
        return amount(total, unit)
    for name, value in costs.items():
        own = amounts.COLUMNS.get(f"cost_{_after_total(normalize_name(name))}")
        if own is not None and value is not None:
            return amount(value, own)
    named = {normalize_name(str(name)): item for name, item in costs.items() if name not in _UNITS}
    alone = named.keys() <= _PARTS
    parts = [
        amount(item, unit)
        for name, item in named.items()
        if (alone or name.endswith("cost")) and isinstance(item, int | float | str)
    ]
    known = [part.pico for part in parts if part.pico is not None]
    left_out = next((part.left_out for part in parts if part.left_out), "")
    return Stated(sum(known)) if known and len(known) == len(parts) else Stated(left_out=left_out)


def _after_total(name: str) -> str:
    """Return what follows the words for a total in a name: the unit of ``total_cents`` and of ``amount_eur``."""
    for word in ("total_", "amount_", "value_", "cost_"):
        name = name.removeprefix(word)
    return name


def cost_of_usage(usage: Json) -> int | None:
    """Return the cost that a response's usage states."""
    columns = columns_of(usage)
    other = usage.get(columns.other_cost)
    if other is not None and (found := stated(other, unit_of(columns.other_cost)).pico) is not None:
        return found
    return stated(usage.get(columns.cost)).pico


def unit_of(column: str) -> str | None:
    """Return the unit that the name of a column of costs ends in; None where it names none.

    >>> unit_of("costInCents"), unit_of("Total Cost (EUR)"), unit_of("cost")
    ('cents', 'eur', None)
    """
    return amounts.COLUMNS.get(normalize_name(column))


def set_stated(request: Request, cost: object, currency: object, *, other: tuple[object, str] = (None, "")) -> None:
    """Set the stated cost of a request; one that is not in dollars or unclear is left out, and named as not used.

    Args:
        request: The request to change.
        cost: The cost, as stated.
        currency: Its currency, or a part of one; None for dollars.
        other: A cost in a column that is named after its unit, and the column.
    """
    unit = text(currency)
    if cost is None and other[0] is not None:
        cost, named = other[0], unit_of(other[1])
        if named is None or unit is None or amounts.is_dollars(unit):
            unit = named
    found = stated(cost, unit)
    request.stated_cost_pico = found.pico
    if found.left_out:
        unread = request.usage.unread_counts
        request.usage = replace(request.usage, unread_counts=f"{unread},{found.left_out}" if unread else found.left_out)
