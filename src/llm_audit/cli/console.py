"""Standard error: summary, progress, warnings and errors. Standard output carries the document and nothing else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


def say(text: str) -> None:
    """One plain line on standard error."""
    sys.stderr.write(plain(text) + "\n")


def warn(text: str) -> None:
    """A warning on standard error."""
    say(f"warning: {text}")


def fail(text: str) -> None:
    """An error on standard error."""
    say(f"error: {text}")


def abandon_stdout() -> None:
    """Point standard output elsewhere after a write to it failed, so that the end of the program does not try again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def plain(text: str) -> str:
    """Control characters from a file's name or a log must not reach a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


@contextmanager
def progress(*, wanted: bool | None) -> Iterator[Progress | None]:
    """Show bytes read, rate and time left on a terminal; nothing where standard error is none, or in CI.

    Args:
        wanted: ``True`` or ``False`` from ``--progress``; ``None`` decides by the terminal.
    """
    shown = (sys.stderr.isatty() and not os.environ.get("CI")) if wanted is None else wanted
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
