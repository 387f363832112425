"""A study assistant of the team ``learning``: a custom table, one row a call, with no app and no completions."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa

from traffic.clock import arrivals
from traffic.logfile import Call, Line, LogFile, rejected
from traffic.text import Slots, load, questions, rng, tokens
from traffic.usage import ONE_HOUR, PromptCache, openai_usage

TEAM = "learning"
CALLS = 330
MODELS = {"gemini-2.5-pro": 52, "gpt-5": 18, "gemini-2.5-flash": 22, "acme-internal-13b": 8}
INSTRUCTIONS_TOKENS = 2_260  # of the system prompt, which the table does not hold
DATA = load("tutoring")
QUESTIONS = questions()
SCHEMA = pa.schema(
    [
        ("timestamp", pa.timestamp("ms", tz="UTC")),
        ("model", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cached_tokens", pa.int64()),
        ("prompt", pa.string()),
        ("team", pa.string()),
    ]
)


def build() -> list[LogFile]:
    """Return the month as one table."""
    rand = rng("tutoring")
    caches = {model: PromptCache(ONE_HOUR) for model in MODELS}
    lines = [_line(rand, at, caches) for at in arrivals(rand, CALLS, weekend=1.2)]
    lines.insert(50, rejected(lines[50].time_ms, _row(lines[50].time_ms, None, 40, 9, "Who wrote Emma?"), "no_model"))
    row = _row(lines[120].time_ms, "gemini-2.5-pro", -7, 30, "What is a noun?")
    lines.insert(120, rejected(lines[120].time_ms, row, "bad_tokens"))
    table = pa.Table.from_pylist([line.content for line in lines], schema=SCHEMA)
    return [LogFile("tutoring/calls-2026-09.parquet", lines, table=table)]


def _line(rand: random.Random, at: int, caches: dict[str, PromptCache]) -> Line:
    pick = rand.random()
    if pick < 0.42:
        prompt, hard = rand.choice(QUESTIONS), 1.0
    elif pick < 0.52:
        prompt, hard = Slots(rand, DATA["slots"]).fill(rand.choice(DATA["hard"])), 2.0
    else:
        prompt, hard = Slots(rand, DATA["slots"]).fill(rand.choice(DATA["asks"])), 0.0
    model = rand.choices(list(MODELS), list(MODELS.values()))[0]
    given, output = INSTRUCTIONS_TOKENS + tokens(prompt), int(rand.lognormvariate(4.6 + 0.9 * hard, 0.5))
    usage = openai_usage(caches[model], ["instructions"], prompt=given, output=output, reasoning=0, at=at)
    caches[model].write("instructions", INSTRUCTIONS_TOKENS, at)
    row = _row(at, model, usage.prompt, usage.output, prompt, cached=usage.cache_read)
    return Line(time_ms=at, content=row, call=Call(model=model, usage=usage, team=TEAM))


def _row(at: int, model: str | None, given: int, output: int, prompt: str, *, cached: int = 0) -> dict[str, Any]:
    values = (at, model, given, output, cached, prompt, TEAM)
    return dict(zip(SCHEMA.names, values, strict=True))
