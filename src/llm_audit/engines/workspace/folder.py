"""A folder that every process of an engine reaches: on this machine, on a shared disk or in object storage.

Files are written whole or not at all, and sealed ones are checked when they are read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from llm_audit.errors import AuditError, UsageError
from llm_audit.files import PRIVATE, make_private_folder, write_atomically
from llm_audit.ledger.sealed import DamagedError, seal, unseal
from llm_audit.sources.files.stores.retry import tried

_BLOCK_BYTES = 1 << 23


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

    def put(self, path: Path, name: str) -> None:
        """Move a file of this machine to a name."""

    def fetch(self, name: str, folder: Path) -> Path:
        """Return the path of a file on this machine: where it is, or a copy in ``folder``."""

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files below a prefix that ends in ``/``, sorted."""

    def remove(self, prefix: str) -> None:
        """Remove a file, or the files below a prefix that ends in ``/``, and what folders are empty then."""


def open_folder(uri: str) -> SharedFolder:
    """Return the folder at an address: a path, ``s3://bucket/prefix`` or another file system that Arrow knows.

    Raises:
        UsageError: It cannot be created or reached.
    """
    if "://" in uri and not uri.startswith("file://"):
        return _ObjectFolder(uri)
    return _LocalFolder(uri.removeprefix("file://"))


def read_sealed(folder: SharedFolder, name: str) -> bytes | None:
    """Return the content of a file of ``write_sealed``; None where there is none, or a damaged one."""
    data = folder.read(name)
    with suppress(DamagedError):
        return None if data is None else unseal(name, data)
    return None


def write_sealed(folder: SharedFolder, name: str, content: bytes) -> None:
    """Write a file with its checksum."""
    folder.write(name, seal(name, content))


class _LocalFolder:
    """A folder of this machine, or of a disk that several share."""

    def __init__(self, path: str) -> None:
        self._path = self.path = Path(path).absolute()
        self.uri = str(self._path)
        if not self._path.exists():
            try:
                make_private_folder(self._path)
            except OSError as error:
                raise UsageError(f"Cannot create the workspace {path}: {error.strerror}. Choose another.") from None

    def read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return (self._path / name).read_bytes()
        return None

    def write(self, name: str, content: bytes) -> None:
        write_atomically(self._path / name, content)

    def put(self, path: Path, name: str) -> None:
        target = self._path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".")
        os.close(handle)
        try:
            shutil.move(path, partial)
            Path(partial).chmod(PRIVATE)
            Path(partial).replace(target)
        finally:
            Path(partial).unlink(missing_ok=True)

    def fetch(self, name: str, folder: Path) -> Path:  # noqa: ARG002 - it is where it can be read
        return self._path / name

    def names(self, prefix: str) -> list[str]:
        found = (path for path in (self._path / prefix).rglob("*") if path.is_file() and path.name[0] != ".")
        return sorted(path.relative_to(self._path).as_posix() for path in found)

    def remove(self, prefix: str) -> None:
        target = self._path / prefix
        if prefix.endswith("/"):
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
        with suppress(OSError):  # it holds more
            self._path.rmdir()


class _ObjectFolder:
    """A prefix of an object store."""

    path = None

    def __init__(self, uri: str) -> None:
        from llm_audit.sources.files.stores import address, clients

        self.uri = uri.rstrip("/")
        place = address.parse(self.uri)
        self._store = clients.client(place.store)
        self._root = f"{place.bucket}/{place.key}".rstrip("/")
        with _explained(self.uri):
            tried(lambda: self._store.get_file_info([self._root]), self.uri)

    def read(self, name: str) -> bytes | None:
        with _explained(self._name(name)), suppress(FileNotFoundError):
            return tried(lambda: self._read(name), name)
        return None

    def write(self, name: str, content: bytes) -> None:
        with _explained(self._name(name)):
            tried(lambda: self._write(name, [content]), name)

    def put(self, path: Path, name: str) -> None:
        with _explained(self._name(name)):
            tried(lambda: self._write(name, _blocks(path)), name)
        path.unlink()

    def fetch(self, name: str, folder: Path) -> Path:
        target = folder / name.replace("/", "-")
        with _explained(self._name(name)):
            tried(lambda: self._download(name, target), name)
        return target

    def names(self, prefix: str) -> list[str]:
        from pyarrow import fs

        selector = fs.FileSelector(f"{self._root}/{prefix}", recursive=True, allow_not_found=True)
        with _explained(self._name(prefix)):
            found = tried(lambda: self._store.get_file_info(selector), prefix)
        inside = len(self._root) + 1
        return sorted(info.path[inside:] for info in found if info.type == fs.FileType.File)

    def remove(self, prefix: str) -> None:
        target = f"{self._root}/{prefix}".rstrip("/")
        delete = self._store.delete_dir if prefix.endswith("/") else self._store.delete_file
        with _explained(self._name(prefix)), suppress(FileNotFoundError):
            tried(lambda: delete(target), prefix)

    def _name(self, name: str) -> str:
        return f"{self.uri}/{name}"

    def _read(self, name: str) -> bytes:
        with self._store.open_input_stream(f"{self._root}/{name}") as file:
            return bytes(file.read())

    def _write(self, name: str, blocks: Any) -> None:
        with self._store.open_output_stream(f"{self._root}/{name}") as file:
            for block in blocks:
                file.write(block)

    def _download(self, name: str, target: Path) -> None:
        with self._store.open_input_stream(f"{self._root}/{name}") as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, _BLOCK_BYTES)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise AuditError(
            f"The object store failed at {uri}: {said}. Check the address and the credentials, and start again with "
            "the same --workspace; what is finished is kept."
        ) from None
