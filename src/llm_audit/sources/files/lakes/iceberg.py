"""The current snapshot of an Iceberg table, by pyiceberg, which is an extra: its manifests are in Avro."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources.files.lakes.deleted import framed_places, packed
from llm_audit.sources.files.lakes.delta import EXPORT, TIMES, LiveFile
from llm_audit.sources.files.lakes.table import Table
from llm_audit.sources.files.stores.key_dates import MARGIN, KeyDates

METADATA = "metadata"
METADATA_SUFFIX = ".metadata.json"
INSTALL = "Install llm-audit[iceberg], which reads them."

_VERSION = re.compile(r"v?(\d+)(?:-.+)?\.metadata\.json")


def has_reader() -> bool:
    """Return whether the extra is installed."""
    return find_spec("pyiceberg") is not None


def iceberg_files(table: Table, dates: KeyDates) -> tuple[dict[str, LiveFile], frozenset[str]]:
    """Return the data files of a table's current snapshot, and those of them that the period rules out.

    A file is ruled out by the bounds of its columns of times, as the manifests state them.

    Raises:
        UsageError: The metadata cannot be followed, or says what cannot be honoured.
    """
    from pydantic import ValidationError
    from pyiceberg.exceptions import NoSuchTableError
    from pyiceberg.expressions import AlwaysTrue

    try:
        static = _static_table(table, _newest(table))
        live = _live(static, _planned(static, AlwaysTrue()))
        wanted = {
            _inside(task.file.file_path, static.metadata.location) for task in _planned(static, _filter(static, dates))
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError, NoSuchTableError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"The metadata of the Iceberg table {table.name} cannot be followed: {said}. {EXPORT}"
        ) from None
    if lost := [name for name in live if not table.has(name)]:
        raise UsageError(f"The Iceberg table {table.name} cannot be read: its file {lost[0]} is missing. {EXPORT}")
    return live, frozenset(live) - wanted


def _newest(table: Table) -> str:
    """Return the name of the metadata of the highest version."""
    versions: dict[int, list[str]] = {}
    for name in table.names(METADATA):
        if match := _VERSION.fullmatch(name):
            versions.setdefault(int(match[1]), []).append(name)
    newest = versions[max(versions)] if versions else []
    if len(newest) != 1:
        raise ValueError(f"{len(newest)} files of metadata claim to be the newest")
    return f"{METADATA}/{newest[0]}"


def _static_table(table: Table, name: str) -> Any:
    from pyiceberg.catalog.noop import NoopCatalog
    from pyiceberg.table import StaticTable
    from pyiceberg.table.metadata import TableMetadataUtil

    metadata = TableMetadataUtil.parse_raw(table.read(name).decode())
    return StaticTable(
        identifier=("table",),
        metadata=metadata,
        metadata_location=name,
        io=_Files(table, metadata.location),
        catalog=NoopCatalog("table"),
    )


class _Content(msgspec.Struct, frozen=True):
    """A file as pyiceberg reads one; it may have been copied from the place that the metadata names."""

    table: Table
    location: str
    root: str

    def __len__(self) -> int:
        return len(self._content())

    def exists(self) -> bool:
        """Return whether it is there."""
        return self.table.has(_inside(self.location, self.root))

    def open(self, seekable: bool = True) -> io.BytesIO:  # noqa: FBT001, FBT002, ARG002 - as pyiceberg calls it
        """Return its content as a stream."""
        return io.BytesIO(self._content())

    def _content(self) -> bytes:
        return self.table.read(_inside(self.location, self.root))


class _Files(msgspec.Struct, frozen=True):
    """The files of a table as pyiceberg asks for them."""

    table: Table
    root: str

    def new_input(self, location: str) -> _Content:
        """Return a file."""
        return _Content(self.table, location, self.root)


def _planned(static: Any, row_filter: Any) -> list[Any]:
    """Return the files of the current snapshot that can hold rows for a filter, with those that delete rows of them.

    Raises:
        ValueError: Rows are deleted in a way that pyiceberg does not read.
    """
    try:
        return list(static.scan(row_filter=row_filter).plan_files())
    except ValueError as error:
        if "equality deletes" in str(error):
            raise ValueError(
                "it has equality deletes, which pyiceberg does not read; compact the table first, for instance with "
                "Spark's rewrite_data_files"
            ) from None
        raise


def _live(static: Any, tasks: Iterable[Any]) -> dict[str, LiveFile]:
    """Return the files of a snapshot by their paths inside the table, with the places of their deleted rows."""
    deletes = _Deletes(static.io)
    found = {}
    for task in tasks:
        places = [place for file in task.delete_files for place in deletes.places(file, task.file.file_path)]
        if places and task.file.file_format != "PARQUET":
            raise ValueError(f"it deletes rows of {task.file.file_path}, which is not a Parquet file; compact it first")
        found[_inside(task.file.file_path, static.metadata.location)] = LiveFile(
            deleted=packed(places) if places else b""
        )
    return found


class _Deletes:
    """The rows that files of position deletes and deletion vectors name; each file is read once."""

    def __init__(self, files: _Files) -> None:
        self._files = files
        self._read: dict[str, dict[str, list[int]]] = {}

    def places(self, file: Any, data_file: str) -> list[int]:
        """Return the places of the rows of a data file that a file of deletes names."""
        path = file.file_path
        if path not in self._read:
            content = self._files.new_input(path).open().read()
            match file.file_format:
                case "PARQUET":
                    self._read[path] = _of_parquet(content)
                case "PUFFIN":
                    self._read[path] = _of_puffin(content)
                case other:
                    raise ValueError(
                        f"{path} is a file of deletes in {other}, which is not read; compact the table first"
                    )
        return self._read[path].get(data_file, [])


def _of_parquet(content: bytes) -> dict[str, list[int]]:
    import pyarrow.parquet as pq

    found: dict[str, list[int]] = {}
    table = pq.read_table(io.BytesIO(content), columns=["file_path", "pos"])
    for path, place in zip(table["file_path"].to_pylist(), table["pos"].to_pylist(), strict=True):
        found.setdefault(path, []).append(place)
    return found


def _of_puffin(content: bytes) -> dict[str, list[int]]:
    from pyiceberg.table.puffin import PuffinFile

    found: dict[str, list[int]] = {}
    for blob in PuffinFile(content).footer.blobs:
        framed = content[blob.offset : blob.offset + blob.length]
        found.setdefault(blob.properties["referenced-data-file"], []).extend(framed_places(framed))
    return found


def _filter(static: Any, dates: KeyDates) -> Any:
    """Return a filter for the period, with a day on both sides, by any column of times."""
    from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, LessThan
    from pyiceberg.types import TimestampType, TimestamptzType

    known = [
        (field.name, isinstance(field.field_type, TimestamptzType))
        for field in static.schema().fields
        if field.name.lower() in TIMES and isinstance(field.field_type, TimestamptzType | TimestampType)
    ]
    early = late = AlwaysTrue()
    if known and dates.since is not None:
        since = dates.since - MARGIN
        early = _any(GreaterThanOrEqual(name, _written(since, zoned=zoned)) for name, zoned in known)
    if known and dates.until is not None:
        until = dates.until + MARGIN
        late = _any(LessThan(name, _written(until, zoned=zoned)) for name, zoned in known)
    return And(early, late)


def _any(terms: Iterable[Any]) -> Any:
    from pyiceberg.expressions import AlwaysFalse, Or

    found: Any = AlwaysFalse()
    for term in terms:
        found = Or(found, term)
    return found


def _written(moment: dt.datetime, *, zoned: bool) -> str:
    return moment.isoformat() if zoned else moment.replace(tzinfo=None).isoformat()


def _inside(location: str, root: str) -> str:
    """Return the path of a file inside its table, wherever both have been copied to."""
    plain = location.removeprefix("file://")
    prefix = root.removeprefix("file://").rstrip("/") + "/"
    if not plain.startswith(prefix):
        raise ValueError(f"its file {location} lies outside the table's folder")
    return plain.removeprefix(prefix)
