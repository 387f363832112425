"""Read and write ledgers: a folder with the requests as Parquet and the manifest as JSON."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from xxhash import xxh3_128_hexdigest

from llm_audit.errors import UsageError
from llm_audit.files import PRIVATE, make_private_folder, write_atomically
from llm_audit.ledger.columns import SCHEMA_VERSION
from llm_audit.ledger.manifest import (
    CHECKSUMS_FILE,
    MANIFEST_FILE,
    REQUESTS_FILE,
    Manifest,
    encode_manifest,
    requests_files,
)
from llm_audit.ledger.sealed import sha256_of, xxh3_of
from llm_audit.ledger.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

STAGED = "next"
"""Name of the folder, in that of a kept ledger, in which the next one waits until it is complete."""

_T = TypeVar("_T")
_PARTITION_FILES = "requests-[0-9][0-9][0-9][0-9][0-9].parquet"
_AGAIN = "Create it again with --save-ledger."


class Ledger:
    """All requests, one row each, with the manifest.

    A large ledger is in several partitions, each a file. The requests of a conversation or a trace are in one of them,
    and the rows of each are in order of input, line and entry. A ledger made by ingest is in a temporary folder that is
    removed with the object; ``write_ledger`` saves it.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, holder: object = None) -> None:
        self.folder = folder
        self.manifest = manifest
        self._holder = holder  # keeps a temporary folder alive

    @property
    def partitions(self) -> int:
        """Return the number of partitions."""
        return self.manifest.partitions

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files of requests, one a partition."""
        return tuple(self.folder / name for name in requests_files(self.partitions))

    @property
    def address(self) -> str:
        """Return the address of its folder."""
        return str(self.folder)

    def file(self, partition: int) -> Path:
        """Return the path of a partition's file on this machine, which may be gone when the next one is asked for."""
        return self.files[partition]

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The requests in memory, with the columns of ``ledger.schema.SCHEMA``, in order of input, line and entry."""
        return self.scan().collect()

    def with_notes(self, notes: Sequence[str]) -> Ledger:
        """Return the same ledger with other notes on skipped files."""
        return self.with_manifest(msgspec.structs.replace(self.manifest, notes=list(notes)))

    def with_manifest(self, manifest: Manifest) -> Ledger:
        """Return the same requests with another manifest."""
        return Ledger(self.folder, manifest, holder=self._holder)

    def for_tasks(self) -> Ledger:
        """Return the ledger as tasks carry it: they name its files, and this process keeps a temporary folder alive."""
        return Ledger(self.folder, self.manifest)

    def rewritten(self, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Ledger:
        """Return a ledger of changed rows, in a temporary folder of its own; each partition is changed by itself."""
        holder = Workspace()
        for number, file in enumerate(self.files):
            change(self.scan(number)).sink_parquet(holder.path / file.name)
        return Ledger(holder.path, self.manifest, holder=holder)

    def fingerprint(self) -> str:
        """Return a hash of the requests and the manifest."""
        requests = "".join(map(xxh3_of, self.files))
        if self.partitions > 1:
            requests = xxh3_128_hexdigest(requests.encode())
        return f"{requests}{xxh3_128_hexdigest(encode_manifest(self.manifest))}"

    def scan(self, partition: int | None = None) -> pl.LazyFrame:
        """Return the requests, read from disk each time the result is collected.

        Args:
            partition: The partition to read; None for all. All requests of several partitions are sorted in memory.
        """
        return scanned(self.files if partition is None else self.files[partition : partition + 1])


def scanned(files: Sequence[Path]) -> pl.LazyFrame:
    """Return the requests of some files of a ledger; those of several are sorted in memory."""
    import polars as pl

    from llm_audit.ledger.schema import SCHEMA

    rows = pl.scan_parquet(list(files), glob=False).cast(SCHEMA)
    return rows if len(files) == 1 else rows.sort("input", "line", "entry")


def is_ledger(path: str | Path) -> bool:
    """Return whether a path is a folder with a saved ledger, or with what is left of one."""
    folder = _current(Path(path))
    # A folder without permission is not a ledger; searching it for logs reports the error.
    names = (MANIFEST_FILE, CHECKSUMS_FILE, REQUESTS_FILE, requests_files(2)[0])
    there = {name for name in names if os.path.isfile(folder / name)}  # noqa: PTH113
    return CHECKSUMS_FILE in there or (MANIFEST_FILE in there and len(there) > 1)


def read_ledger(folder: Path) -> Ledger:
    """Open a saved ledger whose files are as they were written.

    Raises:
        UsageError: The folder contains no ledger, a damaged one, or one of another version.

    Examples:
        After ``llm-audit analyze logs/ --save-ledger ledger``:

        >>> llm_audit.read_ledger(Path("ledger")).scan()  # doctest: +SKIP
    """
    import polars as pl

    from llm_audit.ledger.schema import SCHEMA

    folder = _current(folder)
    partitions = _check(folder)
    try:
        manifest = msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Manifest)
        ledger = Ledger(folder, manifest)
        columns = [list(pl.read_parquet_schema(folder / name)) for name in requests_files(partitions)]
    except (OSError, msgspec.MsgspecError, pl.exceptions.PolarsError):
        raise UsageError(f"{folder} contains no readable ledger. {_AGAIN}") from None
    if manifest.schema_version != SCHEMA_VERSION or any(names != SCHEMA.names() for names in columns):
        raise UsageError(f"{folder} contains a ledger of another version. Create it again from the logs.")
    if manifest.partitions != partitions:
        raise UsageError(f"{folder / CHECKSUMS_FILE} is damaged. {_AGAIN}")
    return ledger


def write_ledger(ledger: Ledger, folder: Path) -> None:
    """Save a ledger in a folder, which is created where it does not exist; ``sha256sum -c`` checks it.

    Raises:
        UsageError: The folder cannot be written.
    """
    try:
        if not folder.exists():
            make_private_folder(folder)
        if ledger.folder.resolve() != folder.resolve():
            for number, name in enumerate(requests_files(ledger.partitions)):
                _copy(ledger.file(number), folder / name)
        names = requests_files(ledger.partitions)
        checksums = {name: sha256_of(folder / name) for name in names}
    except OSError as error:
        raise UsageError(f"Cannot write the ledger to {folder}: {error.strerror}. Choose another folder.") from None
    manifest = encode_manifest(ledger.manifest)
    write_atomically(folder / MANIFEST_FILE, manifest)
    checksums[MANIFEST_FILE] = hashlib.sha256(manifest).hexdigest()
    write_atomically(folder / CHECKSUMS_FILE, _lines(checksums).encode())
    for other in {REQUESTS_FILE, *(path.name for path in folder.glob(_PARTITION_FILES))}.difference(names):
        (folder / other).unlink(missing_ok=True)  # of a ledger that was saved here before


def replace_ledger(ledger: Ledger, folder: Path) -> None:
    """Save a ledger in place of the one in a folder; whenever this is interrupted, one of both can be read.

    Raises:
        UsageError: The folder cannot be written.
    """
    shutil.rmtree(folder / STAGED, ignore_errors=True)
    write_ledger(ledger, folder / STAGED)
    finish_replacement(folder)


def finish_replacement(folder: Path) -> None:
    """Go on with a replacement that was interrupted; a ledger that was not complete is dropped.

    Raises:
        UsageError: The folder cannot be written.
    """
    staged = folder / STAGED
    if _current(folder) == staged:
        if not damaged_files(folder):
            write_ledger(read_ledger(folder), folder)
        (staged / CHECKSUMS_FILE).unlink()
    shutil.rmtree(staged, ignore_errors=True)


def damaged_files(folder: Path) -> list[str]:
    """Return the names of the files of a saved ledger that are missing or are not what was written."""
    folder = _current(folder)
    try:
        lines = (folder / CHECKSUMS_FILE).read_text(errors="replace").splitlines()
    except OSError:
        return [CHECKSUMS_FILE]
    saved = {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}
    if MANIFEST_FILE not in saved:
        return [CHECKSUMS_FILE]
    return sorted(name for name, checksum in saved.items() if _checksum(folder / name) != checksum)


def _checksum(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None


def _current(folder: Path) -> Path:
    """Return where the current ledger of a folder is: staged, where it is complete there."""
    staged = folder / STAGED
    return staged if os.path.isfile(staged / CHECKSUMS_FILE) else folder  # noqa: PTH113


def _copy(file: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}")
    try:
        shutil.copyfile(file, partial)
        partial.chmod(PRIVATE)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _check(folder: Path) -> int:
    """Check the files of a ledger against the checksums that they were saved with; return how many have requests."""
    text = _read(folder, CHECKSUMS_FILE, lambda path: path.read_bytes()).decode(errors="replace")
    saved = {name: checksum for checksum, _, name in (line.partition("  ") for line in text.splitlines())}
    partitions = len(saved) - 1
    if partitions < 1 or saved.keys() != {*requests_files(partitions), MANIFEST_FILE} or text != _lines(saved):
        raise UsageError(f"{folder / CHECKSUMS_FILE} is damaged. {_AGAIN}")
    for name, checksum in saved.items():
        if _read(folder, name, sha256_of) != checksum:
            raise UsageError(f"{folder / name} is damaged: it is not what {CHECKSUMS_FILE} says was saved. {_AGAIN}")
    return partitions


def _lines(checksums: Mapping[str, str]) -> str:
    """Return checksums in the form of ``sha256sum``."""
    return "".join(f"{checksum}  {name}\n" for name, checksum in checksums.items())


def _read(folder: Path, name: str, read: Callable[[Path], _T]) -> _T:
    try:
        return read(folder / name)
    except FileNotFoundError:
        raise UsageError(f"{folder} contains no readable ledger: it has no {name}. {_AGAIN}") from None
    except OSError as error:
        raise UsageError(f"Cannot read {folder / name}: {error.strerror}. {_AGAIN}") from None
