"""What a process does that an executor has started: one task after the other, until the other end is gone."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from multiprocessing.connection import Connection

LOAD, LOAD_IN_SERVER = "load", "load in server"
"""In place of a function: the task is a list of modules for this process, or for those that the server forks after it.
There is no answer."""
SERVER = "llm_audit.engines.executors.server_start"
SETTINGS = "llm_audit.engines.executors.polars_settings"


def serve(connection: Connection) -> None:
    """Answer each task with its result or its error, until the other end closes. Runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be blocked in a new process
    threading.Thread(target=end_with_parent, daemon=True).start()
    import_module(SETTINGS)
    # Records are short-lived trees; searching them for cycles costs a fifth of the time.
    gc.freeze()
    gc.set_threshold(200_000)
    gc.enable()  # after the server's
    while True:
        try:
            function, task = connection.recv()
        except (EOFError, OSError):
            return
        if isinstance(function, str):
            _load(function, task)
            continue
        try:
            answer: object = function(task)
        except Exception as error:  # noqa: BLE001 - raised again in the parent
            answer = error
        try:
            connection.send(answer)
        except OSError:  # the parent is gone
            return


def _load(where: str, modules: Sequence[str]) -> None:
    if where == LOAD:
        for module in modules:
            import_module(module)
    elif SERVER in sys.modules:  # this process was forked
        sys.modules[SERVER].load_in_server(modules)


def end_with_parent() -> None:
    """End this process when its parent is gone, even in the middle of a file, without a word."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(0)
