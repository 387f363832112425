"""Work on many rows in blocks that fit the processor's caches, a thread a block; results are in order of the blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

BLOCK = 1 << 15
"""Rows a block: where they are cut depends on their number alone, so results are the same on any machine."""

Part = TypeVar("Part")
Result = TypeVar("Result")


def spans(count: int) -> list[slice]:
    """``count`` rows cut into blocks."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]


def in_blocks(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Do the work of each part, in threads where there are several."""
    if len(parts) < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, parts))
