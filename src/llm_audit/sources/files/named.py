"""Local files as sources, and what is named like a file without being one: pipes, devices, links, ``/proc``."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from llm_audit.errors import UsageError
from llm_audit.sources.files.limits import COPY_BYTES
from llm_audit.sources.files.storage import Source, error_text

_PARTITION = re.compile(r"([A-Za-z_][\w.-]*)=(.+)")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def printable(path: str) -> str:
    """Return a path as text that any output can hold: bytes that are not UTF-8 as escapes."""
    return os.fsencode(path).decode(errors="backslashreplace")


def listed(path: str) -> Source:
    """Return a file found in a folder. One that cannot be looked at is a source too, whose reader says so."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return Source(name=printable(path), path=path, size_bytes=0, modified_ns=0, identity=f"unreadable {path!r}")
    absolute = os.path.abspath(path)  # noqa: PTH100 - links stay as they are
    return Source(
        name=printable(path),
        path=absolute,
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        identity=f"{status.st_dev}:{status.st_ino}",
        columns=partition_columns(absolute),
    )


def named(path: str, spool: Path) -> Source:
    """Return a file that the user named. A pipe is read into ``spool``, as is a file of ``/proc``, which has no size.

    Raises:
        UsageError: It cannot be read, or is a device or a socket.
    """
    with _refused(path):
        status = os.stat(path)  # noqa: PTH116
        if stat.S_ISREG(status.st_mode) and status.st_size:
            os.close(os.open(path, os.O_RDONLY))
            return listed(path)
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISFIFO(status.st_mode):
            raise UsageError(f"{printable(path)} is a device or a socket. Give a file or a folder, or pipe it into -.")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123
            try:
                first = os.read(descriptor, COPY_BYTES)
            except BlockingIOError:  # a pipe whose writer has not written yet
                if stat.S_ISREG(status.st_mode):
                    raise
                first = b""
            else:
                if not first and stat.S_ISREG(status.st_mode):
                    return listed(path)
                if not first:
                    raise UsageError(
                        f"{printable(path)} is a pipe into which nothing writes. Start its writer first, or use -."
                    )
            os.set_blocking(
                descriptor, stat.S_ISFIFO(status.st_mode)
            )  # a file of /proc ends where nothing is to be had
            return spooled(spool, file, printable(path), first=first)


def spooled(spool: Path, stream: BinaryIO, name: str, *, first: bytes = b"") -> Source:
    """Copy a stream, which cannot be read twice, to a file in ``spool``.

    Raises:
        UsageError: The stream cannot be read, or there is no space for it.
    """
    target = spool / f"spooled-{len(os.listdir(spool))}"  # noqa: PTH208
    try:
        with target.open("wb") as file:
            file.write(first)
            shutil.copyfileobj(stream, file, COPY_BYTES)
    except OSError as error:
        raise UsageError(f"Cannot read {name}: {error_text(error)}. Give the logs as files.") from None
    return replace(listed(str(target)), name=name, columns=())


def partition_columns(path: str) -> tuple[tuple[str, str], ...]:
    """Return the columns that folders' names give, as in ``date=2026-09-01/model=gpt-5/``; the innermost counts."""
    found: dict[str, str] = {}
    for folder in printable(path).split("/")[:-1]:
        match = _PARTITION.fullmatch(folder)
        if match and match[2] != _NO_VALUE:
            found[unquote(match[1])] = unquote(match[2])
    return tuple(found.items())


@contextmanager
def _refused(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        missing = "the working folder no longer exists" if error.filename is None else error_text(error)
        raise UsageError(f"Cannot read {printable(path)}: {missing}. Change to another folder.") from None
    except OSError as error:
        raise UsageError(
            f"Cannot read {printable(path)}: {error_text(error)}. Check that it exists and may be read."
        ) from None
