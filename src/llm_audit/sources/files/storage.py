"""Files on this machine and objects in S3, each described by a ``Source`` and opened as a stream."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO, cast

from llm_audit.errors import UsageError
from llm_audit.sources.databases import Table

S3_SCHEME = "s3://"
_HASH_BYTES = 1 << 20


class UnreadableError(UsageError):
    """A file that cannot be opened or read. Among other files it costs itself only."""


@dataclass(frozen=True, slots=True)
class Member:
    """The place of a file inside an archive."""

    archive: Source  # on this machine
    number: int  # among the archive's entries, from 0
    sequential: bool  # whether it can be reached only through the entries before it, as in a tar


@dataclass(frozen=True, slots=True)
class Source:
    """One file of logs."""

    name: str  # as reports show it
    path: str  # where it is read: a file on this machine, or ``s3://bucket/key``
    size_bytes: int
    modified_ns: int
    identity: str  # changes when the file is replaced: inode, or the object's own address
    member: Member | None = None  # where the file is in an archive, not taken out of it yet
    columns: tuple[tuple[str, str], ...] = ()  # what the names of its folders say, as in ``date=2026-09-01/``
    table: Table | None = field(default=None, compare=False)  # where it is a table of a database
    cut: bool = False  # a copy whose last bytes could not be had

    @property
    def remote(self) -> bool:
        """Return whether it is in object storage."""
        return self.path.startswith(S3_SCHEME)


def open_binary(source: Source) -> BinaryIO:
    """Open a source for reading and seeking, without a buffer of its own.

    Of a file on this machine only the bytes that it had when it was listed are read, so that every reading of a
    growing log gives the same.

    Raises:
        UnreadableError: It cannot be opened.
    """
    try:
        if source.remote:
            return cast("BinaryIO", s3().open_input_file(source.path.removeprefix(S3_SCHEME)))
        return cast("BinaryIO", _Snapshot(source.path, source.size_bytes))
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"Cannot read {source.name}: {error_text(error)}. Check that it exists and may be read."
        ) from None


class _Snapshot(io.FileIO):
    """A file as far as it went when it was listed."""

    def __init__(self, path: str, size_bytes: int) -> None:
        super().__init__(path, "rb")
        self._size = size_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            offset, whence = self._size + offset, os.SEEK_SET
        return super().seek(offset, whence)


def sha256(source: Source) -> str:
    """Return the SHA-256 of a file's bytes as they are stored, as far as they can be read."""
    state = hashlib.sha256()
    try:
        with open_binary(source) as file:
            while block := file.read(_HASH_BYTES):
                state.update(block)
    except (UnreadableError, OSError):
        pass
    return state.hexdigest()


def object_store(uri: str) -> tuple[Any, str]:
    """Return the file system of an address, as Arrow knows it, and the path there.

    Raises:
        UsageError: The address is of no file system that can be reached.
    """
    if uri.startswith(S3_SCHEME):
        return s3(), uri.removeprefix(S3_SCHEME)
    from pyarrow import fs

    try:
        return cast("tuple[Any, str]", fs.FileSystem.from_uri(uri))
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot open {uri}: {error_text(error)}. Give a folder or s3://bucket/prefix.") from None


@lru_cache(maxsize=1)
def s3() -> Any:
    """Return Arrow's S3 file system, with endpoint and region from the environment as AWS tools read them."""
    from pyarrow import fs

    return fs.S3FileSystem(**s3_options(os.environ))


def s3_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of the S3 client that Arrow does not read from the environment itself."""
    options: dict[str, Any] = {}
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if region:
        options["region"] = region
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        scheme, _, host = endpoint.rpartition("://")
        options |= {"endpoint_override": host.rstrip("/"), "scheme": scheme or "https"}
    if environ.get("AWS_NO_SIGN_REQUEST", "").lower() in {"1", "true", "yes"}:
        options["anonymous"] = True
    return options


def error_text(error: Exception) -> str:
    """Return the message of an operating system or storage error, in one line."""
    return getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
