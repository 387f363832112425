"""The server that processes are forked from, which loads this module first: its start and end, and what it loads later.

A process that it forks may have it load more, for those that it forks afterwards. It does so in a signal's handler, in
between its other work, since it may have no second thread.
"""

import atexit
import gc
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType

gc.disable()  # what it loads stays; the processes enable it again
# What is registered first is done last. The interpreter is not taken apart, which would take a quarter of a second.
atexit.register(os._exit, 0)

_MOST_BYTES = 4096
_SERVER = os.getpid()
_names, _to_server = os.pipe()
os.set_blocking(_names, False)


def load_in_server(modules: Sequence[str]) -> None:
    """Have the server load modules. Runs in a process that it has forked."""
    if os.getppid() == _SERVER:
        os.write(_to_server, "\n".join(modules).encode())
        os.kill(_SERVER, signal.SIGUSR1)


def _load(_number: int, _frame: FrameType | None) -> None:
    with suppress(Exception):  # a process that needs a module says why it cannot be loaded
        for name in os.read(_names, _MOST_BYTES).decode().splitlines():
            import_module(name)


signal.signal(signal.SIGUSR1, _load)
