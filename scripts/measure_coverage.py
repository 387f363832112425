"""Measure how often the interval on the flagship tax holds the truth, in worlds whose truth is known.

Each world draws abilities from their distributions, plays every request out on both models, and compares what the
policy really saves with the interval that the audit states. Besides the world that the audit believes in there are
worlds in which difficulties are off by a logit, and worlds whose reasoning ratio is one of the five published ones.

    python scripts/measure_coverage.py [--worlds 200] [--seed 1]

The table stands in ``docs/method.md``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from llm_audit.audit.options import AuditOptions
from llm_audit.audit.run import run
from llm_audit.catalog import Catalog
from llm_audit.classify.constants import RESIDUAL_SD
from llm_audit.ledger import Ledger, Manifest
from llm_audit.ledger.schema import SCHEMA, Category
from llm_audit.ledger.store import REQUESTS_FILE
from llm_audit.policy import Policy, parse, route
from llm_audit.pricing import PriceBook, price

CONVERSATIONS = 150
POPULATION = 30_000
"""Conversations that the truth is taken over: so many that their own sampling error, equal in all worlds, is small."""

RESAMPLES = 300
CONFIDENCE = 0.9
BELIEVED = {"gpt-5": 2.0, "gpt-5-nano": 0.5}
ABILITY_SD = 0.4
REASONING_RATIOS = (0.80, 1.42, 1.74, 2.28, 4.19)
"""Reasoning tokens of a smaller model by a larger one of its family: the pairs in ``docs/method.md``."""

POLICY = """
name = "coverage"
decision = "quality_loss"
max_quality_loss = {limit}
[ladders]
pair = ["gpt-5-nano", "gpt-5"]
[assumptions]
output_ratio = 1.0
added_reasoning = 0.0
tokenizer_ratio = 1.0
extra_steps = 0.0
cache_kept = 1.0
escalation = 1.0
[assumptions.output_ratios]
"gpt-5>gpt-5-nano" = 1.0
"""


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true in one world.

    Attributes:
        abilities: By model.
        difficulty_shift: Added to every difficulty, in logits.
        reasoning_ratio: The route's reasoning tokens by those of the model used.
    """

    abilities: dict[str, float]
    difficulty_shift: float = 0.0
    reasoning_ratio: float = 1.8


def believed(random: np.random.Generator) -> World:
    """Draw a world as the audit believes it to be."""
    return World(abilities={model: level + random.normal(0, ABILITY_SD) for model, level in BELIEVED.items()})


def harder(random: np.random.Generator) -> World:
    """Draw a world in which every prompt is a logit harder than it was judged to be."""
    return World(abilities=believed(random).abilities, difficulty_shift=1.0)


def easier(random: np.random.Generator) -> World:
    """Draw a world in which every prompt is a logit easier than it was judged to be."""
    return World(abilities=believed(random).abilities, difficulty_shift=-1.0)


def wordier(random: np.random.Generator) -> World:
    """Draw a world whose reasoning ratio is one of the published ones."""
    return World(abilities=believed(random).abilities, reasoning_ratio=float(random.choice(REASONING_RATIOS)))


WORLDS: dict[str, Callable[[np.random.Generator], World]] = {
    "as believed": believed,
    "difficulties one logit too low": harder,
    "difficulties one logit too high": easier,
    "reasoning ratio of a published pair": wordier,
}


def catalog() -> Catalog:
    """Return two measured models with one ability each in every category."""
    prices = {"gpt-5": (1.25, 10.0), "gpt-5-nano": (0.05, 0.40)}
    rows = [
        {
            "model_id": model,
            "family": "gpt",
            "developer": "openai",
            "kind": "chat",
            "home_provider": "openai",
            "home_model": model,
            "released": dt.date(2025, 8, 7),
            "retired": None,
            "context_window": 400_000,
            "max_output": 128_000,
            "vision": True,
            "audio": False,
            "tools": True,
            "json_schema": True,
            "reasoning": True,
            "input_usd_per_mtok": prices[model][0],
            "output_usd_per_mtok": prices[model][1],
            "tier": "frontier" if model == "gpt-5" else "small",
            **{f"ability_{category.value}": ability for category in Category},
            **{f"ability_{category.value}_sd": ABILITY_SD for category in Category},
            **{f"measured_{category.value}": True for category in Category},
            "ability_source": "published scores: all",
        }
        for model, ability in BELIEVED.items()
    ]
    return Catalog(pl.DataFrame(rows, schema_overrides={"retired": pl.Date}))


