"""Tables whose folder holds more files than the table: Delta, Iceberg and Hudi keep a log of those that count."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources.files.lakes.checkpoints import DELTA_LOG
from llm_audit.sources.files.lakes.delta import EXPORT, LiveFile, by_the_log, delta_files
from llm_audit.sources.files.lakes.iceberg import INSTALL, METADATA, has_reader, iceberg_files
from llm_audit.sources.files.lakes.table import LocalTable
from llm_audit.sources.files.storage import Source
from llm_audit.sources.files.stores.key_dates import KeyDates

_DEPTH = 8  # of a table's folders below its own


class _Table(msgspec.Struct, frozen=True):
    """A table's folder, and the files of its current version with what the log says of each.

    ``files`` is None where every data file belongs to it.
    """

    root: str
    kind: str
    files: Mapping[str, LiveFile] | None
    outside_period: frozenset[str] = frozenset()  # of the current version


class Lakes:
    """The tables around the files of one run; each log is read once."""

    def __init__(self, dates: KeyDates | None = None) -> None:
        self._dates = dates or KeyDates()
        self._tables: dict[str, _Table | None] = {}
        self._stale: dict[str, int] = {}
        self._outside: dict[str, int] = {}

    def current(self, source: Source) -> Source | None:
        """Return a source, with its columns where it is a file of a table; None where it is none of its current files.

        Raises:
            UsageError: The table's log cannot be read, or says what cannot be honoured.
        """
        folder = os.path.dirname(source.path)  # noqa: PTH120
        if folder not in self._tables:
            self._tables[folder] = self._around(folder)
        table = self._tables[folder]
        if table is None:
            return source
        inside = os.path.relpath(source.path, table.root)
        live = LiveFile() if table.files is None else table.files.get(inside)
        if inside.startswith((DELTA_LOG + os.sep, METADATA + os.sep)):
            return None  # the log itself
        if live is None:
            self._stale[table.root] = self._stale.get(table.root, 0) + 1
            return None
        if inside in table.outside_period:
            self._outside[table.root] = self._outside.get(table.root, 0) + 1
            return None
        columns = tuple({**dict(source.columns), **dict(live.columns)}.items())
        return replace(source, columns=columns, lake=True, deleted=live.deleted)

    def notes(self) -> list[str]:
        """Return a note for each table on the files left out."""
        return [
            f"{root}: {count:,} file{'' if count == 1 else 's'} not read: not in the table's current version"
            for root, count in self._stale.items()
        ] + [by_the_log(root, count) for root, count in self._outside.items()]

    def _around(self, folder: str) -> _Table | None:
        for _ in range(_DEPTH):
            if os.path.isdir(os.path.join(folder, DELTA_LOG)):  # noqa: PTH112, PTH118
                return self._known(folder) or self._delta(folder)
            if os.path.isdir(os.path.join(folder, ".hoodie")):  # noqa: PTH112, PTH118
                raise UsageError(f"{folder} is a Hudi table, whose log of live files is not read. {EXPORT}")
            if os.path.isdir(os.path.join(folder, METADATA)) and (  # noqa: PTH112, PTH118
                described := sorted(Path(folder, METADATA).glob("*.metadata.json"))
            ):
                return self._known(folder) or self._iceberg(folder, described)
            folder = os.path.dirname(folder)  # noqa: PTH120
        return None

    def _delta(self, folder: str) -> _Table:
        live = delta_files(LocalTable(folder))
        ruled_out = frozenset(name for name, file in live.items() if file.is_outside(self._dates))
        return _Table(folder, "Delta", live, ruled_out)

    def _iceberg(self, folder: str, described: list[Path]) -> _Table:
        if not has_reader():
            _check_iceberg(Path(folder), described)
            return _Table(folder, "Iceberg", None)
        live, ruled_out = iceberg_files(LocalTable(folder), self._dates)
        return _Table(folder, "Iceberg", live, ruled_out)

    def _known(self, root: str) -> _Table | None:
        return next((table for table in self._tables.values() if table is not None and table.root == root), None)


def _check_iceberg(root: Path, described: list[Path]) -> None:
    """Check that all data files of an Iceberg table are live, by the count in its metadata.

    The manifests that name the files are in Avro, which is not read here.
    """
    try:
        newest = max((json.loads(path.read_bytes()) for path in described), key=lambda item: item["last-updated-ms"])
        current = newest.get("current-snapshot-id")
        summary = next(item["summary"] for item in newest["snapshots"] if item["snapshot-id"] == current)
        files, deletes = int(summary["total-data-files"]), int(summary.get("total-delete-files", 0))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, StopIteration):
        raise UsageError(f"{root} is an Iceberg table whose metadata cannot be read. {EXPORT}") from None
    inside = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    found = sum(path.parts[0] != METADATA and not path.name.startswith((".", "_")) for path in inside)
    if deletes or files != found:
        raise UsageError(
            f"{root} is an Iceberg table with {found:,} data files, of which {files:,} are in its current version, and "
            f"{deletes:,} files of deletes. Its manifests say which files count. {INSTALL}"
        )
