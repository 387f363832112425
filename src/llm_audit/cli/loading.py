"""Load what comes next while other processes work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_audit.engines import Progress


@contextmanager
def loading(module: str, progress: Progress | None) -> Iterator[Progress]:
    """Yield progress that begins to load a module when it is first called, which is when other processes work.

    Where a ledger is kept nothing is read, and the module may not be needed.
    """
    threads: list[Thread] = []

    def called(done: int, total: int) -> None:
        if not threads:
            threads.append(Thread(target=import_module, args=(module,), daemon=True))
            threads[0].start()
        if progress is not None:
            progress(done, total)

    yield called
    for thread in threads:
        thread.join()