def traffic(random: np.random.Generator, *, conversations: int, reasoning: bool) -> pl.DataFrame:
    """Return conversations of one to six requests of gpt-5 whose difficulties and sizes are alike."""
    rows: list[dict[str, Any]] = []
    for conversation in range(conversations):
        level, size = random.normal(-1.5, 1.0), random.lognormal(7, 0.7)
        for _ in range(random.integers(1, 7)):
            visible = int(random.lognormal(5, 0.5)) + 1
            thought = int(visible * random.lognormal(0.5, 0.4)) if reasoning else 0
            rows.append(
                {
                    "request_key": len(rows) + 1_000,
                    "conversation": conversation + 1,
                    "difficulty": level + random.normal(0, 0.5),
                    "input_tokens": int(size * random.lognormal(0, 0.2)) + 1,
                    "output_tokens": visible + thought,
                    "reasoning_tokens": thought,
                }
            )
    plain = {
        "input": 0, "line": 1, "format": "home_made", "time": dt.datetime(2026, 9, 1, tzinfo=dt.UTC),
        "provider": "openai", "model": "gpt-5", "model_requested": "gpt-5", "operation": "chat",
        "service_tier": "standard", "wraps_calls": False, "turns": 1, "usage_source": "reported", "status": "ok",
        "category": "instruction", "judged": "scored", "streamed": False, "calls_tools": False, "answers_tools": False,
    }  # fmt: skip
    columns = {name: [{**plain, **row}.get(name) for row in rows] for name in SCHEMA}
    return pl.DataFrame(columns, schema=dict(SCHEMA), strict=False)


def saved_share(routed: pl.DataFrame, random: np.random.Generator, world: World) -> float:
    """Play every moved request out and return the share of spend that the policy really saves.

    The route's answer is paid for, with its real reasoning tokens; where it fails and the model used would have
    succeeded, that model is asked as well.
    """
    moved = routed.filter(pl.col("outcome") == "moved")
    hidden = moved["difficulty"].to_numpy() + world.difficulty_shift + random.normal(0, RESIDUAL_SD, moved.height)
    right = {
        model: random.random(moved.height) < 1 / (1 + np.exp(hidden - ability))
        for model, ability in world.abilities.items()
    }
    reasoning = moved["reasoning_tokens"].to_numpy()
    visible = moved["output_tokens"].to_numpy() - reasoning
    own = moved["input_tokens"].to_numpy() * 0.05 + (visible + reasoning * world.reasoning_ratio) * 0.40
    lost = right["gpt-5"] & ~right["gpt-5-nano"]
    actual = moved["cost_pico"].to_numpy() / 10**6
    saved = (actual - own - np.where(lost, actual, 0)).sum()
    return float(saved / (routed["cost_pico"].sum() / 10**6))


def measure(
    draw: Callable[[np.random.Generator], World], *, worlds: int, seed: int, reasoning: bool
) -> dict[str, float]:
    """Return coverage, mean width and mean bias of the interval over worlds, all as shares of the actual cost."""
    policy: Policy = parse(POLICY.format(limit=12.0), where="coverage")
    known, book = catalog(), PriceBook()
    # The truth is over all traffic like this, not over the requests that happened to be logged.
    every = traffic(np.random.default_rng(seed), conversations=POPULATION, reasoning=reasoning)
    population = route(price(every, book), policy, catalog=known, book=book)
    held, width, bias = 0, 0.0, 0.0
    for number in range(worlds):
        random = np.random.default_rng([seed, number])
        world = draw(random)
        frame = traffic(random, conversations=CONVERSATIONS, reasoning=reasoning)
        truth = saved_share(population, random, world)
        with tempfile.TemporaryDirectory() as folder:
            ledger = _at_rest(frame, Path(folder))
            options = AuditOptions(resamples=RESAMPLES, confidence=CONFIDENCE)
            document = run(ledger, policy=policy, catalog=known, book=book, options=options).document
        expected = document.flagship_tax.expected
        low, high = expected.share_low, expected.share_high
        assert low is not None
        assert high is not None
        assert expected.share is not None
        held += low <= truth <= high
        width += high - low
        bias += expected.share - truth
    return {"coverage": held / worlds, "width": width / worlds, "bias": bias / worlds}


def _at_rest(frame: pl.DataFrame, folder: Path) -> Ledger:
    manifest = Manifest(
        inputs=[], read=frame.height, rows=frame.height, duplicates=0, not_provider_calls=[], rejected=[], notes=[],
        fingerprints={},
    )  # fmt: skip
    frame.write_parquet(folder / REQUESTS_FILE)
    return Ledger(folder, manifest)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("| worlds | reasoning | coverage at 90 % | mean width, points | bias, points |")
    print("|---|---|--:|--:|--:|")
    for name, draw in WORLDS.items():
        for reasoning in (False, True):
            if not reasoning and draw is wordier:
                continue
            found = measure(draw, worlds=given.worlds, seed=given.seed, reasoning=reasoning)
            thinks = "yes" if reasoning else "no"
            figures = found["coverage"], 100 * found["width"], 100 * found["bias"]
            print(f"| {name} | {thinks} | {figures[0]:.2f} | {figures[1]:.1f} | {figures[2]:+.1f} |", flush=True)


if __name__ == "__main__":
    main()
