"""Work on many rows in blocks that fit the processor's caches, a thread a block; results are in order of the blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

BLOCK = 1 << 16
"""Rows a block: where they are cut depends on their number alone, so results are the same on any machine."""

Part = TypeVar("Part")
Result = TypeVar("Result")


def spans(count: int) -> list[slice]:
    """``count`` rows cut into blocks."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]


def in_blocks(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Do the work of each part, in as many threads as polars has: one in a process that others work beside."""
    if len(parts) < 2 or pl.thread_pool_size() == 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        return list(pool.map(work, parts))
