"""Plain lines read by compiled code straight into columns, without a request, features or a row as objects.

It reads what most logs consist of: flat records of usual keys whose values are of the usual form, and prompts of texts
whose ask is plain. A line that is odd in any way is left to Python, which gives the same row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from llm_audit.classify.text.select import ASK_PLAN, plain_rest
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.features.text import template_hash
from llm_audit.sources.entry import Message, Request
from llm_audit.sources.formats.interface import RowPlan
from llm_audit.sources.records.fields import text
from llm_audit.sources.records.messages import LONGEST_PLACEHOLDER, is_placeholder

try:
    from llm_audit.engines import _rows
except ImportError:  # built only where a C compiler is available
    COLUMNS: tuple[str, ...] = ()
else:
    COLUMNS = _rows.COLUMNS
COMPILED = bool(COLUMNS) and ASK_PLAN is not None

_MAX_PLANS = 64
_MAX_MISSES = 8  # odd lines in a row, after which most are not tried
_UNTRIED = 16


class _Places(dict[bytes, Any]):
    """Places in a list of values, by the bytes that each was read from."""

    def __init__(self, read: Callable[[bytes], Any]) -> None:
        super().__init__()
        self.values_read: list[Any] = []
        self._read = read

    def __missing__(self, raw: bytes) -> object:
        value = self._read(raw)
        self[raw] = found = self.found(len(self.values_read), value)
        self.values_read.append(value)
        return found

    def found(self, place: int, _value: Any) -> object:
        """Return what compiled code is given for a value."""
        return place


class _Statuses(_Places):
    def found(self, place: int, value: tuple[str, int | None]) -> object:
        word, code = value
        return place, code, word.encode()


class _Metadata(_Places):
    def found(self, place: int, value: Request) -> object:
        return place, *(None if id_ is None else hash64(id_) for id_ in (value.conversation, value.trace))


class RowBatch:
    """Rows of one format that compiled code has read, as columns.

    Attributes:
        format: The name of the format.
        rows: How many there are.
        ask_chars: The characters of their asks, those that repeat included.
    """

    def __init__(self, capacity: int) -> None:
        self.format = ""
        self.rows = 0
        self.ask_chars = 0
        self._values = np.zeros((len(COLUMNS), capacity), np.uint64)
        self._known = np.zeros((len(COLUMNS), capacity), np.uint8)
        self._places: dict[str, _Places] = {}
        self._asks: list[bytes] = []
        self._given: tuple[Any, ...] = ()
        self._misses = self._untried = 0

    def clear(self) -> None:
        """Forget all rows."""
        self.rows = self.ask_chars = 0
        self._given = ()

    def take(
        self, plan: RowPlan, block: bytes, start: int, position: tuple[int, int, int], *, room: tuple[int, int]
    ) -> tuple[int, int]:
        """Read lines of a block from a position on.

        Args:
            plan: How they are read.
            block: The block.
            start: Where the first line begins.
            position: That of the first line's entry, as ``row_batches.ledger_row`` has it.
            room: How many rows and characters of asks to read at most; the last ask may go beyond.

        Returns:
            The place after the last line that was read, and how many were.
        """
        if self._untried:
            self._untried -= 1
            return start, 0
        if not self._given:
            self._begin(plan)
        prepared, last, (entry, index, line) = _prepared(plan.keys, plan.columns), self.rows + room[0], position
        start, lines, left = _rows.read(
            prepared, self._given, block, start, self.rows, last, index, line, entry, room[1]
        )
        self.rows += lines
        self.ask_chars += room[1] - left
        self._misses = 0 if lines else self._misses + 1
        if self._misses > _MAX_MISSES:
            self._untried = _UNTRIED
        return start, lines

    def known(self, name: str) -> npt.NDArray[np.bool_]:
        """Return which rows have a value in a column."""
        return self._known[COLUMNS.index(name), : self.rows].view(np.bool_)

    def numbers(self, name: str) -> npt.NDArray[np.uint64]:
        """Return the bits of a column's values."""
        return self._values[COLUMNS.index(name), : self.rows]

    def places(self, name: str) -> tuple[npt.NDArray[np.int64], list[Any]]:
        """Return the places of a column's values, -1 for none, and the values."""
        return np.where(self.known(name), self.numbers(name).view(np.int64), -1), self._places[name].values_read

    def asks(self) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """Return the distinct asks in UTF-8, and the place of each row's among them."""
        return [*self._asks], self.numbers("ask").view(np.int64)

    def _begin(self, plan: RowPlan) -> None:
        self._places = {
            "model": _Places(bytes.decode),
            "status": _Statuses(plan.status),
            "metadata": _Metadata(plan.metadata),
            **{name: _Places(plan.name) for name in ("team", "app", "user")},
        }
        self._asks = []
        self._given = (self._values, self._known, tuple(self._places.values()), {}, self._asks)


@lru_cache(maxsize=_MAX_PLANS)
def _prepared(keys: tuple[str, ...], columns: tuple[str, ...]) -> object:
    names = tuple(f'{key}"'.encode() for key in keys)
    functions = plain_rest, text, _template_hash, is_placeholder
    return _rows.prepare(names, columns, ASK_PLAN, *functions, LONGEST_PLACEHOLDER)


def _template_hash(system_chain: int, system: str) -> int:
    return template_hash(system_chain, [Message("system", system)], ())
