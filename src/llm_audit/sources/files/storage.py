"""Files on this machine and objects in S3, each described by a ``Source`` and opened as a stream."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, BinaryIO, cast

from llm_audit.errors import UsageError

S3_SCHEME = "s3://"
_FETCH_BYTES = 1 << 23
_HASH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One file of logs."""

    name: str  # as reports show it
    path: str  # where it is read: a file on this machine, or ``s3://bucket/key``
    size_bytes: int
    modified_ns: int
    identity: str  # changes when the file is replaced: inode, or the object's own address

    @property
    def remote(self) -> bool:
        """Return whether it is in object storage."""
        return self.path.startswith(S3_SCHEME)


def open_binary(source: Source) -> BinaryIO:
    """Open a source for reading and seeking, without a buffer of its own.

    Raises:
        UsageError: It cannot be opened.
    """
    try:
        if source.remote:
            return cast("BinaryIO", s3().open_input_file(source.path.removeprefix(S3_SCHEME)))
        return open(source.path, "rb", buffering=0)  # noqa: PTH123 - a path object would cost more than the call
    except OSError as error:
        raise UsageError(
            f"Cannot read {source.name}: {error_text(error)}. Check that it exists and may be read."
        ) from None


@contextmanager
def on_disk(source: Source) -> Iterator[Source]:
    """Yield a source on disk: one in object storage is downloaded, and deleted afterwards.

    Raises:
        UsageError: It cannot be read.
    """
    if not source.remote:
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="llm-audit-") as copy:
        with open_binary(source) as file:
            try:
                shutil.copyfileobj(file, copy, _FETCH_BYTES)
            except OSError as error:
                raise UsageError(f"Cannot read {source.name}: {error_text(error)}. Try again.") from None
        copy.flush()
        yield replace(source, path=copy.name)


def sha256(source: Source) -> str:
    """Return the SHA-256 of a file's bytes as they are stored."""
    state = hashlib.sha256()
    with open_binary(source) as file:
        while block := file.read(_HASH_BYTES):
            state.update(block)
    return state.hexdigest()


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


def error_text(error: OSError) -> str:
    """Return the message of an operating system or storage error, in one line."""
    return error.strerror or str(error).splitlines()[0]
