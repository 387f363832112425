"""Inputs of the search for waste."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.policy import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """What only the whole log tells of the requests of a part of it.

    Attributes:
        retries: Requests whose very messages were sent within ten minutes before: see ``repeats.find_repeats``.
        repeats: Those that were sent again later.
        cache_read: Whether a request of the template and the model of each read from a cache.
        usual_output: The median output of the template on the model of each; NaN where it is too seldom to tell.
    """

    retries: Ints
    repeats: Ints
    cache_read: Bools
    usual_output: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteInputs:
    """Inputs of the search for waste.

    Attributes:
        requests: The requests.
        calls: What groups them.
        recurring: What the whole log tells of them.
        rates: Pico-dollars a token of input, cache reads and cache writes of the model used, for some requests, as
            columns; ``NO_RATE`` where it has none.
        p_success: Of the model used, for some requests; NaN where it is not known.
    """

    requests: Requests
    calls: Calls
    recurring: Recurring
    rates: Callable[[Ints], Ints]
    p_success: Callable[[Ints], Floats]


Found = tuple[Ints, Ints]
"""Requests, in order of time, and what each may have wasted, in pico-dollars; nothing where it is not above 0."""


def written_tokens(requests: Requests, rows: Ints) -> Ints:
    """Return the tokens that some requests wrote to caches."""
    written: Ints = requests.tokens["cache_write_5m"][rows] + requests.tokens["cache_write_1h"][rows]
    return written


def grouped(first: Ints | Index, *others: Ints | Index) -> Ints:
    """One number for each combination of numbers, ``NOWHERE`` among them."""
    key = first.astype(np.int64)
    for other in others:
        key = key * (int(other.max(initial=0)) + 2) + other + 1
    return key
