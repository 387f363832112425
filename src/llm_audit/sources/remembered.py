"""Results of a function of a short text, kept: logs repeat few hosts, paths and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_MAX_TEXTS = 1024  # of one function
_LONGEST = 256  # characters: anything longer is content, and is not held

_Result = TypeVar("_Result")


class _Kept(dict[str, _Result]):
    """Results by text, which are looked up without a call in Python where they are kept."""

    def __init__(self, work: Callable[[str], _Result]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, text: str) -> _Result:
        found = self._work(text)
        if len(text) <= _LONGEST:
            if len(self) >= _MAX_TEXTS:
                self.clear()
            self[text] = found
        return found


def remembered(work: Callable[[str], _Result]) -> Callable[[str], _Result]:
    """Return the function with results kept; they must never be changed."""
    return _Kept(work).__getitem__
