"""Write files completely or not at all, for their owner's eyes unless they are meant to be shared."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

from llm_audit.errors import UsageError

if sys.platform != "win32":
    import fcntl

PRIVATE = 0o600
"""Mode of a file that may hold names from a log."""
PRIVATE_FOLDER = 0o700
SHARED = 0o666
"""Mode of a file without such names, less the user's umask."""
_PARTIAL = ".llm-audit-partial"


def write_atomically(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Write ``data`` to ``path`` through a temporary file beside it, so that readers never see a partial file.

    A file that exists keeps its mode. A device or pipe is written in place, since it cannot be replaced.

    Raises:
        UsageError: The folder does not exist or cannot be written.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PARTIAL)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}. Choose another path.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            lock(handle)
            file.write(data)
            file.flush()
            os.fsync(handle)  # before the rename, so that a machine that loses power keeps the old file or the new one
        Path(temporary).chmod(_mode(path, mode))
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"Cannot write {path}: {error.strerror}. Choose another path.") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def lock(handle: int) -> bool:
    """Lock an open file until this process closes it or ends, however it ends; return whether that was possible."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Return whether a process that is alive has locked a file; true where that cannot be known."""
    if sys.platform == "win32":
        return True
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        return not lock(handle)
    finally:
        os.close(handle)


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner may enter, whatever the umask; close one that is open to others.

    Raises:
        OSError: It cannot be created.
    """
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FOLDER:
        path.chmod(PRIVATE_FOLDER)


def _mode(path: Path, mode: int) -> int:
    """Return the mode that a file has; that of a new one where it does not exist."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        pass
    if mode == PRIVATE:
        return mode
    umask = os.umask(0)
    os.umask(umask)
    return mode & ~umask


def _remove_abandoned(path: Path) -> None:
    """Remove what a run that was killed while it wrote this file left beside it."""
    for found in path.parent.glob(f".{_literal(path.name)}.*{_PARTIAL}"):
        if not is_locked(found):
            found.unlink(missing_ok=True)


def _literal(name: str) -> str:
    """Return a glob pattern that matches a name alone."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
