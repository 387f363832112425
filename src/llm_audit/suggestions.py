"""Suggest the known names that resemble an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def similar_names(name: str, known: Iterable[str], *, limit: int = 1, min_similarity: float = 0.6) -> list[str]:
    """Return the known names most like ``name``, the most similar first.

    Args:
        name: The unknown name.
        known: The names to choose from.
        limit: The most names to return.
        min_similarity: Ratio of matching characters, from 0 to 1, below which a name is left out.
    """
    return difflib.get_close_matches(name, list(known), n=limit, cutoff=min_similarity)


def suggest(names: Sequence[str]) -> str:
    """Return a sentence, after a space, that offers the names; nothing where there are none.

    >>> suggest(["gpt-4o", "gpt-4"]), suggest([])
    (" Did you mean 'gpt-4o' or 'gpt-4'?", '')
    """
    return f" Did you mean {' or '.join(map(repr, names))}?" if names else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence, after a space, that offers the known name most like ``name``; nothing where none is.

    >>> did_you_mean("polcy", ["policy", "prices"])
    " Did you mean 'policy'?"
    """
    return suggest(similar_names(name, known))
