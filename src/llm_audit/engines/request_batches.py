"""Requests written by compiled code straight into columns, without their features or a row as objects.

It writes what plain requests consist of and asks Python for the rest: the template, the tools, and what is selected of
a prompt that is not plain. A request that is odd in any way, such as a count beyond 64 bits, is left to Python, which
gives the same row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from llm_audit.classify.text.select import ASK_PLAN, select
from llm_audit.classify.text.words import PlainAsk
from llm_audit.engines.features.text import answered, template_hash
from llm_audit.engines.features.tools import NO_PREFIX, called, offered, stable_prefix
from llm_audit.engines.row_batches import (
    FIELDS,
    Harder,
    Judge,
    Places,
    Row,
    cut,
    joined_tags,
    judged_columns,
    own_codes,
    places_of,
)
from llm_audit.ledger.arrow import ARROW_SCHEMA, column_of_bits, words_of
from llm_audit.ledger.columns import COLUMNS, ColumnType
from llm_audit.sources.entry import Message, Request, Usage

try:
    from llm_audit.engines import _requests
except ImportError:  # built only where a C compiler is available
    OWN: tuple[str, ...] = ()
else:
    OWN = _requests.OWN_COLUMNS
COMPILED = bool(OWN) and ASK_PLAN is not None

_TIME = "time_us"  # the field of the column "time"
_KINDS: dict[object, str] = {
    ColumnType.ID: "id",
    ColumnType.INDEX: "number",
    ColumnType.COUNT: "number",
    ColumnType.TIME: "number",
    ColumnType.SMALL: "small",
    ColumnType.AMOUNT: "amount",
    ColumnType.FLAG: "flag",
}
_APART = 8
"""Rows beyond a batch, so that a row's values in all columns are not at places that share the same part of a cache."""


def _kind_of(field: str) -> str:
    return "tags" if field == "tags" else _KINDS.get(COLUMNS["time" if field == _TIME else field], "word")


def _fields_of(struct: type[Request | Usage]) -> tuple[tuple[str, str], ...]:
    """Return the fields that are columns, with their kinds."""
    return tuple((name, _kind_of(name)) for name in struct.__struct_fields__ if name in COLUMNS or name == _TIME)


_REQUEST, _USAGE = _fields_of(Request), _fields_of(Usage)
_NAMES = (*OWN, *(name for name, _ in (*_REQUEST, *_USAGE)))
_PLACE_OF = {name: place for place, name in enumerate(_NAMES)}
_JUDGED = frozenset({"ask", "judged", "abstention"})
_WORDS = frozenset({"ask", *(name for name in _NAMES if name in COLUMNS and _kind_of(name) in {"word", "tags"})})


class RequestBatch:
    """Requests that compiled code has written, as columns.

    Attributes:
        rows: How many there are.
        ask_chars: The characters of their asks, those that repeat included.
    """

    def __init__(self, capacity: int) -> None:
        self.rows = 0
        self.ask_chars = 0
        self._values = np.zeros((len(_NAMES), capacity + _APART), np.uint64)
        self._known = np.zeros((len(_NAMES), capacity + _APART), np.uint8)
        self._words: tuple[dict[Any, int], ...] = tuple({} for _ in _NAMES)
        structs, functions = (
            ((Request, _REQUEST), (Usage, _USAGE), Message),
            (template_hash, answered, _tools, _selected),
        )
        self._plan = _requests.prepare(self._values, self._known, self._words, *structs, ASK_PLAN, *functions)

    def clear(self) -> None:
        """Forget all rows."""
        self.rows = self.ask_chars = 0
        for words in self._words:
            words.clear()

    def add(self, position: tuple[int, int, int], name: str, request: Request) -> bool:
        """Write a request with its text, unless it is odd; see ``row_batches.ledger_row``."""
        ask_chars = _requests.add(self._plan, self.rows, position, name, request)
        if ask_chars < 0:
            return False
        self.rows += 1
        self.ask_chars += ask_chars
        return True

    def table(self, judge: Judge, harder: Harder | None = None) -> pa.Table:
        """Judge the asks, each distinct one once, and return the rows as columns of the ledger."""
        found = {name: self._column(name) for name in _NAMES if name not in _JUDGED}
        found["time"] = found.pop(_TIME)
        distinct: list[bytes] = []
        places = np.append(places_of(self._distinct("ask"), distinct), -1)[self._codes("ask")]
        judged, reasons = own_codes({name: self._distinct(name) for name in ("judged", "abstention")})
        own = judged[self._codes("judged")], np.append(reasons, -1)[self._codes("abstention")]
        templates = found["template_hash"].to_pylist() if harder is not None else ()
        found |= judged_columns(judge(distinct), places, own, templates, harder)
        found["request_key"] = pa.nulls(self.rows, ARROW_SCHEMA.field("request_key").type)
        return pa.Table.from_arrays([found[name] for name in COLUMNS], schema=ARROW_SCHEMA)

    def as_rows(self) -> list[Row]:
        """Return the requests as rows, whose ids are hashes."""
        none = [None] * self.rows
        return [*zip(*(self._listed(name) if name in _PLACE_OF else none for name in FIELDS), strict=True)]

    def _distinct(self, name: str) -> list[Any]:
        return [*self._words[_PLACE_OF[name]]]

    def _bits(self, name: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        place = _PLACE_OF[name]
        return self._values[place, : self.rows], self._known[place, : self.rows].view(np.bool_)

    def _codes(self, name: str) -> Places:
        bits, known = self._bits(name)
        return np.where(known, bits.view(np.int64), -1)

    def _column(self, name: str) -> pa.Array:
        if name in _WORDS:
            words = self._distinct(name)
            return words_of(self._codes(name), cut(name, joined_tags(words) if name == "tags" else words))
        return column_of_bits(*self._bits(name), ARROW_SCHEMA.field("time" if name == _TIME else name).type)

    def _listed(self, name: str) -> Sequence[Any]:
        if name in _WORDS:
            words = [*self._distinct(name), () if name == "tags" else None]
            return [words[code] for code in self._codes(name).tolist()]
        bits, known = self._bits(name)
        kind = ARROW_SCHEMA.field("time" if name == _TIME else name).type
        dtype = np.uint64 if kind == pa.uint64() else np.float64 if kind == pa.float64() else np.int64
        values = bits.astype(np.bool_) if kind == pa.bool_() else bits.view(dtype)
        return [value if is_known else None for value, is_known in zip(values.tolist(), known.tolist(), strict=True)]


def _tools(request: Request, system_chain: int) -> tuple[str | None, str | None, int | None, int | None, int | None]:
    """Return the columns of tools that a request offers and calls, and of the prefix that they begin."""
    tools, messages = offered(request), request.messages
    prefix = stable_prefix(messages, system_chain, tools) if messages and not request.redacted else NO_PREFIX
    return tools.text, called(request, tools) if tools.chars else None, tools.chars, prefix.hash, prefix.chars


def _selected(request: Request, plain: PlainAsk) -> tuple[str, str, str | None, str]:
    """Return what is judged of a request, or why nothing is."""
    found = select(
        request.messages, tools=request.tools, redacted=request.redacted, operation=request.operation, plain=plain
    )
    return found.text, found.judged, found.abstention, found.step
