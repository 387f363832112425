"""Tokens that a route takes for the same work: tokenizers and length of output."""

from __future__ import annotations

import csv
import statistics
from functools import cache
from importlib import resources

import msgspec
import numpy as np

from llm_audit.arrays import Floats, Index, Ints
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.file.model import RANGES, Assumptions, Range
from llm_audit.policy.inputs.models import CATEGORIES, Models
from llm_audit.policy.inputs.requests import Requests, is_nothing
from llm_audit.tokens.ratio import tokenizer_ratio


class Lengths(msgspec.Struct, kw_only=True, frozen=True):
    """Ratios of the route's tokens to those of the model used, a row for each pair of them.

    Attributes:
        row: The row of each pair, used x route; 0, which has no measurement, for pairs that were not looked up.
        tokenizer: Tokens of the same text, row x category; 1 where both share a tokenizer.
        output: Visible output, by row; NaN where it was not measured for both on the same prompts.
        reasoning: Reasoning tokens, likewise.
    """

    row: Index
    tokenizer: Floats
    output: Floats
    reasoning: Floats


class Scenario(msgspec.Struct, kw_only=True, frozen=True):
    """One value for each assumption; ``same_tokens`` overrides them all: the ceiling."""

    output_ratio: float
    reasoning_ratio: float
    added_reasoning: float
    tokenizer_ratio: float
    extra_steps: float
    escalation: float
    cache_kept: float
    ability_shift: float
    same_tokens: bool = False

    def of_runs(self) -> tuple[float, ...]:
        """Return the values on which the cost of a request by itself depends."""
        return (
            self.output_ratio,
            self.reasoning_ratio,
            self.added_reasoning,
            self.tokenizer_ratio,
            self.cache_kept,
        )


def scenario(assumptions: Assumptions, end: str = "expected", **changed: float) -> Scenario:
    """Return the assumptions at one end (``favourable``, ``expected``, ``pessimistic``), some set to other values."""
    return Scenario(**{name: changed.get(name, getattr(getattr(assumptions, name), end)) for name in RANGES})


CEILING = Scenario(
    output_ratio=1,
    reasoning_ratio=1,
    added_reasoning=0,
    tokenizer_ratio=1,
    extra_steps=0,
    escalation=0,
    cache_kept=1,
    ability_shift=0,
    same_tokens=True,
)
"""Same tokens, the route's price, and nothing else."""


def read_lengths(models: Models, pairs: set[tuple[int, int]], assumptions: Assumptions) -> Lengths:
    """Look up the ratios of the (used, route) pairs; others are left at one tokenizer and no measurement."""
    count = len(models.ids)
    rows = np.zeros((count, count), dtype=np.int32)
    tokenizer = np.ones((len(pairs) + 1, len(CATEGORIES)))
    output = np.full(len(pairs) + 1, np.nan)
    reasoning = np.full(len(pairs) + 1, np.nan)
    for row, (used, route) in enumerate(sorted(pairs), start=1):
        names = models.ids[used], models.ids[route]
        rows[used, route] = row
        tokenizer[row] = [tokenizer_ratio(*names, category) for category in CATEGORIES]
        own = assumptions.output_ratios.get(">".join(names))
        output[row] = own if own is not None else measured_ratio(*names, kind="output")
        reasoning[row] = measured_ratio(*names, kind="reasoning")
    return Lengths(row=rows, tokenizer=tokenizer, output=output, reasoning=reasoning)


def measured_ratio(used: str, route: str, *, kind: str) -> float:
    """Geometric mean, over the task sets on which both were run, of the route's mean tokens by the used model's.

    NaN where they share none. Sources stand in ``output_lengths.csv``.
    """
    table = _measured()
    mine, other = table.get((used, kind), {}), table.get((route, kind), {})
    ratios = [other[task] / mine[task] for task in sorted(mine.keys() & other.keys())]
    return statistics.geometric_mean(ratios) if ratios else float("nan")


@cache
def _measured() -> dict[tuple[str, str], dict[str, float]]:
    text = (resources.files("llm_audit.policy.counterfactual") / "output_lengths.csv").read_text(encoding="utf-8")
    table: dict[tuple[str, str], dict[str, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        table.setdefault((row["model_id"], row["kind"]), {})[row["task_set"]] = float(row["mean_tokens"])
    return table


def route_tokens(
    requests: Requests, route: Index, *, models: Models, lengths: Lengths, values: Scenario, assumptions: Assumptions
) -> dict[str, Ints]:
    """Return tokens by type that each request would take on its route, before any change of its cache.

    Input scales with the tokenizer. Visible output scales with the tokenizer and the output ratio: the measured one
    where there is one, moved by the scenario as much as the assumption is. Reasoning tokens scale with the reasoning
    ratio, fall away where the route does not reason, and are added where it does so unasked and the model used did not.
    """
    if values.same_tokens:
        return dict(requests.tokens)
    used = requests.used
    pair = lengths.row[used, route]
    text = lengths.tokenizer[pair, np.maximum(requests.category, 0)]
    same = used == route
    text = np.where(same, 1.0, text * values.tokenizer_ratio)
    measured = lengths.output[pair]
    moved = factor(values.output_ratio, assumptions.output_ratio)
    visible_ratio = np.where(np.isnan(measured), values.output_ratio, measured * moved)
    measured = lengths.reasoning[pair]
    moved = factor(values.reasoning_ratio, assumptions.reasoning_ratio)
    reasoning_ratio = np.where(np.isnan(measured), values.reasoning_ratio, measured * moved)
    reasoning_ratio = np.where(models.capability["reasoning"][route] == 0, 0.0, reasoning_ratio)
    tokens = {kind: _scale(requests.tokens[kind], text) for kind in TOKEN_TYPES if "output" not in kind}
    reasoning = np.minimum(requests.reasoning_tokens, requests.tokens["output"])
    visible = requests.tokens["output"] - reasoning
    visible = _scale(visible, text * visible_ratio)
    adds = models.reasons_unasked[route] & (requests.reasoning_tokens == 0) & ~models.reasons_unasked[used]
    output = visible + _scale(reasoning, reasoning_ratio) + _scale(visible, adds * values.added_reasoning)
    tokens["output"] = np.where(same, requests.tokens["output"], output)
    tokens["audio_output"] = requests.tokens["audio_output"]
    return tokens


def factor(value: float, assumption: Range) -> float:
    """Return by how much an assumption's value moves what was measured."""
    return value / assumption.expected if assumption.expected else 1.0


def _scale(tokens: Ints, ratio: Floats) -> Ints:
    if is_nothing(tokens):
        return tokens
    return np.rint(tokens * ratio).astype(np.int64)
