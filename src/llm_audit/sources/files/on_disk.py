"""Sources as files on this machine: objects of a store are downloaded, and members of archives are taken out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from llm_audit.sources.files.archives import copy_member
from llm_audit.sources.files.limits import FETCH_BYTES, HEAD_BYTES
from llm_audit.sources.files.storage import Source, UnreadableError, error_text, open_object
from llm_audit.sources.files.stores.remote_file import RemoteFile


@contextmanager
def on_disk(source: Source, folder: Path | None = None) -> Iterator[Source]:
    """Yield a source on disk. A copy has no name of the archive's choosing, and is deleted afterwards.

    Args:
        source: The source.
        folder: Where a copy is written; the system's folder for temporary files by default.

    Raises:
        UnreadableError: A member of an archive or an object cannot be read.
    """
    if source.member is None and not source.remote:
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="llm-audit-", dir=folder) as copy:
        whole, version = True, source.version
        if source.member is not None:
            whole = copy_member(source, copy)
        else:
            version = _download(source, copy)
        copy.flush()
        status = Path(copy.name).stat()
        yield replace(
            source,
            path=copy.name,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            member=None,
            cut=not whole,
            store=None,
            version=version,
        )


@contextmanager
def head_on_disk(source: Source, folder: Path | None = None) -> Iterator[Source]:
    """Yield the beginning of an object on disk, where its container and format are recognised.

    What is yielded has the version of the object, and is cut where that is longer.

    Raises:
        UnreadableError: It cannot be read.
    """
    with open_object(source) as file, tempfile.NamedTemporaryFile(prefix="llm-audit-", dir=folder) as copy:
        copy.write(_read(source, file, HEAD_BYTES))
        copy.flush()
        status = Path(copy.name).stat()
        yield replace(
            source,
            path=copy.name,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            cut=status.st_size < file.size,
            store=None,
            version=file.version,
        )


def described(source: Source) -> Source:
    """Return an object with the size and the version that it states itself, for one request.

    Raises:
        UnreadableError: It cannot be read.
    """
    with open_object(source) as file:
        return replace(source, size_bytes=file.size, version=file.version)


def version_of(source: Source) -> str:
    """Return an object's version, for one request; empty where it cannot be had."""
    try:
        return described(source).version
    except UnreadableError:
        return ""


def _download(source: Source, target: IO[bytes]) -> str:
    """Copy an object to a file, a bounded range at a time; return its version."""
    with open_object(source) as file:
        while block := _read(source, file, FETCH_BYTES):
            target.write(block)
        return file.version


def _read(source: Source, file: RemoteFile, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise UnreadableError(f"Cannot read {source.name}: {error_text(error)}. Run again.") from None
