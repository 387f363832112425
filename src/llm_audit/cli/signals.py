"""Signals that end the program, and the process that watches over the one that works.

On Linux the work is done by a child of the process that was started. Native code that crashes, or a system that runs
out of memory, ends the child without a word; the parent then says what happened and ends with a documented exit code.
What native code itself writes to standard error is dropped.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from llm_audit.cli.console import fail, flush, keep_native_code_silent
from llm_audit.cli.failures import NATIVE_CRASH, address_limit, limited
from llm_audit.errors import ExitCode

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_SIGNAL_EXIT = 128  # plus the signal's number
_CHILD_GATE_FAILED = 101  # a child's code for a failed gate, since native code may end a process with 1


class Ended(BaseException):
    """A signal asks the program to end. No ``KeyboardInterrupt``: typer would end the program itself, with 130."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = _SIGNAL_EXIT + number


def handle() -> None:
    """Raise ``Ended`` at the first signal that asks the program to end, but for those the caller ignores (nohup)."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def ignore() -> None:
    """Ignore the signals that ask the program to end, since it is ending."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def supervise() -> bool:
    """Go on in a child process, on Linux; the parent waits for it and ends the program with its exit code.

    Return whether this is such a child.
    """
    if sys.platform != "linux" or os.environ.get("LLM_AUDIT_DEBUG"):
        return False
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDING, signal.SIGCHLD})
    ours, theirs = os.pipe()
    try:
        child = os.fork()
    except OSError:  # no process can be started: go on in this one
        os.close(ours)
        os.close(theirs)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return False
    if child:
        os.close(ours)
        os._exit(_wait(child))  # what is to be done at exit is the child's
    os.close(theirs)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    threading.Thread(target=_end_with_parent, args=(ours,), daemon=True).start()
    keep_native_code_silent()
    return True


def end(code: int, *, supervised: bool) -> NoReturn:
    """End this process, a child in the way that its parent understands, once all that waits for the end is done."""
    if not supervised:
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter does first when it ends
    flush()
    # Taking the interpreter apart would take a quarter of a second, for what the system does at once.
    os._exit(_CHILD_GATE_FAILED if code == ExitCode.GATE_FAILED else code)


def _end(number: int, _: FrameType | None) -> None:
    ignore()
    raise Ended(number)


def _end_with_parent(pipe: int) -> None:
    """End this process as SIGTERM does when the other end of a pipe is closed, since the parent was killed."""
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _wait(child: int) -> int:
    """Pass signals on to the child until it ends; return the exit code of the program."""
    assert sys.platform == "linux"
    while True:
        found = signal.sigwaitinfo({*ENDING, signal.SIGCHLD})
        if found.si_signo != signal.SIGCHLD:
            if found.si_code <= 0:  # sent by a process; what a terminal sends reaches the child by itself
                os.kill(child, found.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return _exit_code(status)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if code == _CHILD_GATE_FAILED:
        return int(ExitCode.GATE_FAILED)
    if code != ExitCode.GATE_FAILED and code in {*ExitCode}:
        return code
    _remove_abandoned()
    number = -code
    if number in ENDING:
        return _SIGNAL_EXIT + number
    name = signal.Signals(number).name if number > 0 else f"exit code {code}"
    if number == signal.SIGKILL:
        fail(f"The system ended the run ({name}), most likely because memory ran out. Use fewer --jobs, or fewer logs.")
        return int(ExitCode.USAGE)
    if address_limit() is not None:
        fail(limited(name))
        return int(ExitCode.USAGE)
    fail(NATIVE_CRASH.format(name))
    return int(ExitCode.INTERNAL)


def _remove_abandoned() -> None:
    """Remove what a dead child left behind, now if there is memory for it, else when the next run starts."""
    with suppress(ImportError, MemoryError, OSError):
        from llm_audit.ledger import remove_abandoned

        remove_abandoned()
