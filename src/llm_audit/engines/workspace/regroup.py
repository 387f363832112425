"""Cut and join parts that were made, so that a changed file costs no reading of those beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from llm_audit.engines.workspace.parts import fetch_part, kept_part, store_part
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.shared.folder import SharedFolder


class Piece(msgspec.Struct, frozen=True):
    """Neighbouring shards of a part: the part's number, and the first of them and the one after the last."""

    part: int
    start: int
    end: int


def regrouped(
    folder: SharedFolder, key: str, pieces: Sequence[Piece], parts: Sequence[LedgerPart | None]
) -> LedgerPart:
    """Return the part of the shards of several pieces, stored in a workspace under a key.

    Args:
        folder: The workspace.
        key: The part's name there.
        pieces: The shards, in order.
        parts: The parts that they are pieces of.

    Raises:
        AuditError: The rows of a part are damaged.
    """
    if (kept := kept_part(folder, key)) is not None:
        return kept
    whole = [(piece, part) for piece in pieces if (part := parts[piece.part]) is not None]
    with TemporaryDirectory(prefix="llm-audit-") as temporary:
        target = Path(temporary) / "part.parquet"
        rows = _write(folder, whole, target)
        shards = [tally for piece, part in whole for tally in part.shards[piece.start : piece.end]]
        return store_part(folder, key, LedgerPart(file=str(target) if rows else None, rows=rows, shards=shards))


def _write(folder: SharedFolder, pieces: Sequence[tuple[Piece, LedgerPart]], target: Path) -> int:
    """Write the rows of pieces with ``input`` as the shard's position among all; return how many there are."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from llm_audit.ledger.arrow import ARROW_SCHEMA, parquet_writer

    before = rows = 0
    writer = None
    try:
        for piece, part in pieces:
            if part.file is not None:
                with pq.ParquetFile(fetch_part(folder, part, target.parent).file) as file:
                    table = file.read(use_threads=False)
                place = table.column_names.index("input")
                inputs = table["input"].cast(pa.int64())
                inside = pc.and_(pc.greater_equal(inputs, piece.start), pc.less(inputs, piece.end))
                moved = pc.add(inputs, before - piece.start).cast(pa.uint32(), safe=False)
                table = table.set_column(place, "input", moved).filter(inside).cast(ARROW_SCHEMA)
                if table.num_rows:
                    writer = writer or parquet_writer(target)
                    writer.write_table(table)
                    rows += table.num_rows
            before += piece.end - piece.start
    finally:
        if writer is not None:
            writer.close()
    return rows
