"""Collection of requests and rows, which are judged and written to a part of the ledger in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

from llm_audit.engines import request_batches
from llm_audit.engines.compiled_batches import compiled_table
from llm_audit.engines.features.text import extract_text_features
from llm_audit.engines.request_batches import RequestBatch
from llm_audit.engines.row_batches import Harder, Judge, Row, in_order, judged_table, ledger_row
from llm_audit.engines.row_reader import COMPILED, RowBatch
from llm_audit.ledger.arrow import part_writer
from llm_audit.sources.entry import Request
from llm_audit.sources.formats.interface import RowPlan

MAX_ROWS = 8192
MAX_ASK_CHARS = 1 << 24
"""A batch is judged and written when it has this many rows, or this much text to judge."""


class PartWriter:
    """Collect rows and write them in batches."""

    def __init__(self, target: Path, judge: Judge, harder: Harder | None = None) -> None:
        self.rows = 0
        self.target = target
        self._judge = judge
        self._harder = harder
        self._batch: list[Row] = []
        self._compiled = RowBatch(MAX_ROWS) if COMPILED else None
        self._requests = RequestBatch(MAX_ROWS) if request_batches.COMPILED else None
        self._written = [batch for batch in (self._compiled, self._requests) if batch is not None]
        self._ask_chars = 0
        self._writer: Any = None
        self.failed: list[tuple[Row, Exception]] = []  # rows that do not fit the ledger's columns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, position: tuple[int, int, int], name: str, request: Request) -> None:
        """Add a request, whose text is read; ``flush_if_full`` writes the batch.

        Args:
            position: That of its entry; see ``ledger_row``.
            name: The name of its format.
            request: The request.
        """
        if self._requests is None or not self._requests.add(position, name, request):
            found = extract_text_features(request)
            # The text has been hashed and the ask selected; only the ask is kept until the batch is judged.
            request.messages = request.completion = None
            self._batch.append(ledger_row(position, name, request, found))
            self._ask_chars += len(found.ask)

    def take(
        self, name: str, plan: RowPlan, block: bytes, start: int, position: tuple[int, int, int]
    ) -> tuple[int, int]:
        """Read lines of a block as far as compiled code can; see ``RowBatch.take``.

        Args:
            name: The name of their format.
            plan: How they are read.
            block: The block.
            start: Where the first line begins.
            position: That of the first line's entry, as ``ledger_row`` has it.
        """
        batch, lines = self._compiled, 0
        while batch is not None and (not batch.rows or batch.format == name):
            batch.format = name
            rows, ask_chars = self._held()
            room = MAX_ROWS - rows, MAX_ASK_CHARS - ask_chars
            start, taken = batch.take(plan, block, start, position, room=room)
            lines += taken
            if not self.flush_if_full():
                break
            entry, index, line = position
            position = entry + taken, index, line + taken
        return start, lines

    def _held(self) -> tuple[int, int]:
        """Return how many rows are held, and the characters of their asks."""
        rows, ask_chars = len(self._batch), self._ask_chars
        for batch in self._written:
            rows += batch.rows
            ask_chars += batch.ask_chars
        return rows, ask_chars

    def flush_if_full(self) -> bool:
        """Write the batch where it is large enough; return whether it was."""
        rows, ask_chars = self._held()
        if full := rows >= MAX_ROWS or ask_chars >= MAX_ASK_CHARS:
            self._flush()
        return full

    def _flush(self) -> None:
        for table in self._tables_in_order():
            if self._writer is None:
                self._writer = part_writer(self.target)
            self._writer.write_table(table)
            self.rows += table.num_rows
        self._batch.clear()
        self._ask_chars = 0
        for batch in self._written:
            batch.clear()

    def _tables_in_order(self) -> Sequence[Any]:
        rows, batch, requests = self._batch, self._compiled, self._requests
        if requests is not None and requests.rows:
            if not rows and (batch is None or not batch.rows):
                with suppress(Exception):  # the row that fails is found below
                    return [requests.table(self._judge, self._harder)]
            rows = sorted((*rows, *requests.as_rows()), key=itemgetter(1, 0))
        if batch is None or not batch.rows:
            return [*self._tables(rows)] if rows else []
        try:
            return [compiled_table(batch, self._judge, self._harder, between=rows)]
        except Exception:  # the row that fails is one of Python's
            if not rows:
                raise
            return [in_order([compiled_table(batch, self._judge, self._harder), *self._tables(rows)])]

    def _tables(self, rows: Sequence[Row]) -> Iterator[Any]:
        """Yield the rows as tables: one, or around a row that fails several without it."""
        try:
            yield judged_table(rows, self._judge, self._harder)
        except Exception as error:  # noqa: BLE001 - one record must not end the run
            if len(rows) == 1:
                self.failed.append((rows[0], error))
                return
            middle = len(rows) // 2
            yield from self._tables(rows[:middle])
            yield from self._tables(rows[middle:])
