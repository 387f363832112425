"""The cost of a call as its log states it, in dollars: a number, a text, an object of parts, or ticks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from llm_audit.sources.entry import Request
from llm_audit.sources.records.calls import cost_pico
from llm_audit.sources.records.fields import Json, as_int, first, parsed, text
from llm_audit.sources.records.tokens.names import normalize_name

_TOTALS = ("total_cost", "total_cost_usd", "totalCost", "total", "cost_usd", "usd", "amount", "value", "cost")
_DOLLARS = frozenset({"usd", "$", "us$", "dollar", "dollars"})
_PICO_PER_TICK = 100  # xAI counts in 10^-10 dollars


def stated_pico(value: object) -> int | None:
    """Return a stated amount of dollars as pico-dollars; of an object of costs, its total or the sum of its parts.

    >>> stated_pico("$0.25"), stated_pico({"input_cost": 0.1, "output_cost": 0.2}), stated_pico({"total": 1})
    (250000000000, 300000000000, 1000000000000)
    """
    value = parsed(value) if isinstance(value, str) and value.lstrip()[:1] == "{" else value
    if isinstance(value, str):
        return cost_pico(value.strip().removeprefix("$"))
    if not isinstance(value, Mapping):
        return cost_pico(value)
    if not is_dollars(value.get("currency")):
        return None
    total = first(value, *_TOTALS)
    if total is not None:
        return cost_pico(total)
    parts = [item for name, item in value.items() if str(name).endswith("cost") and isinstance(item, int | float | str)]
    amounts = [cost_pico(part) for part in parts]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def is_dollars(currency: object) -> bool:
    """Return whether an amount is in US dollars: by its currency, or because none is named."""
    named = text(currency)
    return named is None or named.strip().lower() in _DOLLARS


def cost_of_usage(usage: Json) -> int | None:
    """Return the cost that a response's usage states."""
    ticks = as_int(usage.get("cost_in_usd_ticks"))
    if ticks is not None and ticks >= 0:
        return cost_pico(Decimal(ticks * _PICO_PER_TICK).scaleb(-12))
    return stated_pico(usage.get("cost"))


def set_stated(request: Request, cost: object, currency: object, *, other: tuple[object, str] = (None, "")) -> None:
    """Set the stated cost of a request; one in another currency is left out, and named as not used.

    Args:
        request: The request to change.
        cost: The cost, as stated.
        currency: Its currency; None for dollars.
        other: A cost in a column that is named after its currency, and the column.
    """
    if cost is None and other[0] is not None:
        cost, currency = other[0], normalize_name(other[1]).rpartition("_")[2]
    if is_dollars(currency):
        request.stated_cost_pico = stated_pico(cost)
        return
    if stated_pico(cost):
        left_out = f"cost in {(text(currency) or '').strip().upper()[:12]}"
        unread = request.usage.unread_counts
        request.usage = replace(request.usage, unread_counts=f"{unread},{left_out}" if unread else left_out)
