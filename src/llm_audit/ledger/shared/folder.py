"""A folder that every process of an engine reaches: on this machine, on a shared disk or in object storage.

Files are written whole or not at all, and those with a checksum are checked when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from llm_audit.ledger.sealed import DamagedError, seal, unseal, xxh3_of

Ranged = Callable[[int, int], bytes]
"""Returns bytes of a file by their first place and their number; fewer where it ends before."""


class SharedFolder(Protocol):
    """Files by name, ``/`` between the parts of a name."""

    @property
    def uri(self) -> str:
        """Return the folder's address."""

    @property
    def path(self) -> Path | None:
        """Return the folder's path, where processes can open its files by path."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""

    def store(self, name: str, blocks: Iterable[bytes | memoryview]) -> None:
        """Write a file that can be made again: whole, but not yet safe from a loss of power."""

    def put(self, path: Path, name: str) -> None:
        """Move a file of this machine to a name."""

    def scratch(self) -> AbstractContextManager[Path]:
        """Return a folder of this machine for files to ``put``."""

    def has(self, name: str) -> bool:
        """Return whether there is a file of a name."""

    def ranges(self, name: str) -> AbstractContextManager[Ranged]:
        """Return a reader of parts of a file.

        Raises:
            FileNotFoundError: There is none.
        """

    def fetch(self, name: str, folder: Path) -> Path:
        """Return the path of a file on this machine: where it is, or a copy in ``folder``."""

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files below a prefix that ends in ``/``, sorted."""

    def remove(self, prefix: str) -> None:
        """Remove a file, or the files below a prefix that ends in ``/``, and what folders are empty then."""


def open_folder(uri: str, *, checked: bool = True) -> SharedFolder:
    """Return the folder at an address: a path, ``s3://bucket/prefix`` or another file system that Arrow knows.

    Args:
        uri: The address.
        checked: Whether to see first that an object store answers; a task is sent where that was seen.

    Raises:
        UsageError: It cannot be created or reached.
    """
    if "://" in uri and not uri.startswith("file://"):
        from llm_audit.ledger.shared.object_folder import ObjectFolder

        return ObjectFolder(uri, checked=checked)
    from llm_audit.ledger.shared.local_folder import LocalFolder

    return LocalFolder(uri.removeprefix("file://"))


def read_sealed(folder: SharedFolder, name: str) -> bytes | None:
    """Return the content of a file of ``write_sealed``; None where there is none, or a damaged one."""
    data = folder.read(name)
    with suppress(DamagedError):
        return None if data is None else unseal(name, data)
    return None


def write_sealed(folder: SharedFolder, name: str, content: bytes) -> None:
    """Write a file with its checksum."""
    folder.write(name, seal(name, content))


def fetch_whole(folder: SharedFolder, name: str, local: Path, checksum: str) -> Path:
    """Return the path of a file of a known checksum, as ``SharedFolder.fetch``.

    Raises:
        DamagedError: It is missing or is not what was written; the message is its name.
    """
    with suppress(FileNotFoundError):
        path = folder.fetch(name, local)
        if xxh3_of(path) == checksum:
            return path
    raise DamagedError(name)


def is_whole(folder: SharedFolder, name: str, checksum: str) -> bool:
    """Return whether a file is there as it was written."""
    with TemporaryDirectory(prefix="llm-audit-") as local:
        try:
            fetch_whole(folder, name, Path(local), checksum)
        except DamagedError:
            return False
        return True
