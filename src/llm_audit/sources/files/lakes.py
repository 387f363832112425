"""Tables whose folder holds more files than the table: Delta, Iceberg and Hudi keep a log of those that count."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from llm_audit.errors import UsageError
from llm_audit.sources.files.storage import Source

_DELTA_LOG = "_delta_log"
_METADATA = "metadata"
_DEPTH = 8  # of a table's folders below its own
_EXPORT = "Export its current version, for instance to Parquet files in another folder, and give that."

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table's folder, and the files of its current version with the columns that the log gives each.

    ``files`` is None where every data file belongs to it.
    """

    root: str
    kind: str
    files: Mapping[str, Columns] | None


class Lakes:
    """The tables around the files of one run; each log is read once."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table | None] = {}
        self._stale: dict[str, int] = {}

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
        if table.files is None:
            columns: Columns | None = ()
        else:
            columns = table.files.get(inside)
        if inside.startswith((_DELTA_LOG + os.sep, _METADATA + os.sep)):
            return None  # the log itself
        if columns is None:
            self._stale[table.root] = self._stale.get(table.root, 0) + 1
            return None
        return replace(source, columns=tuple({**dict(source.columns), **dict(columns)}.items()))

    def notes(self) -> list[str]:
        """Return a note for each table on the files left out."""
        return [
            f"{root}: {count:,} file{'' if count == 1 else 's'} not read: not in the table's current version"
            for root, count in self._stale.items()
        ]

    def _around(self, folder: str) -> _Table | None:
        for _ in range(_DEPTH):
            if os.path.isdir(os.path.join(folder, _DELTA_LOG)):  # noqa: PTH112, PTH118
                return self._known(folder) or _Table(folder, "Delta", _delta_files(Path(folder)))
            if os.path.isdir(os.path.join(folder, ".hoodie")):  # noqa: PTH112, PTH118
                raise UsageError(f"{folder} is a Hudi table, whose log of live files is not read. {_EXPORT}")
            if os.path.isdir(os.path.join(folder, _METADATA)) and (  # noqa: PTH112, PTH118
                described := sorted(Path(folder, _METADATA).glob("*.metadata.json"))
            ):
                _check_iceberg(Path(folder), described)
                return _Table(folder, "Iceberg", None)
            folder = os.path.dirname(folder)  # noqa: PTH120
        return None

    def _known(self, root: str) -> _Table | None:
        return next((table for table in self._tables.values() if table is not None and table.root == root), None)


def _delta_files(root: Path) -> dict[str, Columns]:
    """Return the files that a Delta table's log added and did not remove, with their partition's columns."""
    log = root / _DELTA_LOG
    actions: list[dict[str, Any]] = []
    try:
        version = _checkpoint(log, actions)
        commits = sorted(path for path in log.glob("*.json") if path.stem.isdecimal() and int(path.stem) > version)
        numbers = [int(path.stem) for path in commits]
        if numbers and numbers != list(range(version + 1, version + 1 + len(numbers))):
            raise ValueError("a commit is missing")  # noqa: TRY301
        for path in commits:
            actions += [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        files = _live(actions, root)
        if lost := [name for name in files if not (root / name).is_file()]:
            raise ValueError(f"its file {lost[0]} is missing")  # noqa: TRY301
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise UsageError(f"The log of the Delta table {root} cannot be followed: {error}. {_EXPORT}") from None
    return files


def _checkpoint(log: Path, actions: list[dict[str, Any]]) -> int:
    """Read the newest checkpoint of a log; return its version, -1 where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: dict[int, list[Path]] = {}
    for path in log.glob("*.checkpoint*"):
        number, _, rest = path.name.partition(".checkpoint")
        if not rest.endswith(".parquet") or rest.count("-") > 1:
            raise ValueError(f"{path.name} is a checkpoint of a kind that is not read")
        parts.setdefault(int(number), []).append(path)
    if not parts:
        return -1
    newest = max(parts)
    try:
        for path in sorted(parts[newest]):
            with pq.ParquetFile(path) as file:
                wanted = [name for name in ("add", "remove", "metaData") if name in file.schema_arrow.names]
                actions += file.read(columns=wanted).to_pylist()
    except pa.ArrowException as error:
        raise ValueError(f"{newest}: {type(error).__name__}") from None
    return newest


def _live(actions: list[dict[str, Any]], root: Path) -> dict[str, Columns]:
    live: dict[str, Columns] = {}
    for action in actions:
        if (removed := action.get("remove")) is not None:
            live.pop(_inside(removed["path"], root), None)
        if (added := action.get("add")) is not None:
            if added.get("deletionVector"):
                raise ValueError("it deletes rows inside files, by deletion vectors")
            values = dict(added.get("partitionValues") or {})
            live[_inside(added["path"], root)] = tuple((k, v) for k, v in values.items() if v is not None)
        if described := action.get("metaData"):
            options = dict(described.get("configuration") or {})
            if options.get("delta.columnMapping.mode", "none") != "none":
                raise ValueError("its columns have other names inside its files")
    return live


def _inside(path: str, root: Path) -> str:
    plain = unquote(path).removeprefix("file://")
    return os.path.normpath(os.path.relpath(plain, root) if os.path.isabs(plain) else plain)  # noqa: PTH117


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
        raise UsageError(f"{root} is an Iceberg table whose metadata cannot be read. {_EXPORT}") from None
    inside = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    found = sum(path.parts[0] != _METADATA and not path.name.startswith((".", "_")) for path in inside)
    if deletes or files != found:
        raise UsageError(
            f"{root} is an Iceberg table with {found:,} data files, of which {files:,} are in its current version, and "
            f"{deletes:,} files of deletes. Its Avro manifests, which say which files count, are not read. {_EXPORT}"
        )
