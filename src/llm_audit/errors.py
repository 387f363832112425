"""Errors shown to users, each with the exit code of the program."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the program."""

    DONE = 0
    GATE_FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    INTERNAL = 70
    HUNG_UP = 129  # SIGHUP: the terminal was closed
    INTERRUPTED = 130  # SIGINT: Ctrl-C
    TERMINATED = 143  # SIGTERM
    CLOSED_PIPE = 141  # the reader of standard output closed it, as after SIGPIPE


class AuditError(Exception):
    """Base of every error shown to a user.

    The message says what happened, where (file and line, where there is one) and what to do about it.
    """

    exit_code: ExitCode = ExitCode.USAGE


class UsageError(AuditError):
    """A path, option, configuration, policy or price file that cannot be used as given."""


class IncompleteError(AuditError):
    """The audit cannot be concluded: nothing to audit, or baselines that cannot be compared."""

    exit_code = ExitCode.INCOMPLETE


class AuditWarning(UserWarning):
    """Something a user should know of, though the result is right."""
