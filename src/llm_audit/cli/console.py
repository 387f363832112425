"""Standard error: summary, progress, warnings and errors. Standard output carries only the document."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from llm_audit.errors import AuditWarning

Progress = Callable[[int, int], None]
"""A callback with the bytes read and the total bytes."""


def say(text: str) -> None:
    """Write a line of plain text to standard error; where that is closed or full, the exit code has to do."""
    try:
        sys.stderr.write(plain(text) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        _abandon(sys.stderr)


def warn(text: str) -> None:
    """Write a warning to standard error."""
    say(f"warning: {text}")


def fail(text: str) -> None:
    """Write an error to standard error."""
    say(f"error: {text}")


@contextmanager
def audit_warnings() -> Iterator[None]:
    """Show the program's own warnings as its other messages are, each time."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", AuditWarning)
        shown = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, AuditWarning):
                warn(str(message))
            else:
                shown(message, category, *place, **more)

        warnings.showwarning = show
        yield


def abandon_stdout() -> None:
    """Redirect standard output after a write to it failed, so that it is not flushed again at exit."""
    _abandon(sys.stdout)


def open_standard_streams() -> None:
    """Open those of the three standard streams that are closed, so that no file gets their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def keep_native_code_silent() -> None:
    """Drop what native code writes to standard error by its number: panics, and allocations that fail."""
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    with suppress(OSError):  # too many files are open
        sys.stderr = os.fdopen(os.dup(2), "w", encoding=encoding, errors=errors, buffering=1)
        _redirect(2)


def flush() -> None:
    """Write what is left in the standard streams; the interpreter would change the exit code where it cannot."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _abandon(stream)


def _abandon(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        _redirect(stream.fileno())


def _redirect(number: int) -> None:
    with suppress(OSError):
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, number)
        os.close(handle)


def plain(text: str) -> str:
    """Replace control characters, which must not reach a terminal from a file name or a log."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


@contextmanager
def progress(*, wanted: bool | None) -> Iterator[Progress | None]:
    """Show bytes read, rate and time left on a terminal; nothing in CI or where standard error is not a terminal.

    Args:
        wanted: ``True`` or ``False`` from ``--progress``; ``None`` shows progress on a terminal only.
    """
    shown = (sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("CI")) if wanted is None else wanted
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("Reading", total=None, visible=False)

        def update(done: int, total: int) -> None:
            # A run of under a second needs no bar.
            bars.update(task, completed=done, total=total, visible=time.monotonic() - started > 1)

        yield update
