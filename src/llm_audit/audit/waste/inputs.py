"""Inputs of the search for waste."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from llm_audit.arrays import Bools, Floats, Index, Ints
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.policy import Requests

CACHE_LIFETIME_US = 5 * 60 * 10**6

MIN_CHARS_PER_TOKEN = 4
"""A system prompt or a tool definition has at most one token for so many characters."""


class Prefixes(msgspec.Struct, kw_only=True, frozen=True):
    """Requests that sent a prefix again while a cache would have held it: see ``prefixes``.

    Attributes:
        rows: The requests.
        chars: Of each one's prefix.
        of_chars: Of its whole prompt, with the definitions of tools.
        misses: Requests of the log that would have written the prefix, for each thousand that would have read it.
        stated: Whether the log says how many tokens it read from a cache.
    """

    rows: Ints
    chars: Ints
    of_chars: Ints
    misses: Ints
    stated: Bools


class UnusedTools(msgspec.Struct, kw_only=True, frozen=True):
    """Requests that define tools which their template never calls: see ``tools``.

    Attributes:
        rows: The requests.
        sets: The set of definitions of each, as an index into ``unused``.
        chars: Of all of its definitions.
        of_chars: Of its whole prompt, with these.
        unused: Of each set, the names of unused tools or servers, with the characters of their definitions.
    """

    rows: Ints
    sets: Ints
    chars: Ints
    of_chars: Ints
    unused: tuple[tuple[tuple[str, int], ...], ...]


class Recurring(msgspec.Struct, kw_only=True, frozen=True):
    """What only the whole log tells of the requests of a part of it.

    Attributes:
        retries: Requests whose very messages were sent within ten minutes before: see ``repeats.find_repeats``.
        repeats: Those that were sent again later.
        cache_read: Whether a request of the template and the model of each read from a cache.
        usual_output: The median output of the template on the model of each; NaN where it is too seldom to tell.
        prefixes: Those that sent a prefix again while a cache would have held it.
        unused_tools: Those that define tools which their template never calls.
    """

    retries: Ints
    repeats: Ints
    cache_read: Bools
    usual_output: Floats
    prefixes: Prefixes
    unused_tools: UnusedTools


class WasteInputs(msgspec.Struct, kw_only=True, frozen=True):
    """The requests to search, and what is asked of them.

    Attributes:
        requests: The requests.
        calls: What groups them.
        recurring: What the whole log tells of them.
        rates: Pico-dollars a token of input, cache reads and cache writes of the model used, for some requests, as
            columns; ``NO_RATE`` where it has none.
        p_success: Of the model used, for some requests; NaN where it is not known.
        least_cached: The shortest prefix that the model used caches, for some requests, in tokens; 0 where not known.
    """

    requests: Requests
    calls: Calls
    recurring: Recurring
    rates: Callable[[Ints], Ints]
    p_success: Callable[[Ints], Floats]
    least_cached: Callable[[Ints], Ints]


Found = tuple[Ints, Ints]
"""Requests, in order of time, and what each may have wasted, in pico-dollars; nothing where it is not above 0."""


def written_tokens(requests: Requests, rows: Ints) -> Ints:
    """Return the tokens that some requests wrote to caches."""
    written: Ints = requests.tokens["cache_write_5m"][rows] + requests.tokens["cache_write_1h"][rows]
    return written


def leading_tokens(chars: Ints, of_chars: Ints, sent: Ints) -> Ints:
    """Return the tokens of the first characters of prompts: their share of all that was sent, within bounds.

    The bound keeps images and removed text, which have tokens and no characters, from counting as these.
    """
    tokens: Ints = np.minimum(sent * chars // np.maximum(of_chars, 1), chars // MIN_CHARS_PER_TOKEN)
    return tokens


def grouped(first: Ints | Index, *others: Ints | Index) -> Ints:
    """One number for each combination of numbers, ``NOWHERE`` among them."""
    key = first.astype(np.int64)
    for other in others:
        key = key * (int(other.max(initial=0)) + 2) + other + 1
    return key
