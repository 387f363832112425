"""Signals that end the program, and the process that watches over the one that works.

On Linux the work is done by a child of the process that was started. Native code that crashes, or a system that runs
out of memory, ends the child without a word; the parent then says what happened and ends with a documented exit code.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from llm_audit.cli.console import fail
from llm_audit.errors import ExitCode

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_SIGNAL_EXIT = 128  # plus the signal's number


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


def supervise() -> None:
    """Go on in a child process, on Linux; the parent waits for it and ends the program with its exit code."""
    if sys.platform != "linux" or os.environ.get("LLM_AUDIT_DEBUG"):
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDING, signal.SIGCHLD})
    ours, theirs = os.pipe()
    try:
        child = os.fork()
    except OSError:  # no process can be started: go on in this one
        os.close(ours)
        os.close(theirs)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return
    if child:
        os.close(ours)
        os._exit(_wait(child))  # what is to be done at exit is the child's
    os.close(theirs)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    threading.Thread(target=_end_with_parent, args=(ours,), daemon=True).start()


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
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    from llm_audit.ledger import remove_abandoned

    remove_abandoned()
    number = os.WTERMSIG(status)
    if number in ENDING:
        return _SIGNAL_EXIT + number
    name = signal.Signals(number).name
    if number == signal.SIGKILL:
        fail(f"The system ended the run ({name}), most likely because memory ran out. Use fewer --jobs, or fewer logs.")
        return int(ExitCode.USAGE)
    fail(
        f"Internal error: native code crashed ({name}), possibly because memory ran out. Try fewer --jobs; if that "
        "does not help, report it with the output of `llm-audit --version -v`."
    )
    return int(ExitCode.INTERNAL)
