"""Audit RouteLLM's development sets with the `routellm` policy, and compare the saving with `evaluate`'s figure.

Run as ``python scripts/measure_routellm.py --data DIR``; prints the table of ``docs/classifier.md``. Every prompt is
logged as a call of the strong model, with the tokens and prices that the paper takes (arXiv 2406.18665, section 5.4 and
appendix D); the policy gets the share of strong calls at which `evaluate` finds half of the gap recovered.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from measure_classifier import abilities_of

from llm_audit.api import audit_ledger, open_ledger
from llm_audit.catalog import Catalog
from llm_audit.classify.learning.evaluate import PRICE_RATIO, Evaluation, Labels, evaluate, predict
from llm_audit.classify.model import Classifier
from llm_audit.config import Config
from llm_audit.money import PICO_PER_USD
from llm_audit.policy import parse

STRONG, WEAK = "gpt-4-turbo", "mixtral-8x7b-instruct"
INPUT_TOKENS, OUTPUT_TOKENS = 95, 264
BEST = {"mmlu": 1.41, "gsm8k": 1.49}
"""RouteLLM's cost saving ratios at CPT50, of its best router (table 6)."""
PRICES = """\
[[price]]
provider = "openai"
model = "gpt-4-1106-preview"
input = 24.7
output = 24.7

[[price]]
provider = "mistral"
model = "mixtral-8x7b"
input = 0.24
output = 0.24
"""
POLICY = f"""\
name = "routellm"
decision = "strong_wins"
strong_share = {{share}}
[ladders]
pair = ["{WEAK}", "{STRONG}"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The audit of one set; costs in dollars, ``recovered`` the share of the gap that its routes recover."""

    strong_calls: float
    recovered: float
    actual: float
    policy: float
    expected: float

    @property
    def over_random(self) -> float:
        """Cost of a random router that recovers as much, over the cost of the routes."""
        share = self.recovered
        return self.actual * (share + (1 - share) * PRICE_RATIO) / self.policy

    @property
    def over_strong(self) -> float:
        """Cost of the strong model for everything, over the cost of the routes."""
        return self.actual / self.policy


def main() -> None:
    """Print a row for each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with routing/")
    folder = parser.parse_args().data / "routing"
    columns = ["", "strong calls", "recovered", "saving over random", "`evaluate`", "over always strong", "expected"]
    print("| " + " | ".join([*columns, "RouteLLM's best"]) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, best in BEST.items():
        rows = pl.read_parquet(folder / f"dev_routellm_{name}.parquet").filter(~pl.col("contaminated"))
        measured = measure(rows)
        found = audit(rows, share=measured.cpt50.value)
        print(
            f"| {name.upper()} | {found.strong_calls:.1%} | {found.recovered:.0%} | {found.over_random:.2f}x "
            f"| {measured.cost_saving_50:.2f}x | {found.over_strong:.2f}x | {found.actual / found.expected:.2f}x "
            f"| {best}x |"
        )


def measure(rows: pl.DataFrame) -> Evaluation:
    """Return the evaluation of a set."""
    catalog = Catalog.load().frame
    strong, weak = abilities_of(catalog, STRONG), abilities_of(catalog, WEAK)
    prompts = rows["prompt"].to_list()
    scores = {which: rows[f"{which}_score"].cast(pl.Float64).to_numpy() for which in ("strong", "weak")}
    judged, suffices = predict(Classifier.load(), prompts, strong_ability=strong, weak_ability=weak)
    return evaluate(Labels(prompts=prompts, **scores), judged, suffices, resamples=1)


def audit(rows: pl.DataFrame, *, share: float) -> Found:
    """Return the audit of a set with the policy at a share of strong calls."""
    with tempfile.TemporaryDirectory() as name:
        log, prices = Path(name) / "log.jsonl", Path(name) / "prices.toml"
        log.write_text("".join(record(place, prompt) for place, prompt in enumerate(rows["prompt"])), encoding="utf-8")
        prices.write_text(PRICES)
        config = Config(prices=[str(prices)], cache=False, resamples=100)
        ledger = open_ledger([log], config=config)
        routed = audit_ledger(ledger, config=config, policy=parse(POLICY.format(share=share), where="policy")).requests
    routed = routed.sort("line")
    assert routed.height == rows.height
    kept = (routed["route_model_id"] == STRONG).to_numpy()
    strong, weak = (rows[f"{which}_score"].cast(pl.Float64).to_numpy() for which in ("strong", "weak"))
    reached = np.where(kept, strong, weak).mean() - weak.mean()
    actual, policy, expected = (
        routed[f"{column}_pico"].sum() / PICO_PER_USD for column in ("cost", "ceiling", "expected")
    )
    return Found(
        strong_calls=float(kept.mean()),
        recovered=float(reached / (strong.mean() - weak.mean())),
        actual=actual,
        policy=policy,
        expected=expected,
    )


def record(place: int, prompt: str) -> str:
    """Return a line of a log of OpenAI calls."""
    usage = {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    call = {
        "request": {"model": "gpt-4-1106-preview", "messages": [{"role": "user", "content": prompt}]},
        "response": {
            "id": f"chatcmpl-{place}",
            "object": "chat.completion",
            "created": 1_714_521_600 + place,  # May 2024, when both models were on offer
            "model": "gpt-4-1106-preview",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}],
            "usage": usage,
        },
    }
    return json.dumps(call) + "\n"


if __name__ == "__main__":
    main()
