"""The files in a folder and those below it, at any depth."""

from __future__ import annotations

import os
from collections.abc import Iterator

from llm_audit.errors import UsageError
from llm_audit.sources.files.named import listed, printable
from llm_audit.sources.files.storage import Source, error_text

_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", ".lock", "~", "-wal", "-shm", "-journal")
_NO_LOGS = (".md", ".rst", ".html", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".py", ".sh", ".ipynb")
_KERNEL = ("/proc/", "/sys/")  # whose files have no end, or block
_MARKERS = ("_SUCCESS", "_committed_", "_started_")  # written next to data by Hadoop and Spark


def walk(folder: str, notes: list[str]) -> Iterator[Source]:
    """Yield the files below a folder. What is passed over by its name or kind gets a note.

    A file or folder below it that cannot be looked at is a source too, so that its reader counts it.

    Raises:
        UsageError: The folder itself cannot be listed.
    """
    try:
        real = os.path.realpath(folder)
    except FileNotFoundError:
        raise UsageError("The working folder no longer exists. Change to another, and give the logs' path.") from None
    if f"{real}/".startswith(_KERNEL):
        raise UsageError(f"{printable(folder)} is a folder of the system's, not of logs. Give the logs' own folder.")
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            found = _entries(current, seen)
        except OSError as error:
            if current == folder:
                raise UsageError(
                    f"Cannot list {printable(folder)}: {error_text(error)}. Check that it may be read."
                ) from None
            yield listed(current)
            continue
        for entry in found:
            is_folder = _is(entry, "is_dir")
            if why := skip_reason(entry.name, folder=is_folder):
                notes.append(f"{printable(entry.path)} was not read: {why}")
            elif is_folder:
                waiting.append(entry.path)
            elif _is(entry, "is_file"):
                yield listed(entry.path)
            else:
                notes.append(f"{printable(entry.path)} was not read: not a regular file")


def _entries(folder: str, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing where it was seen before, through a link back up."""
    status = os.stat(folder)  # noqa: PTH116
    if (status.st_dev, status.st_ino) in seen:
        return []
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def skip_reason(name: str, *, folder: bool) -> str | None:
    """Return why a name is passed over in a folder; None where it is not."""
    if name.startswith("."):
        return "hidden"
    if folder:
        return None
    if name.endswith(_UNFINISHED) or name.startswith(_MARKERS):
        return "a temporary or marker file"
    return "not a log by its name" if name.lower().endswith(_NO_LOGS) else None


def _is(entry: os.DirEntry[str], kind: str) -> bool:
    try:
        return bool(getattr(entry, kind)())
    except OSError:  # a link to itself
        return False
