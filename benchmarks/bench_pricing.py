"""Price a million ledger rows, beside a bare polars group-by sum over the same columns, in turns within one run.

Two ledgers: one of models whose price depends on the day alone, and one that also has a model priced by the hour and
the weekday, which adds keys. Prints the best of several turns and their ratio; the budget is three.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from llm_audit.ledger.schema import SCHEMA, TOKEN_TYPES
from llm_audit.pricing import PriceBook, price

ROWS = 1_000_000
TURNS = 9
BUDGET = 3.0
MODELS = [
    ("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("openai", "gpt-5.4"), ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"), ("anthropic", "claude-haiku-4-5"), ("google", "gemini-2.5-pro"),
    ("bedrock", "us.amazon.nova-pro-v1:0"),
]  # fmt: skip
BY_THE_HOUR = ("deepseek", "deepseek-v4-flash")
KEYS = ("provider", "model", "service_tier", "region")


def ledger(models: list[tuple[str, str]], rows: int) -> pl.DataFrame:
    """Return ledger rows over thirty days, with every token type and the columns pricing reads."""
    random = np.random.default_rng(7)
    which = random.integers(0, len(models), rows)
    start = 1_788_220_800_000_000  # 2026-09-01
    columns = {
        "provider": pl.Series([provider for provider, _ in models]).gather(which),
        "model": pl.Series([model for _, model in models]).gather(which),
        "service_tier": pl.Series(["standard", "batch"]).gather(random.integers(0, 2, rows)),
        "operation": pl.repeat("chat", rows, eager=True),
        "region": pl.repeat("us-east-1", rows, eager=True),
        "time": pl.Series(start + np.sort(random.integers(0, 30 * 86_400_000_000, rows))),
        **{f"{kind}_tokens": pl.Series(random.integers(0, 50_000, rows)) for kind in TOKEN_TYPES},
        **{
            name: pl.zeros(rows, eager=True) for name in ("reasoning_tokens", "image_input_tokens", "tool_calls_billed")
        },
    }
    return pl.DataFrame([series.cast(SCHEMA[name]).alias(name) for name, series in columns.items()])


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(rows: int = ROWS) -> None:
    """Measure both ledgers and print a table."""
    print(f"{rows:,} rows, best of {TURNS} turns, milliseconds; budget {BUDGET:.1f} times the group-by")
    for name, models in (("by the day", MODELS), ("and by the hour", [*MODELS, BY_THE_HOUR])):
        frame, book = ledger(models, rows), PriceBook()
        tokens = [f"{kind}_tokens" for kind in TOKEN_TYPES]
        first = seconds(lambda frame=frame, book=book: price(frame, book))
        turns = [
            (
                seconds(lambda frame=frame, tokens=tokens: frame.group_by(KEYS).agg(pl.col(tokens).sum())),
                seconds(lambda frame=frame, book=book: price(frame, book)),
            )
            for _ in range(TURNS)
        ]
        bare, priced = (1000 * min(times) for times in zip(*turns, strict=True))
        ratio = priced / bare
        print(f"{name:16} group-by {bare:6.1f}  price {priced:6.1f}  ratio {ratio:4.2f}  first {1000 * first:6.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
