"""Costs equal genai-prices' own, on every model of its table, except where the packaged corrections say otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.types import TieredPrices
from tests.pricing.build import call, ledger

from llm_audit.pricing import PriceBook, price
from llm_audit.pricing.price_table import listings

TIMES = tuple(
    datetime(*parts, tzinfo=UTC)
    for parts in (
        (2024, 3, 5, 9),
        (2024, 11, 30, 20),
        (2025, 6, 30, 2),
        (2026, 1, 4, 3),
        (2026, 8, 20, 18),
        (2026, 10, 15, 8),
        (2026, 11, 20, 12),
    )
)
USAGES = (
    {"input": 1000, "output": 250},
    {"input": 120, "cache_read": 90_001, "cache_write_5m": 38_000, "output": 7},
    {"input": 3, "cache_read": 271_990, "cache_write_1h": 8, "output": 4096},
    {"input": 0, "cache_read": 0, "output": 1},
)
CONTEXTS = {"standard": None, "batch": {"processing": "batch"}, "priority": {"service_tier": "priority"}}


def combinations():
    named = [(provider, model) for provider, model in listings() if provider.find_model(model.id)]
    for number, (provider, model) in enumerate(named):
        for time in TIMES:
            yield provider.id, model.id, time, "standard", USAGES[number % len(USAGES)]
            if model.variants:
                for tier in ("batch", "priority"):
                    yield provider.id, model.id, time, tier, USAGES[(number + 1) % len(USAGES)]


def theirs(provider, model, time, tier, usage):
    total = sum(tokens for kind, tokens in usage.items() if kind != "output")
    counted = Usage(
        input_tokens=total,
        output_tokens=usage["output"],
        cache_read_tokens=usage.get("cache_read", 0),
        cache_write_tokens=usage.get("cache_write_5m", 0) + usage.get("cache_write_1h", 0),
        cache_write_1h_tokens=usage.get("cache_write_1h", 0),
    )
    return calc_price(counted, model, provider_id=provider, genai_request_timestamp=time, price_context=CONTEXTS[tier])


def rounding(calculation, usage) -> Decimal:
    """What rounding rates to whole pico-dollars may move: nothing, unless a listed rate is a float's artefact."""
    rates = []
    for value in calculation.model_price.__dict__.values():
        rates += [value.base, *(t.price for t in value.tiers)] if isinstance(value, TieredPrices) else [value]
    artefact = any(rate is not None and (rate * 10**6) % 1 for rate in rates)
    return Decimal(sum(usage.values())) / 2 if artefact else Decimal(0)


@pytest.fixture(scope="module")
def priced():
    keys = list(combinations())
    rows = [call(provider, model, time, tier=tier, **usage) for provider, model, time, tier, usage in keys]
    book = PriceBook()
    frame = price(ledger(*rows), book)
    rates = {row["price_id"]: row for row in book.rates.iter_rows(named=True)}
    return list(zip(keys, frame.iter_rows(named=True), strict=True)), rates


def test_every_listed_model_costs_what_genai_prices_says(priced):
    rows, rates = priced
    compared, excused = 0, []
    for key, row in rows:
        calculation = theirs(*key)
        if row["cost_pico"] is None:
            excused.append((key, row["unpriced_reason"]))
            continue
        rate = rates[row["price_id"]]
        if rate["source"] == "overlay" or "ratio" in rate["basis"] or rate["basis"].startswith("fallback: no"):
            continue
        difference = abs(row["cost_pico"] - calculation.total_price * 10**12)
        assert difference <= rounding(calculation, key[-1]), (key, rate, calculation)
        compared += 1
    assert compared >= 10_000
    assert {reason.partition(":")[0] for _, reason in excused} <= {"other_unit", "no_rate"}


def test_corrections_differ_from_the_table_only_for_the_models_they_name(priced):
    rows, rates = priced
    corrected = {
        (key[0], key[1]) for key, row in rows if row["price_id"] and rates[row["price_id"]]["source"] == "overlay"
    }
    corrected = {(provider, model) for provider, model in corrected if not model.endswith(":free")}
    named = {"deepseek", "azure", "mistral", "together", "perplexity"}
    published_discounts = {key for key in corrected if key[0] in {"openai", "anthropic", "google"}}
    assert {provider for provider, _ in corrected - published_discounts} <= named


def test_unpriced_models_are_those_sold_by_other_units_than_tokens(priced):
    rows, _ = priced
    other = {key[:2] for key, row in rows if row["unpriced_reason"] == "other_unit"}
    assert {("openai", "whisper-1"), ("openai", "tts-1"), ("mistral", "mistral-ocr-latest")} <= other
    assert not {model for _, model in other} & {"claude-haiku-4-5", "gemini-2.5-pro", "text-embedding-3-small"}
