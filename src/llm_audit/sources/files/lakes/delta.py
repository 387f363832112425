"""The log of a Delta table: the files of its current version, what it says of each, on disk or in a store."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from llm_audit.errors import UsageError
from llm_audit.sources.files.stores.key_dates import MARGIN, KeyDates

DELTA_LOG = "_delta_log"
EXPORT = "Export its current version, for instance to Parquet files in another folder, and give that."
TIMES = frozenset(
    {
        "timestamp", "time", "ts", "datetime", "date_time", "created_at", "createdat", "created", "start_time",
        "starttime", "started_at", "startedat", "request_time", "requested_at", "event_time",
    }
)  # fmt: skip

Columns = tuple[tuple[str, str], ...]


class Table(Protocol):
    """A table's folder."""

    @property
    def name(self) -> str:
        """Return its name, as reports show it."""

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in one of its folders."""

    def read(self, name: str) -> bytes:
        """Return the content of a file, by its path inside the table."""

    def has(self, name: str) -> bool:
        """Return whether it has a file."""


@dataclass(frozen=True, slots=True)
class LocalTable:
    """A table on this machine."""

    name: str

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in one of its folders."""
        return os.listdir(Path(self.name, folder))  # noqa: PTH208

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return Path(self.name, name).read_bytes()

    def has(self, name: str) -> bool:
        """Return whether it has a file."""
        return Path(self.name, name).is_file()


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file of a table's current version: its partition's columns, and the bounds of its times, column by column."""

    columns: Columns = ()
    bounds: Mapping[str, tuple[dt.datetime, dt.datetime]] = field(default_factory=dict)

    def is_outside(self, dates: KeyDates) -> bool:
        """Return whether its partition or each column of times that has bounds is outside the period."""
        if any(dates.rules_out(f"/{name}={value}/") for name, value in self.columns):
            return True
        since, until = dates.since, dates.until
        early = since is not None and all(last + MARGIN < since for _, last in self.bounds.values())
        late = until is not None and all(first - MARGIN >= until for first, _ in self.bounds.values())
        return bool(self.bounds) and (early or late)


def by_the_log(name: str, count: int) -> str:
    """Return the note on files of a table that are outside the period by what its log says of them."""
    return f"{name}: {count:,} file{'' if count == 1 else 's'} not read: outside the period by the table's log"


def delta_files(table: Table) -> dict[str, LiveFile]:
    """Return the files that a Delta table's log added and did not remove.

    Raises:
        UsageError: The log cannot be followed, or says what cannot be honoured.
    """
    actions: list[dict[str, Any]] = []
    try:
        names = sorted(table.names(DELTA_LOG))
        version = _checkpoint(table, names, actions)
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        commits = [stem for stem in stems if stem.isdecimal() and int(stem) > version]
        numbers = [int(stem) for stem in commits]
        if numbers and numbers != list(range(version + 1, version + 1 + len(numbers))):
            raise ValueError("a commit is missing")  # noqa: TRY301
        for stem in commits:
            content = table.read(f"{DELTA_LOG}/{stem}.json").decode()
            actions += [json.loads(line) for line in content.splitlines() if line.strip()]
        files = _live(actions, table.name)
        if lost := [name for name in files if not table.has(name)]:
            raise ValueError(f"its file {lost[0]} is missing")  # noqa: TRY301
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise UsageError(f"The log of the Delta table {table.name} cannot be followed: {error}. {EXPORT}") from None
    return files


def _checkpoint(table: Table, names: list[str], actions: list[dict[str, Any]]) -> int:
    """Read the newest checkpoint of a log; return its version, -1 where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: dict[int, list[str]] = {}
    for name in names:
        number, mark, rest = name.partition(".checkpoint")
        if not mark:
            continue
        if not rest.endswith(".parquet") or rest.count("-") > 1:
            raise ValueError(f"{name} is a checkpoint of a kind that is not read")
        parts.setdefault(int(number), []).append(name)
    if not parts:
        return -1
    newest = max(parts)
    try:
        for name in sorted(parts[newest]):
            with pq.ParquetFile(io.BytesIO(table.read(f"{DELTA_LOG}/{name}"))) as file:
                wanted = [name for name in ("add", "remove", "metaData") if name in file.schema_arrow.names]
                actions += file.read(columns=wanted).to_pylist()
    except pa.ArrowException as error:
        raise ValueError(f"{newest}: {type(error).__name__}") from None
    return newest


def _live(actions: list[dict[str, Any]], root: str) -> dict[str, LiveFile]:
    live: dict[str, LiveFile] = {}
    for action in actions:
        if (removed := action.get("remove")) is not None:
            live.pop(_inside(removed["path"], root), None)
        if (added := action.get("add")) is not None:
            if added.get("deletionVector"):
                raise ValueError("it deletes rows inside files, by deletion vectors")
            values = dict(added.get("partitionValues") or {})
            columns = tuple((k, v) for k, v in values.items() if v is not None)
            live[_inside(added["path"], root)] = LiveFile(columns, _bounds(added.get("stats")))
        if described := action.get("metaData"):
            options = dict(described.get("configuration") or {})
            if options.get("delta.columnMapping.mode", "none") != "none":
                raise ValueError("its columns have other names inside its files")
    return live


def _inside(path: str, root: str) -> str:
    plain = unquote(path).removeprefix("file://").removeprefix(f"{root}/")
    return os.path.normpath(os.path.relpath(plain, root) if os.path.isabs(plain) else plain)  # noqa: PTH117


def _bounds(stats: Any) -> dict[str, tuple[dt.datetime, dt.datetime]]:
    """Return the first and last time of each column of times, where the log states both."""
    stated = json.loads(stats) if isinstance(stats, str) else {}
    lowest, highest = stated.get("minValues") or {}, stated.get("maxValues") or {}
    found = {}
    for name in lowest.keys() & highest.keys():
        if name.lower() in TIMES:
            first, last = _time(lowest[name]), _time(highest[name])
            if first is not None and last is not None:
                found[name] = (first, last)
    return found


def _time(value: Any) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
