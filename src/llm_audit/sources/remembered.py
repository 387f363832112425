"""Results of a function of a short text, kept: logs repeat few hosts, paths and names."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_MAX_TEXTS = 1024  # of one function
_LONGEST = 256  # characters: anything longer is content, and is not held

_Result = TypeVar("_Result")


def remembered(work: Callable[[str], _Result]) -> Callable[[str], _Result]:
    """Return the function with its latest results kept; they must never be changed."""
    kept = lru_cache(maxsize=_MAX_TEXTS)(work)

    @wraps(work)
    def look_up(text: str) -> _Result:
        return kept(text) if len(text) <= _LONGEST else work(text)

    return look_up
