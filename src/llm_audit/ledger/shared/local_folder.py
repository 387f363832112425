"""A folder of this machine, or of a disk that several share; see ``folder.SharedFolder``."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from llm_audit.errors import UsageError
from llm_audit.files import PRIVATE, make_private_folder, write_atomically
from llm_audit.ledger.shared.folder import Ranged


class LocalFolder:
    """A folder of this machine, or of a disk that several share."""

    def __init__(self, path: str) -> None:
        """Name the folder, which is created where it does not exist.

        Raises:
            UsageError: It cannot be created.
        """
        self._path = self.path = Path(path).absolute()
        self.uri = str(self._path)
        if not self._path.exists():
            try:
                make_private_folder(self._path)
            except OSError as error:
                raise UsageError(f"Cannot create the workspace {path}: {error.strerror}. Choose another.") from None

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none."""
        with suppress(FileNotFoundError):
            return (self._path / name).read_bytes()
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""
        write_atomically(self._path / name, content)

    def store(self, name: str, blocks: Iterable[bytes | memoryview]) -> None:
        """Write a file that can be made again."""
        handle, partial = tempfile.mkstemp(dir=self._path, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(blocks)
            Path(partial).chmod(PRIVATE)
            Path(partial).replace(self._path / name)
        finally:
            Path(partial).unlink(missing_ok=True)

    def scratch(self) -> AbstractContextManager[Path]:
        """Return a folder of this machine for files to ``put``."""
        return nullcontext(self._path)

    def has(self, name: str) -> bool:
        """Return whether there is a file of a name."""
        return (self._path / name).is_file()

    @contextmanager
    def ranges(self, name: str) -> Iterator[Ranged]:
        """Yield a reader of parts of a file."""
        with (self._path / name).open("rb", buffering=0) as file:

            def read(start: int, count: int) -> bytes:
                size = os.fstat(file.fileno()).st_size
                file.seek(min(start, size))
                return file.read(min(count, size))

            yield read

    def put(self, path: Path, name: str) -> None:
        """Move a file of this machine to a name."""
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
        """Return the path of a file on this machine."""
        return self._path / name

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files below a prefix, sorted."""
        found = (path for path in (self._path / prefix).rglob("*") if path.is_file() and path.name[0] != ".")
        return sorted(path.relative_to(self._path).as_posix() for path in found)

    def remove(self, prefix: str) -> None:
        """Remove a file, or the files below a prefix."""
        target = self._path / prefix
        if prefix.endswith("/"):
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
        with suppress(OSError):  # it holds more
            self._path.rmdir()
