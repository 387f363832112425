"""A prefix of an object store as a folder; see ``folder.SharedFolder``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from llm_audit.errors import AuditError
from llm_audit.ledger.shared.folder import Ranged
from llm_audit.sources.files.stores.retry import tried

_BLOCK_BYTES = 1 << 23


class ObjectFolder:
    """A prefix of an object store."""

    path = None

    def __init__(self, uri: str, *, checked: bool) -> None:
        from llm_audit.sources.files.stores import address, clients

        self.uri = uri.rstrip("/")
        place = address.parse(self.uri)
        self._store = clients.client(place.store)
        self._root = f"{place.bucket}/{place.key}".rstrip("/")
        if checked:
            with _explained(self.uri):
                tried(lambda: self._store.get_file_info([self._root]), self.uri)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none."""
        with _explained(self._name(name)), suppress(FileNotFoundError):
            return tried(lambda: self._read(name), name)
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""
        with _explained(self._name(name)):
            tried(lambda: self._write(name, [content]), name)

    def store(self, name: str, blocks: Iterable[bytes | memoryview]) -> None:
        """Write a file that can be made again."""
        content = list(blocks)
        with _explained(self._name(name)):
            tried(lambda: self._write(name, content), name)

    def scratch(self) -> AbstractContextManager[Path]:
        """Return a folder of this machine for files to ``put``."""
        return _temporary()

    def has(self, name: str) -> bool:
        """Return whether there is a file of a name."""
        from pyarrow import fs

        with _explained(self._name(name)):
            [found] = tried(lambda: self._store.get_file_info([f"{self._root}/{name}"]), name)
        return bool(found.type == fs.FileType.File)

    @contextmanager
    def ranges(self, name: str) -> Iterator[Ranged]:
        """Yield a reader of parts of a file."""
        with _explained(self._name(name)):
            file = tried(lambda: self._store.open_input_file(f"{self._root}/{name}"), name)
        with file:
            with _explained(self._name(name)):
                size = int(tried(file.size, name))

            def read(start: int, count: int) -> bytes:
                wanted = max(0, min(count, size - start))
                with _explained(self._name(name)):
                    return bytes(tried(lambda: file.read_at(wanted, start), f"{name} {start}")) if wanted else b""

            yield read

    def put(self, path: Path, name: str) -> None:
        """Move a file of this machine to a name."""
        with _explained(self._name(name)):
            tried(lambda: self._write(name, _blocks(path)), name)
        path.unlink()

    def fetch(self, name: str, folder: Path) -> Path:
        """Return the path of a file on this machine."""
        target = folder / name.replace("/", "-")
        with _explained(self._name(name)):
            tried(lambda: self._download(name, target), name)
        return target

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files below a prefix, sorted."""
        from pyarrow import fs

        selector = fs.FileSelector(f"{self._root}/{prefix}", recursive=True, allow_not_found=True)
        with _explained(self._name(prefix)):
            found = tried(lambda: self._store.get_file_info(selector), prefix)
        inside = len(self._root) + 1
        return sorted(info.path[inside:] for info in found if info.type == fs.FileType.File)

    def remove(self, prefix: str) -> None:
        """Remove a file, or the files below a prefix."""
        target = f"{self._root}/{prefix}".rstrip("/")
        with _explained(self._name(prefix)), suppress(FileNotFoundError):
            if not prefix.endswith("/"):
                tried(lambda: self._store.delete_file(target), prefix)
            elif self._is_there(target):  # of a folder that is missing, clients say so in errors of several kinds
                tried(lambda: self._store.delete_dir(target), prefix)

    def _is_there(self, target: str) -> bool:
        from pyarrow import fs

        [found] = tried(lambda: self._store.get_file_info([target]), target)
        return bool(found.type != fs.FileType.NotFound)

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


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="llm-audit-") as folder:
        yield Path(folder)


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
