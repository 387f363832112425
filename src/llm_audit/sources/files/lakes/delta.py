"""The log of a Delta table: the files of its current version, what it says of each, on disk or in a store."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources.files.lakes.checkpoints import DELTA_LOG, checkpoint
from llm_audit.sources.files.lakes.deleted import of_delta, vector_id
from llm_audit.sources.files.lakes.table import Table
from llm_audit.sources.files.stores.key_dates import MARGIN, KeyDates

EXPORT = "Export its current version, for instance to Parquet files in another folder, and give that."
TIMES = frozenset(
    {
        "timestamp", "time", "ts", "datetime", "date_time", "created_at", "createdat", "created", "start_time",
        "starttime", "started_at", "startedat", "request_time", "requested_at", "event_time",
    }
)  # fmt: skip

_FEATURES = frozenset(
    {
        "columnMapping", "deletionVectors", "timestampNtz", "typeWidening", "typeWidening-preview", "v2Checkpoint",
        "vacuumProtocolCheck",
    }
)  # fmt: skip
"""Features that a reader must know, and that are followed or, as renamed columns, refused by themselves."""

Columns = tuple[tuple[str, str], ...]


class LiveFile(msgspec.Struct, frozen=True):
    """A file of a table's current version: its partition's columns, the bounds of its times, column by column, and the
    places of its rows that are deleted, as a bitmap; empty for none.
    """

    columns: Columns = ()
    bounds: Mapping[str, tuple[dt.datetime, dt.datetime]] = msgspec.field(default_factory=dict)
    deleted: bytes = b""

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
        version, found = checkpoint(table, names)
        actions += found
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        commits = [stem for stem in stems if stem.isdecimal() and int(stem) > version]
        numbers = [int(stem) for stem in commits]
        if numbers and numbers != list(range(version + 1, version + 1 + len(numbers))):
            raise ValueError("a commit is missing")  # noqa: TRY301
        for stem in commits:
            content = table.read(f"{DELTA_LOG}/{stem}.json").decode()
            actions += [json.loads(line) for line in content.splitlines() if line.strip()]
        files = _live(actions, table)
        if lost := [name for name in files if not table.has(name)]:
            raise ValueError(f"its file {lost[0]} is missing")  # noqa: TRY301
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise UsageError(f"The log of the Delta table {table.name} cannot be followed: {error}. {EXPORT}") from None
    return files


def _live(actions: Iterable[dict[str, Any]], table: Table) -> dict[str, LiveFile]:
    """Return the files that were added and not removed; with another deletion vector, a file is another one."""
    live: dict[tuple[str, str], dict[str, Any]] = {}
    for action in actions:
        if (removed := action.get("remove")) is not None:
            live.pop((_inside(removed["path"], table.name), vector_id(removed.get("deletionVector"))), None)
        if (added := action.get("add")) is not None:
            live[_inside(added["path"], table.name), vector_id(added.get("deletionVector"))] = added
        if described := action.get("metaData"):
            options = dict(described.get("configuration") or {})
            if options.get("delta.columnMapping.mode", "none") != "none":
                raise ValueError("its columns have other names inside its files")
        if unknown := set((action.get("protocol") or {}).get("readerFeatures") or ()) - _FEATURES:
            raise ValueError(f"it needs the reader feature {min(unknown)}, which is not known")
    if len({path for path, _ in live}) < len(live):
        raise ValueError("a file is added twice")
    return {path: _file(added, table) for (path, _), added in live.items()}


def _file(added: dict[str, Any], table: Table) -> LiveFile:
    values = dict(added.get("partitionValues") or {})
    columns = tuple((name, value) for name, value in values.items() if value is not None)
    vector = added.get("deletionVector")
    return LiveFile(columns, _bounds(added.get("stats")), of_delta(vector, table) if vector else b"")


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
