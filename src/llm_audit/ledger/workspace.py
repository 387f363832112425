"""A temporary folder that is removed when it is no longer referenced, and the removal of those of dead runs."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from llm_audit.files import PRIVATE, is_locked, lock

_PREFIX = "llm-audit-"
_LOCK = "run.lock"


class Workspace:
    """A new folder, removed with this object or at the end of the program.

    A run that is killed cannot remove it; its lock ends with the run, and the next run removes the folder.
    ``TemporaryDirectory`` warns when it is collected without being closed; here that is the normal end.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """Create the folder in another one, the system's for temporary files by default."""
        remove_abandoned(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        unlocked = self.path / f".{_LOCK}"
        handle = os.open(unlocked, os.O_CREAT | os.O_RDWR, PRIVATE)
        lock(handle)
        unlocked.rename(self.path / _LOCK)  # it has this name only while it is locked, or when its run is dead
        self._remove = weakref.finalize(self, _remove, self.path, handle, parent)


def remove_abandoned(parent: Path | None = None) -> None:
    """Remove the user's temporary folders whose run has ended without removing them."""
    for folder in (parent or Path(tempfile.gettempdir())).glob(f"{_PREFIX}*"):
        try:
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            abandoned = own and not folder.is_symlink() and (folder / _LOCK).is_file()
        except OSError:
            continue
        if abandoned and not is_locked(folder / _LOCK):
            shutil.rmtree(folder, ignore_errors=True)


def _remove(path: Path, handle: int, parent: Path | None) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(handle)
    if parent is not None:
        with suppress(OSError):  # it holds more
            parent.rmdir()
