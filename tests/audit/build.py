"""Ledgers made up for tests: every column of the schema, from a seed."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.ledger import Ledger, Manifest
from llm_audit.ledger.manifest import EntryCount, LedgerInput, Rejection
from llm_audit.ledger.schema import SCHEMA, Category
from llm_audit.ledger.store import MANIFEST_FILE, REQUESTS_FILE, encode_manifest
from llm_audit.policy import Policy, parse

_IDS = ("gpt-4o", "gpt-4.1-mini", "gpt-4o-mini")

START = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)

DEFAULTS: dict[str, Any] = {
    "request_key": 1,
    "input": 0,
    "line": 1,
    "entry": 0,
    "format": "home_made",
    "time": START,
    "provider": "openai",
    "model_requested": "gpt-4o",
    "model": "gpt-4o",
    "operation": "chat",
    "service_tier": "standard",
    "wraps_calls": False,
    "turns": 1,
    "app": "chat",
    "team": "core",
    "environment": "production",
    "input_tokens": 1_000,
    "cache_read_tokens": 0,
    "cache_write_5m_tokens": 0,
    "cache_write_1h_tokens": 0,
    "output_tokens": 200,
    "audio_input_tokens": 0,
    "audio_output_tokens": 0,
    "reasoning_tokens": 0,
    "usage_source": "reported",
    "needs_vision": False,
    "needs_audio": False,
    "needs_tools": False,
    "needs_json_schema": False,
    "needs_reasoning": False,
    "streamed": False,
    "calls_tools": False,
    "answers_tools": False,
    "status": "ok",
    "difficulty": -3.0,
    "category": "instruction",
    "judged": "scored",
}
"""A plain, easy chat request."""


def rows(*given: dict[str, Any], **common: Any) -> pl.DataFrame:
    """A ledger frame with a row for each mapping, on top of the defaults; keys and lines count up."""
    count, usual = len(given), DEFAULTS | common
    counted = {"request_key": range(1_000, 1_000 + count), "line": range(1, count + 1), "entry": range(count)}
    values = {name: [row.get(name, usual.get(name)) for row in given] for name in set(common).union(*given)}
    for name in counted.keys() - common:
        values[name] = [row.get(name, number) for row, number in zip(given, counted[name], strict=True)]
    return _plain_row()[[0] * count].with_columns(
        pl.Series(name, values[name], dtype=kind, strict=False) for name, kind in SCHEMA.items() if name in values
    )


@cache
def _plain_row() -> pl.DataFrame:
    return pl.DataFrame({name: [DEFAULTS.get(name)] for name in SCHEMA}, schema=dict(SCHEMA), strict=False)


def many(
    count: int, *, seed: int = 7, conversations: int | None = None, templates: int = 5, days: int = 30
) -> pl.DataFrame:
    """A ledger frame of mixed traffic: several providers, apps, categories and difficulties."""
    random = np.random.default_rng(seed)
    conversation = random.integers(1, (conversations or max(1, count // 4)) + 1, count).astype(np.uint64)
    template = (conversation % templates).astype(np.int64)
    models = np.array(["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "gpt-4o-mini", "claude-opus-4-5"])
    providers = np.array(["openai", "anthropic", "google", "openai", "anthropic"])
    model = template % len(models)
    start = random.integers(0, days * 86_400, int(conversation.max()) + 1)
    seconds = start[conversation.astype(np.int64)] + random.integers(0, 900, count)
    categories = np.array(
        ["code", "math", "reasoning", "knowledge", "writing", "instruction", "tool_use", "long_context"]
    )
    explicit = providers[model] == "anthropic"
    size = random.lognormal(7.5, 0.8, count).astype(np.int64)
    read = np.where(random.random(count) < 0.4, size // 2, 0)
    output = random.lognormal(5.5, 0.7, count).astype(np.int64)
    agent = template == 1
    frame = pl.DataFrame({name: [value] for name, value in DEFAULTS.items()}).select(
        pl.all().repeat_by(count).explode()
    )
    values: dict[str, Any] = {
        "request_key": random.integers(1, 2**63, count, dtype=np.uint64),
        "line": np.arange(1, count + 1),
        "time": pl.Series([START]).gather([0] * count) + pl.Series(seconds * 1_000_000).cast(pl.Duration("us")),
        "provider": providers[model],
        "model": models[model],
        "model_requested": models[model],
        "conversation": conversation * np.uint64(0x9E3779B97F4A7C15),
        "prompt_hash": random.integers(1, 2**40, count, dtype=np.uint64),
        "template_hash": (template.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD1B54A32D192ED03),
        "turns": random.integers(1, 9, count),
        "team": np.array(["core", "search", "support"])[template % 3],
        "app": np.array(["chat", "agent", "extract", "classify", "tutor"])[template % 5],
        "input_tokens": size - read,
        "cache_read_tokens": read,
        "cache_write_5m_tokens": np.where(explicit & (random.random(count) < 0.5), size // 4, 0),
        "output_tokens": output,
        "calls_tools": agent,
        "answers_tools": agent & (random.random(count) < 0.7),
        "needs_tools": agent,
        "needs_vision": random.random(count) < 0.02,
        "difficulty": random.normal(-1.5, 1.5, count),
        "category": categories[random.integers(0, len(categories), count)],
        "judged": np.where(random.random(count) < 0.05, "abstained", "scored"),
        "status": np.where(random.random(count) < 0.01, "error", "ok"),
    }
    frame = frame.with_columns(**{name: pl.Series(value) for name, value in values.items()})
    missing = [pl.lit(None).alias(name) for name in SCHEMA if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(kind, strict=False) for name, kind in SCHEMA.items())


def ledger(
    folder: Path, frame: pl.DataFrame, *, duplicates: int = 0, skipped: int = 0, rejected: list[Rejection] | None = None
) -> Ledger:
    """The frame at rest, with an account that reconciles."""
    refused = rejected or []
    manifest = Manifest(
        inputs=[
            LedgerInput(path="log.jsonl", sha256="ab", bytes=10, records=frame.height, format="home_made", formats={})
        ],
        read=frame.height + duplicates + skipped + sum(item.count for item in refused),
        rows=frame.height,
        duplicates=duplicates,
        not_provider_calls=[EntryCount(reason="parent_span", count=skipped)] if skipped else [],
        rejected=refused,
        notes=[],
        fingerprints={"classifier": "test"},
    )
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / REQUESTS_FILE)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(manifest))
    return Ledger(folder, manifest)


def catalog(abilities: dict[str, float] | None = None, *, sd: float = 0.0, **changed: dict[str, Any]) -> Catalog:
    """Three OpenAI models with one ability each in every category; ``changed`` overrides columns by model.

    List prices of input, cached input and output per million tokens: gpt-4o $2.50, $1.25, $10; gpt-4.1-mini $0.40,
    $0.10, $1.60; gpt-4o-mini $0.15, $0.075, $0.60.
    """
    levels = abilities or {"gpt-4o": 2.0, "gpt-4.1-mini": 1.0, "gpt-4o-mini": 0.0}
    prices = {"gpt-4o": (2.5, 10.0), "gpt-4.1-mini": (0.4, 1.6), "gpt-4o-mini": (0.15, 0.6)}
    complete = [
        {
            "model_id": model,
            "family": "gpt",
            "developer": "openai",
            "kind": "chat",
            "home_provider": "openai",
            "home_model": model,
            "ability_of": model,
            "released": dt.date(2024, 1, 1),
            "retired": None,
            "context_window": 128_000,
            "max_output": 16_384,
            "vision": True,
            "audio": False,
            "tools": True,
            "json_schema": True,
            "reasoning": False,
            "input_usd_per_mtok": prices[model][0],
            "output_usd_per_mtok": prices[model][1],
            "tier": "frontier" if model == "gpt-4o" else "small",
            **{f"ability_{category.value}": ability for category in Category},
            **{f"ability_{category.value}_sd": sd for category in Category},
            **{f"measured_{category.value}": True for category in Category},
            "ability_source": "published scores: code",
            **changed.get(model.replace("-", "_").replace(".", "_"), {}),
        }
        for model, ability in sorted(levels.items())
    ]
    return Catalog(pl.DataFrame(complete, schema_overrides={"retired": pl.Date}))


def assumed(toml: str = "", **fixed: float | str) -> Policy:
    """A p_suffices policy at target 0.75 whose assumptions change nothing, but for those given."""
    neutral = {
        "output_ratio": 1.0,
        "reasoning_ratio": 1.0,
        "added_reasoning": 0.0,
        "tokenizer_ratio": 1.0,
        "extra_steps": 0.0,
        "escalation": 0.0,
        "cache_kept": 1.0,
        "ability_shift": 0.0,
        "difficulty_sd": 0.0,
        "difficulty_common_sd": 0.0,
    }
    lines = [f"{name} = {value}" for name, value in (neutral | fixed).items()]
    ratios = [f'"{used}>{route}" = 1.0' for used in _IDS for route in _IDS]
    head = (
        toml
        if "decision" in toml
        else 'decision = "p_suffices"\n' + ("" if "target" in toml else "target = 0.75\n") + toml
    )
    return parse(
        "\n".join([head, "[assumptions]", *lines, "[assumptions.output_ratios]", *ratios]), where="test policy"
    )
