"""Rates by token type, and schedules of rates by the size of a request.

A rate is a whole number of pico-dollars (10^-12 dollars) per token, or per request and per billed tool call. A schedule
is a list of steps, each with the input tokens of a request from which it applies to all tokens of that request, not
only to those beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.vocabulary import Fee

PICO_PER_USD_PER_MTOK = 10**6
PICO_PER_USD_PER_THOUSAND = 10**9

TOKEN_RATES: tuple[str, ...] = (*TOKEN_TYPES, "image_input", "image_output", "reasoning")
"""Rates per token. ``image_input``, ``image_output`` and ``reasoning`` are of subsets of ``input`` and ``output``."""
FEE_RATES: dict[Fee, str] = {fee: f"per_{fee}" for fee in Fee}
UNIT_RATES: tuple[str, ...] = ("per_call", "per_tool_call", *FEE_RATES.values())
"""Rates per request, per tool call that the provider runs and bills, and per unit of each fee."""
RATES: tuple[str, ...] = (*TOKEN_RATES, *UNIT_RATES)

_FALLBACKS = {
    "cache_read": ("input",),
    "cache_write_5m": ("input",),
    "cache_write_1h": ("cache_write_5m", "input"),
    "audio_input": ("input",),
    "image_input": ("input",),
    "audio_output": ("output",),
    "reasoning": ("output",),
}

Rates = dict[str, int]


class Schedule(msgspec.Struct, frozen=True):
    """Steps ``(context_from, rates)`` by ascending ``context_from``; the first applies from 0 tokens."""

    steps: tuple[tuple[int, Rates], ...] = ((0, {}),)

    def at(self, context_tokens: int) -> Rates:
        """Return the rates of a request with that many input tokens of all types."""
        return next(rates for start, rates in reversed(self.steps) if context_tokens >= start)

    def patched(self, rates: Mapping[str, int], *, context_from: int | None = None) -> Schedule:
        """Return the schedule with some rates replaced: in every step, or from one size of request on."""
        starts = {start for start, _ in self.steps} | ({context_from} if context_from is not None else set())
        floor = context_from or 0
        return self._over(starts, lambda start, old: {**old, **rates} if start >= floor else old)

    def without(self, kind: str) -> Schedule:
        """Return the schedule without a rate."""
        starts = {start for start, _ in self.steps}
        return self._over(starts, lambda _, old: {name: rate for name, rate in old.items() if name != kind})

    def scaled(self, factors: Mapping[str, Decimal]) -> Schedule:
        """Return the schedule with rates multiplied by type, rounded half to even; other types stay."""
        starts = {start for start, _ in self.steps}
        return self._over(starts, lambda _, old: {kind: _times(rate, factors.get(kind)) for kind, rate in old.items()})

    def completed(self) -> Schedule:
        """Return the schedule with the rates that others imply, such as input for cached tokens without a rate."""
        starts = {start for start, _ in self.steps}
        return self._over(starts, lambda _, old: _complete(old))

    def _over(self, starts: Iterable[int], change: Callable[[int, Rates], Rates]) -> Schedule:
        return Schedule(tuple((start, change(start, dict(self.at(start)))) for start in sorted(starts)))


def pico_per_token(usd_per_mtok: Decimal) -> int:
    """Convert dollars per million tokens to pico-dollars per token, rounded half to even."""
    return int((usd_per_mtok * PICO_PER_USD_PER_MTOK).to_integral_value())


def _times(rate: int, factor: Decimal | None) -> int:
    return rate if factor is None else int((rate * factor).to_integral_value())


def _complete(rates: Rates) -> Rates:
    """Fill missing rates in the order of ``_FALLBACKS``: a 1-hour write may take a filled rate of 5-minute writes."""
    full = dict(rates)
    for kind, sources in _FALLBACKS.items():
        if kind not in full:
            known = next((full[source] for source in sources if source in full), None)
            if known is not None:
                full[kind] = known
    return full
