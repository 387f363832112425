"""The cost of a call as its log states it: an amount, an object of costs, or a field that is named after its unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from llm_audit.sources.entry import Request
from llm_audit.sources.records.billing import amounts
from llm_audit.sources.records.billing.amounts import NOTHING, UNCLEAR, Stated, amount
from llm_audit.sources.records.column_names import ABSENT, Columns, columns_of
from llm_audit.sources.records.fields import Json, as_int, first, number, parsed, text
from llm_audit.sources.records.tokens.contradictions import named_as_unread
from llm_audit.sources.records.tokens.names import normalize_name
from llm_audit.vocabulary import Operation, ServiceTier

_TOTALS = (
    "total_cost", "total_cost_usd", "totalCost", "total", "cost_usd", "usd", "amount", "value", "cost",
    "upstream_inference_cost",  # of OpenRouter, with its parts beside it
)  # fmt: skip
_UNITS = ("currency", "currency_code", "currencyCode", "unit")
_MONEY = frozenset({"units", "nanos", "currency_code", "currencyCode"})  # of google.type.Money
_PARTS = frozenset(
    {"input", "output", "prompt", "completion", "cache_read", "cache_write", "cached_input", "cached", "cache"}
    | {"cache_creation", "cache_hit"}
)
_NANO = Decimal("1e-9")
_MOST_PICO = 10**9
"""More than any model's price of a token: $1,000 a million."""
_HIGH_PICO = 60 * 10**6
"""More than all but a few models' price of a token, and with so short an amount rather a price: $60 a million."""
_SHORT = 3
"""Digits of most prices of a million tokens; the cost of thousands of tokens has more as a rule."""
_MANY_TOKENS = 1000
_BY_THE_UNIT = re.compile(
    r"dall-?e|image|imagine|nano-banana|stable-diffusion|flux|whisper|\btts-|sora|veo-", re.IGNORECASE
)
"""Models that are billed by the image, the second or the character, or whose images are."""
_DEAR = re.compile(r"opus|\bo[13]-pro|gpt-4\.5|gpt-4-32k|gpt-[5-9][\w.-]*-pro|realtime|audio", re.IGNORECASE)
"""Models of which some tokens cost more than that."""
_MAY_BE_RATES = frozenset({"price", "price_usd"})
"""Names of costs that may as well be prices of a million tokens."""
_PRICED_BY_TOKENS = frozenset({Operation.CHAT, Operation.EMBEDDING})  # an image costs more than its tokens tell


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
    given = [item for name, item in named.items() if (alone or name.endswith("cost")) and item is not None]
    found = _sum(amount(item, unit) for item in given)
    return Stated(left_out=UNCLEAR) if found is NOTHING and any(map(number, named.values())) else found


def _sum(parts: Iterable[Stated]) -> Stated:
    """Return the sum of the parts of a cost; nothing where one of them is not known."""
    total: int | None = None
    for part in parts:
        if part.left_out or part.pico is None:
            return part
        total = part.pico + (total or 0)
    return NOTHING if total is None else Stated(total)


def _after_total(name: str) -> str:
    """Return what follows the words for a total in a name: the unit of ``total_cents`` and of ``amount_eur``."""
    for word in ("total_", "amount_", "value_", "cost_"):
        name = name.removeprefix(word)
    return name


def cost_of_usage(usage: Json) -> int | None:
    """Return the cost that a response's usage states."""
    columns = columns_of(usage)
    if columns.cost is ABSENT and columns.other_cost is ABSENT and columns.input_cost is ABSENT:  # as most are
        return None
    other = usage.get(columns.other_cost)
    if other is not None and (found := stated(other, unit_of(columns.other_cost)).pico) is not None:
        return found
    return stated_in(usage, columns).pico


def stated_in(record: Json, columns: Columns) -> Stated:
    """Return the cost that a record states in its columns: as a whole, or else as that of its input and output.

    The unit is that of the column's name or of the currency beside it; of two that differ, the one that is no dollar.
    """
    get = record.get
    unit, cost, other = text(get(columns.currency)), get(columns.cost), get(columns.other_cost)
    if cost is not None:
        return stated(cost, unit)
    if other is not None:
        return stated(other, _unit_of_two(unit_of(columns.other_cost), unit))
    if get(columns.input_cost) is None or get(columns.output_cost) is None:
        return NOTHING
    keys = {part: getattr(columns, part) for part in amounts.PARTS}
    if any(_is_another_part(str(name)) and number(value) for name, value in record.items()):
        return Stated(left_out=UNCLEAR)  # of which it is not known whether it is in these
    units = {part: amounts.PARTS[part].get(normalize_name(key)) or None for part, key in keys.items()}
    return _sum(
        amount(value, _unit_of_two(units[part], unit))
        for part, key in keys.items()
        if (value := get(key)) is not None and value != ""
    )


def _is_another_part(name: str) -> bool:
    bare = normalize_name(name)
    return (bare.endswith("_cost") or bare.startswith("cost_")) and not any(bare in of for of in amounts.PARTS.values())


def _may_be_rates(record: Json, columns: Columns) -> bool:
    """Return whether a record states its cost in parts, or under a name that prices of a million go by too."""
    if record.get(columns.cost) is not None:
        return columns.names("cost", *_MAY_BE_RATES)
    return record.get(columns.other_cost) is None


def _are_rates(stated: Stated, request: Request) -> bool:
    """Return whether a cost is beyond any price of so many tokens, so that it is a price of a million, or their sum.

    Of thousands of tokens an amount of few digits is as well where hardly any model would cost that much, and the
    request is of none that does, without fees and faster output.
    """
    pico, usage = stated.pico or 0, request.usage
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0) + (usage.cache_read_tokens or 0)
    tokens += (usage.cache_write_5m_tokens or 0) + (usage.cache_write_1h_tokens or 0)
    is_dear = bool(usage.tool_calls_billed or request.service_tier == ServiceTier.FAST or _DEAR.search(request.model))
    is_short = tokens >= _MANY_TOKENS and len(str(pico).rstrip("0")) <= _SHORT and not is_dear
    return tokens > 0 and pico > tokens * (_HIGH_PICO if is_short else _MOST_PICO)


def _unit_of_two(named: str | None, beside: str | None) -> str | None:
    return named if beside is None or (named is not None and amounts.is_dollars(beside)) else beside


def unit_of(column: str) -> str | None:
    """Return the unit that the name of a column of costs ends in; None where it names none.

    >>> unit_of("costInCents"), unit_of("Total Cost (EUR)"), unit_of("cost")
    ('cents', 'eur', None)
    """
    return amounts.COLUMNS.get(normalize_name(column))


def set_stated(request: Request, record: Json, columns: Columns) -> None:
    """Set the stated cost of a request; one that is not in dollars or unclear is left out, and named as not used."""
    found = stated_in(record, columns)
    if found == NOTHING:
        return  # what the usage states holds
    by_tokens = request.operation in _PRICED_BY_TOKENS and not _BY_THE_UNIT.search(request.model or "")
    if by_tokens and _may_be_rates(record, columns) and _are_rates(found, request):
        found = Stated(left_out=UNCLEAR)
    request.stated_cost_pico = found.pico
    if found.left_out:
        request.usage = named_as_unread(request.usage, [found.left_out])
