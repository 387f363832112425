"""Checkpoints of a Delta table's log, which stand for the commits before them, of versions 1 and 2."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from llm_audit.sources.files.lakes.table import Table

DELTA_LOG = "_delta_log"
_SIDECARS = f"{DELTA_LOG}/_sidecars"
_NAME = re.compile(
    r"(?P<version>\d{20})\.checkpoint\."
    r"(?:parquet|(?P<part>\d{10})\.(?P<parts>\d{10})\.parquet|[0-9a-fA-F-]{36}\.(?:parquet|json))"
)
_READ = ("add", "remove", "metaData", "protocol", "sidecar")


def checkpoint(table: Table, names: Sequence[str]) -> tuple[int, list[dict[str, Any]]]:
    """Return the version and the actions of the newest complete checkpoint of a log; version -1 where there is none.

    Args:
        table: The table.
        names: The names of the files in its log.

    Raises:
        ValueError: It cannot be read, or a file of checkpoints has a name of an unknown kind.
    """
    found: dict[tuple[int, int], list[str]] = {}
    for name in sorted(names):
        if ".checkpoint" not in name:
            continue
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is a checkpoint of a kind that is not read")
        found.setdefault((int(match["version"]), int(match["parts"] or 1)), []).append(name)
    complete = {(version, count): files for (version, count), files in found.items() if len(files) >= count}
    if not complete:
        return -1, []
    version, count = max(complete)
    files = complete[version, count]
    # Several of one version that are not parts of one another say the same.
    return version, [action for name in (files if count > 1 else files[:1]) for action in _actions(table, name)]


def _actions(table: Table, name: str) -> Iterator[dict[str, Any]]:
    for action in _rows(table.read(f"{DELTA_LOG}/{name}"), name):
        if (sidecar := action.get("sidecar")) is not None:
            beside = unquote(sidecar["path"])
            yield from _rows(table.read(f"{_SIDECARS}/{beside.rpartition('/')[2]}"), beside)
        else:
            yield action


def _rows(content: bytes, name: str) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if name.endswith(".json"):
        return [json.loads(line) for line in content.decode().splitlines() if line.strip()]
    try:
        with pq.ParquetFile(io.BytesIO(content)) as file:
            there = [column for column in _READ if column in file.schema_arrow.names]
            rows: list[dict[str, Any]] = file.read(columns=there).to_pylist()
    except pa.ArrowException as error:
        raise ValueError(f"{name}: {type(error).__name__}") from None
    return rows
