"""The change in cost between two audits, split into parts that add up exactly.

Costs are taken through five states, each changing one thing from the base's value to the head's, in this order:
the number of requests, the mix of models, the tokens a request takes, how its input splits between fresh and cached,
and the rates. The parts are the differences of successive states, so nothing is left over (the sequential variance of
management accounting, as in Horngren, Datar and Rajan, "Cost Accounting"). A model that the base did not use enters
with its own unit cost, all of it in the mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise

import msgspec

from llm_audit.document.audit import BasisRow
from llm_audit.money import total_pico

PARTS = ("volume", "model_mix", "tokens_per_request", "cache", "price")
TAX_PARTS = ("volume", "model_mix", "per_request")
_OUTPUT_TYPES = ("output", "audio_output")
_PER_CALL = "per_call"


class Unit(msgspec.Struct):
    """The priced requests of one (provider, model, service tier)."""

    requests: int = 0
    tokens: dict[str, int] = msgspec.field(default_factory=dict)
    cost_pico: dict[str, int] = msgspec.field(default_factory=dict)
    policy_pico: int = 0  # of what could not be judged, its cost: it keeps its model

    @property
    def total_pico(self) -> int:
        """Cost of the unit over all token types and calls."""
        return sum(self.cost_pico.values())

    def side(self, *, output: bool) -> int:
        """Return tokens of the input side, cached or not, or of the output side."""
        return sum(count for kind, count in self.tokens.items() if (kind in _OUTPUT_TYPES) == output)

    def rate(self, kind: str) -> Fraction | None:
        """Mean pico-dollars a token of one type; ``None`` where there were no tokens."""
        count = self.tokens.get(kind, 0)
        return Fraction(self.cost_pico.get(kind, 0), count) if count else None


Units = Mapping[tuple[str, str, str], Unit]


def units(rows: Iterable[BasisRow]) -> dict[tuple[str, str, str], Unit]:
    """Sum basis rows by (provider, model, service tier)."""
    found: dict[tuple[str, str, str], Unit] = {}
    for row in rows:
        unit = found.setdefault((row.provider, row.model, row.service_tier), Unit())
        unit.requests += row.requests
        unit.policy_pico += policy_pico(row)
        for kind, count in row.tokens.items():
            unit.tokens[kind] = unit.tokens.get(kind, 0) + count
        for kind, amount in row.cost_by_type.items():
            unit.cost_pico[kind] = unit.cost_pico.get(kind, 0) + total_pico(amount)
    return found


def cost_pico(row: BasisRow) -> int:
    """Return the actual cost of a basis row."""
    return sum(total_pico(amount) for amount in row.cost_by_type.values())


def policy_pico(row: BasisRow) -> int:
    """Return what a basis row would have cost; where none of it could be judged, it keeps its model and its cost."""
    return cost_pico(row) if row.policy_cost is None else total_pico(row.policy_cost)


def cost_parts(base: Units, head: Units) -> dict[str, int]:
    """Pico-dollars of each of ``PARTS``; they add up to the head's cost minus the base's."""
    base_requests = sum(unit.requests for unit in base.values())
    head_requests = sum(unit.requests for unit in head.values())
    base_cost = sum(unit.total_pico for unit in base.values())
    states = [
        Fraction(base_cost),
        Fraction(base_cost * head_requests, base_requests) if base_requests else Fraction(0),
        sum((_at_base_unit_cost(base.get(key), unit) for key, unit in head.items()), Fraction(0)),
        sum((_at_base_split(base.get(key), unit) for key, unit in head.items()), Fraction(0)),
        sum((_at_base_rates(base.get(key), unit) for key, unit in head.items()), Fraction(0)),
        Fraction(sum(unit.total_pico for unit in head.values())),
    ]
    return _differences(PARTS, states)


def tax_parts(base: Units, head: Units) -> dict[str, int]:
    """Pico-dollars of each of ``TAX_PARTS``; they add up to the change in flagship tax."""
    base_requests = sum(unit.requests for unit in base.values())
    head_requests = sum(unit.requests for unit in head.values())
    base_tax = sum(unit.total_pico - unit.policy_pico for unit in base.values())
    mixed = Fraction(0)
    for key, unit in head.items():
        known = base.get(key)
        source = known if known is not None and known.requests else unit
        mixed += Fraction((source.total_pico - source.policy_pico) * unit.requests, source.requests or 1)
    states = [
        Fraction(base_tax),
        Fraction(base_tax * head_requests, base_requests) if base_requests else Fraction(0),
        mixed,
        Fraction(sum(unit.total_pico - unit.policy_pico for unit in head.values())),
    ]
    return _differences(TAX_PARTS, states)


def _differences(names: tuple[str, ...], states: list[Fraction]) -> dict[str, int]:
    whole = [round(state) for state in states]
    return {name: after - before for name, (before, after) in zip(names, pairwise(whole), strict=True)}


def _at_base_unit_cost(base: Unit | None, head: Unit) -> Fraction:
    if base is None or not base.requests:
        return Fraction(head.total_pico)
    return Fraction(base.total_pico * head.requests, base.requests)


def _at_base_split(base: Unit | None, head: Unit) -> Fraction:
    """Return the head's tokens a request, split between token types and charged as in the base."""
    if base is None or not base.requests:
        return Fraction(head.total_pico)
    total = Fraction(head.cost_pico.get(_PER_CALL, 0))
    for output in (False, True):
        tokens = base.side(output=output)
        if tokens:
            kinds = [kind for kind in base.tokens if (kind in _OUTPUT_TYPES) == output]
            cost = sum(base.cost_pico.get(kind, 0) for kind in kinds)
            total += Fraction(cost * head.side(output=output), tokens)
        else:
            total += sum(head.cost_pico.get(kind, 0) for kind in head.tokens if (kind in _OUTPUT_TYPES) == output)
    return total


def _at_base_rates(base: Unit | None, head: Unit) -> Fraction:
    """Return the head's tokens of each type at the base's rates; at its own where the base had no such tokens."""
    if base is None or not base.requests:
        return Fraction(head.total_pico)
    total = Fraction(head.cost_pico.get(_PER_CALL, 0))
    for kind, count in head.tokens.items():
        rate = base.rate(kind)
        total += Fraction(head.cost_pico.get(kind, 0)) if rate is None else rate * count
    return total
