"""What an update reads of databases: their tables as they are now, compared with what a kept ledger was made of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from llm_audit.engines.workspace.changes import KeptShard, Wanted
from llm_audit.errors import AuditWarning, UsageError
from llm_audit.sources.databases import OVERLAP_HOURS, Slice, Table, count_rows, increment
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Shard


class UpdateOptions(msgspec.Struct, kw_only=True, frozen=True):
    """How an update treats what may have changed or gone.

    Attributes:
        drop_missing: Leave out the requests of logs that are gone.
        overlap_hours: Hours before a table's newest row within which its rows are read again.
        query: The query to ask of a database.
    """

    drop_missing: bool = False
    overlap_hours: float = OVERLAP_HOURS
    query: str | None = None


def wanted_rows(
    tables: Sequence[Source], known: Mapping[str, list[KeptShard]], *, usable: bool, options: UpdateOptions
) -> tuple[list[Wanted], list[str]]:
    """Return the ranges of tables that the ledger is to hold, and a note for each table that has lost rows.

    Args:
        tables: The tables.
        known: The ranges that were read before, by the table's name.
        usable: Whether they were read as rows are read now.
        options: How long rows may change, and what becomes of those that are gone.

    Raises:
        UsageError: A database cannot be read, or rows are gone that would have to be read again.
    """
    wanted: list[Wanted] = []
    notes: list[str] = []
    for source in tables:
        assert source.table is not None
        before = known.get(source.name, [])
        same = usable and bool(before) and before[0].shard.source.version == source.version
        if before and source.table.division is None:
            _warn_of_reading_anew(source)
        elif before and not same and not options.drop_missing:
            _check_rows_remain(source, source.table, before)
        slices = {_range(one.shard): one for one in before} if same else {}
        found = increment(
            source.table,
            [Slice(within, one.tally.lines if one.tally is not None else None) for within, one in slices.items()],
            overlap=timedelta(hours=options.overlap_hours),
            drop_missing=options.drop_missing,
        )
        wanted += [Wanted(Shard(source, *within), slices[within]) for within in found.kept]
        wanted += [Wanted(Shard(source, *within), None) for within in found.read]
        if found.gone:
            rows = "1 row is" if found.gone == 1 else f"{found.gone:,} rows are"
            notes.append(f"{rows} no longer in {source.name}, and {'stays' if found.gone == 1 else 'stay'} here")
    return wanted, notes


def _range(shard: Shard) -> tuple[int, int]:
    assert shard.end is not None
    return shard.start, shard.end


def _warn_of_reading_anew(source: Source) -> None:
    warnings.warn(
        f"{source.name} has no time or growing number by which an update can tell what is new: it is read anew.",
        AuditWarning,
        stacklevel=5,
    )


def _check_rows_remain(source: Source, table: Table, before: Sequence[KeptShard]) -> None:
    """Refuse to read a table anew that has lost rows since."""
    held = sum(one.tally.lines for one in before if one.tally is not None)
    if (rows := count_rows(table)) < held:
        raise UsageError(
            f"{source.name} has {rows:,} rows, and the ledger holds {held:,} that were read with another version, "
            "other options or other columns: those that are gone cannot be read again. The ledger stays as it is. "
            "Leave them out with --drop-missing, or make a ledger in another folder."
        )
