"""Sources as files on this machine: objects in S3 are downloaded, and members of archives are taken out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from llm_audit.errors import UsageError
from llm_audit.sources.files.archives import copy_member
from llm_audit.sources.files.storage import Source, error_text, open_binary

_FETCH_BYTES = 1 << 23


@contextmanager
def on_disk(source: Source, folder: Path | None = None) -> Iterator[Source]:
    """Yield a source on disk. A copy has no name of the archive's choosing, and is deleted afterwards.

    Args:
        source: The source.
        folder: Where a copy is written; the system's folder for temporary files by default.

    Raises:
        UnreadableError: A member of an archive cannot be read.
        UsageError: An object cannot be downloaded.
    """
    if source.member is None and not source.remote:
        yield source
        return
    with tempfile.NamedTemporaryFile(prefix="llm-audit-", dir=folder) as copy:
        whole = True
        if source.member is not None:
            whole = copy_member(source, copy)
        else:
            _download(source, copy)
        copy.flush()
        status = Path(copy.name).stat()
        yield replace(
            source,
            path=copy.name,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            member=None,
            cut=not whole,
        )


def _download(source: Source, target: IO[bytes]) -> None:
    with open_binary(source) as file:
        try:
            shutil.copyfileobj(file, target, _FETCH_BYTES)
        except OSError as error:
            raise UsageError(f"Cannot read {source.name}: {error_text(error)}. Try again.") from None
