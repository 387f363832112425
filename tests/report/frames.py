"""Rows per request to render, as pricing and the policy hand them on, from the calls that ``build`` sums up."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from tests.report.build import MODELS, Call

from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.report.interface import Frames

ZERO = (*(f"{kind}_tokens" for kind in TOKEN_TYPES), *(f"cost_{kind}_pico" for kind in TOKEN_TYPES))


def frames(calls: list[Call]) -> Frames:
    rows = []
    for number, call in enumerate(calls):
        provider, tier, price_in, price_out, _ = MODELS[call.model]
        rows.append(
            dict.fromkeys(ZERO, 0)
            | {
                "time": datetime.fromisoformat(call.date).replace(hour=9, tzinfo=UTC),
                "request_key": 2**63 + number,
                "provider": provider,
                "model": call.model,
                "tier": tier,
                "service_tier": "standard",
                "region": None,
                "team": call.team,
                "app": call.app,
                "environment": None,
                "category": call.category,
                "input_tokens": call.input,
                "cache_read_tokens": call.cached,
                "output_tokens": call.output,
                "tool_calls_billed": 0,
                "price_id": 1,
                "cost_pico": call.cost,
                "cost_input_pico": call.input * price_in,
                "cost_cache_read_pico": call.cached * price_in // 10,
                "cost_output_pico": call.output * price_out,
                "cost_per_call_pico": 0,
                "outcome": call.outcome,
                "certain": False,
                "route_model_id": call.route,
                "ceiling_pico": call.ceiling,
                "expected_pico": call.policy,
                "floor_pico": call.policy,
            }
        )
    unpriced = rows[0] | {"request_key": 7, "model": "acme-ft-7b", "cost_pico": None, "expected_pico": None}
    unpriced |= {name: None for name in unpriced if name.startswith("cost_")}
    schema = {"request_key": pl.UInt64, "region": pl.String, "environment": pl.String}
    frame = pl.DataFrame([*rows, unpriced], schema_overrides=schema, infer_schema_length=None)
    return Frames(make=lambda: frame)
