"""The cache's folder: where it is, its size, and the eviction of the least recently used entries above its maximum."""

from __future__ import annotations

import errno
import os
import shutil
import time
import warnings
from functools import lru_cache
from pathlib import Path

import msgspec
import platformdirs

from llm_audit.errors import AuditWarning
from llm_audit.files import make_private_folder

FOLDER_VARIABLE = "LLM_AUDIT_CACHE_DIR"
FOLDERS = ("files", "parts", "ledgers", "readings", "documents")
MAX_BYTES = 1 << 31
_IN_USE_SECONDS = 3600  # entries used this recently may still be in use, and are not evicted


class CacheInfo(msgspec.Struct, frozen=True):
    """The size of a cache."""

    folder: Path
    files: int
    bytes: int
    max_bytes: int = MAX_BYTES


def cache_folder() -> Path:
    """Return the cache's folder: ``LLM_AUDIT_CACHE_DIR``, else the system's cache folder of the user."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_cache_dir("llm-audit", appauthor=False))


def cache_problem(folder: Path) -> str:
    """Make the folders of a cache; return why they cannot be used, "" where they can."""
    try:
        for name in FOLDERS:
            make_private_folder(folder / name)
    except OSError as error:
        return error.strerror or str(error)
    return "" if all(os.access(folder / name, os.W_OK) for name in FOLDERS) else os.strerror(errno.EACCES)


@lru_cache(maxsize=8)
def warn_of_unusable(folder: Path, reason: str) -> None:
    """Say once in a process that a cache cannot be used."""
    warnings.warn(
        f"The cache {folder} cannot be written: {reason}. The result is the same, but the next run reads all logs "
        f"again. Set {FOLDER_VARIABLE} to another folder, or give --no-cache.",
        AuditWarning,
        stacklevel=3,
    )


def cache_info() -> CacheInfo:
    """Return the size of the cache."""
    files = _files(cache_folder())
    return CacheInfo(folder=cache_folder(), files=len(files), bytes=sum(size for _, size, _ in files))


def clear_cache() -> CacheInfo:
    """Remove all entries of the cache, and return the size they had."""
    before = cache_info()
    for name in FOLDERS:
        shutil.rmtree(before.folder / name, ignore_errors=True)
    return before


def evict(folder: Path, max_bytes: int = MAX_BYTES) -> None:
    """Remove what killed runs left half-written, and the least recently used files above the maximum size."""
    files = sorted(_files(folder), key=lambda file: file[2])
    total = sum(size for _, size, _ in files)
    now = time.time()
    for path, size, used in files:
        if now - used < _IN_USE_SECONDS:
            return
        half_written = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if half_written or total > max_bytes:
            path.unlink(missing_ok=True)
            total -= size


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    """Return the path, size and time of last use of every file."""
    found = []
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except OSError:  # another run has removed it
            continue
        if path.is_file():
            found.append((path, status.st_size, status.st_mtime))
    return found
