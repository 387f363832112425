"""An object of a store as a file that is read by ranges."""

from __future__ import annotations

import io
import os
from typing import Any

from llm_audit.sources.files.stores.address import Store
from llm_audit.sources.files.stores.clients import client
from llm_audit.sources.files.stores.retry import ShortReadError, tried, why

_VERSION_KEYS = ("ETag", "etag", "VersionId", "generation")


class RemoteFile(io.RawIOBase):
    """An object, whose every reading is a request that is tried again where it fails.

    ``size`` is what the object itself states, whatever a listing says, and ``version`` its ETag, with its generation
    where the store gives one; empty where it gives neither.
    """

    def __init__(self, store: Store, path: str) -> None:
        super().__init__()
        self.name = path
        try:
            self._file: Any = tried(lambda: client(store).open_input_file(path), path)
            self.size = int(self._file.size())
            self.version = _version(self._file.metadata() or {})
        except OSError as error:
            raise OSError(why(error)) from None
        self._position = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position, which costs no request."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return as many bytes as there are of these, in one request.

        Raises:
            OSError: They cannot be had, after several attempts.
        """
        left = max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        try:
            block = tried(lambda: self._range(wanted), f"{self.name} {self._position}")
        except OSError as error:
            raise OSError(why(error)) from None
        self._position += wanted
        return block

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def readall(self) -> bytes:
        """Return the rest."""
        return self.read()

    def close(self) -> None:
        """Close the object."""
        if not self.closed:
            self._file.close()
        super().close()

    def _range(self, wanted: int) -> bytes:
        block: bytes = self._file.read_at(wanted, self._position)
        if len(block) < wanted:
            raise ShortReadError(f"{len(block):,} of {wanted:,} bytes came")
        return block


def _version(metadata: dict[Any, Any]) -> str:
    stated = {_text(name): _text(value) for name, value in metadata.items()}
    return " ".join(stated[name].strip('"') for name in _VERSION_KEYS if stated.get(name))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
