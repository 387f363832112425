"""Write files atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from llm_audit.errors import UsageError


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary file beside it, so that readers never see a partial file.

    Raises:
        UsageError: The folder does not exist or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}. Choose another path.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"Cannot write {path}: {error.strerror}. Choose another path.") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
