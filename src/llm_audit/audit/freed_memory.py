"""Give memory back to the system as soon as it is freed, where the C library is glibc."""

from __future__ import annotations

import contextlib
import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 1 << 19
"""Bytes of an array that is as long as a partition; those of a block are smaller, and used again and again."""
_TOP = 1 << 24
"""Bytes that are kept for what comes next: with fewer, they are given back and taken again all the time."""


@cache
def give_back() -> None:
    """Take large arrays from the system and return them to it, so that one partition leaves nothing for the next.

    By default, glibc keeps what was freed for later, in a heap for each thread: a process then holds several times what
    it uses. It takes some processor time, so only what works through several partitions asks for it.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _TOP), (_ARENA_MAX, 2)):
            mallopt(option, value)
