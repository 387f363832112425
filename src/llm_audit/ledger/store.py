"""Read and write ledgers: a folder with the requests as Parquet and the manifest as JSON."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl

from llm_audit.errors import UsageError
from llm_audit.files import write_atomically
from llm_audit.ledger.columns import SCHEMA_VERSION
from llm_audit.ledger.manifest import MANIFEST_FILE, REQUESTS_FILE, Manifest, encode_manifest
from llm_audit.ledger.schema import SCHEMA


class Ledger:
    """All requests, one row each, with the manifest.

    A ledger made by ingest is in a temporary folder that is removed with the object; ``write_ledger`` saves it.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, holder: object = None) -> None:
        self.folder = folder
        self.manifest = manifest
        self._holder = holder  # keeps a temporary folder alive

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The requests in memory, with the columns of ``ledger.schema.SCHEMA``, in order of input and line."""
        return self.scan().collect()

    def with_notes(self, notes: Sequence[str]) -> Ledger:
        """Return the same ledger with other notes on skipped files."""
        manifest = msgspec.structs.replace(self.manifest, notes=list(notes))
        return Ledger(self.folder, manifest, holder=self._holder)

    def scan(self) -> pl.LazyFrame:
        """Return the requests, read from disk each time the result is collected."""
        return pl.scan_parquet(self.folder / REQUESTS_FILE, glob=False).cast(SCHEMA)


def is_ledger(path: str | Path) -> bool:
    """Return whether a path is a folder with a saved ledger."""
    folder = Path(path)
    # A folder without permission is not a ledger; searching it for logs reports the error.
    return all(os.path.isfile(folder / name) for name in (MANIFEST_FILE, REQUESTS_FILE))  # noqa: PTH113


def read_ledger(folder: Path) -> Ledger:
    """Open a saved ledger.

    Raises:
        UsageError: The folder contains no ledger, or one of another version.

    Examples:
        After ``llm-audit analyze logs/ --save-ledger ledger``:

        >>> llm_audit.read_ledger(Path("ledger")).scan()  # doctest: +SKIP
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
        columns = pl.read_parquet_schema(folder / REQUESTS_FILE)
    except (OSError, msgspec.MsgspecError, pl.exceptions.PolarsError):
        raise UsageError(f"{folder} contains no readable ledger. Create it again with --save-ledger.") from None
    if manifest.schema_version != SCHEMA_VERSION or list(columns) != SCHEMA.names():
        raise UsageError(f"{folder} contains a ledger of another version. Create it again from the logs.")
    return Ledger(folder, manifest)


def write_ledger(ledger: Ledger, folder: Path) -> None:
    """Save a ledger in a folder, which is created where it does not exist.

    Raises:
        UsageError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if ledger.folder.resolve() != folder.resolve():
            partial = folder / f".{REQUESTS_FILE}"
            shutil.copyfile(ledger.folder / REQUESTS_FILE, partial)
            partial.replace(folder / REQUESTS_FILE)
    except OSError as error:
        raise UsageError(f"Cannot write the ledger to {folder}: {error.strerror}. Choose another folder.") from None
    write_atomically(folder / MANIFEST_FILE, encode_manifest(ledger.manifest))
