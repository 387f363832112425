"""Measure prompts per second, from text in memory to P(suffices), with one process and with two.

Prompts are distinct, English-like and of one kilobyte each. Prints the best of three rounds for the compiled kernel,
and for the NumPy form that stands in for it where there is no compiler. The last line is one chat's ``select``.
"""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

import numpy as np

from llm_audit.classify import Classifier, features
from llm_audit.classify.irt import p_suffices
from llm_audit.classify.text.select import select
from llm_audit.classify.training.anchors import anchors
from llm_audit.sources.entry import Message

PROMPTS = 20_000
NUMPY_PROMPTS = 2_000
BYTES = 1_000
ROUNDS = 3
PROCESSES = 2


def prompts(number: int) -> list[str]:
    """Return distinct texts of one kilobyte from the classifier's own prompts."""
    pool = " ".join(anchor.prompt for anchor in anchors())
    starts = np.random.default_rng(1).integers(0, len(pool) - BYTES, number).tolist()
    return [
        f"{index} {pool[start:]}"[:BYTES] if start + BYTES <= len(pool) else pool[-BYTES:]
        for index, start in enumerate(starts)
    ]


def score(texts: list[str]) -> float:
    """Judge texts and return the mean of P(suffices), which needs every result."""
    judged = Classifier.load().judge(texts)
    return float(np.nanmean(p_suffices(np.full(len(texts), -0.5), np.full(len(texts), 1.0), judged.difficulty)))


def best(texts: list[str]) -> float:
    """Return prompts per second in this process."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        score(texts)
        seconds.append(time.perf_counter() - start)
    return len(texts) / min(seconds)


def _worker(ready: Any, done: Any) -> None:
    texts = prompts(PROMPTS)
    score(texts[:100])
    for _ in range(ROUNDS):
        ready.wait()
        score(texts)
        done.wait()


def best_of_processes() -> float:
    """Return prompts per second of ``PROCESSES`` processes at once, each with its own texts in memory."""
    context = multiprocessing.get_context("fork")
    ready, done = context.Barrier(PROCESSES + 1), context.Barrier(PROCESSES + 1)
    workers = [context.Process(target=_worker, args=(ready, done)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    seconds = []
    for _ in range(ROUNDS):
        ready.wait()
        start = time.perf_counter()
        done.wait()
        seconds.append(time.perf_counter() - start)
    for worker in workers:
        worker.join()
    return PROCESSES * PROMPTS / min(seconds)


def main() -> None:
    """Measure and print."""
    texts = prompts(PROMPTS)
    if features.COMPILED:
        print(f"compiled kernel, one process: {best(texts):,.0f} prompts/s")
        print(f"compiled kernel, {PROCESSES} processes: {best_of_processes():,.0f} prompts/s")
    features.COMPILED = False
    print(f"NumPy, one process: {best(texts[:NUMPY_PROMPTS]):,.0f} prompts/s")
    chat = [Message(role="system", text="You are helpful. " * 100), Message(role="user", text="Why is the sky blue?")]
    start = time.perf_counter()
    for _ in range(PROMPTS):
        select(chat)
    print(f"select: {(time.perf_counter() - start) / PROMPTS * 1e6:.1f} microseconds a chat")
    start = time.perf_counter()
    Classifier.load()
    print(f"load: {(time.perf_counter() - start) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
