"""FOCUS 1.0: one row per day, model, owner and token type, for FinOps cost tools.

Costs are computed from list prices and not from invoices, so the billed, effective, contracted and list cost of a row
are the same. The policy's cost is an estimate and is in ``x_`` columns only. Requests without a known price are in no
row, because the specification has no unknown cost.

FOCUS: https://focus.finops.org/focus-specification/v1-0/. Two columns are there for its validator, focus_validator
1.0.0: it expects ``ResourceID`` in this case, and reads ``ChargeType``, the older name of ``ChargeCategory``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from llm_audit.document.audit import Document
from llm_audit.errors import UsageError
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.report.flat import harmless
from llm_audit.report.interface import Frames, Options

VERSION = "1.0"
_KEYS = ("provider", "model", "service_tier", "region", "team", "app", "environment", "price_id")
_COSTS = (*TOKEN_TYPES, "per_call")
_ALWAYS_NULL = (
    "BillingAccountName", "ChargeClass", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType",
)  # fmt: skip
COLUMNS: tuple[str, ...] = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
    "ChargePeriodEnd", "ChargePeriodStart", "ChargeType", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity",
    "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuer", "ListCost",
    "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "Provider", "Publisher", "RegionId",
    "RegionName", "ResourceID", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SkuId",
    "SkuPriceId", "SubAccountId", "SubAccountName", "Tags", "x_PolicyCost", "x_Requests", "x_ServiceTier",
    "x_TokenType",
)  # fmt: skip


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render CSV by the FOCUS 1.0 specification.

    Raises:
        UsageError: No request has a time, so there is no charge period.
    """
    assert frames is not None, "the registry checks that there are requests"
    if document.period.start is None:
        raise UsageError("FOCUS rows need a charge period, and no request has a time. Use -f csv instead.")
    first = datetime.fromisoformat(document.period.start).astimezone(UTC).date()
    rows = [row for group in _groups(frames.requests, first) for row in _rows(group)]
    frame = pl.DataFrame(rows, schema={name: pl.Int64 if name == "x_Requests" else pl.String for name in COLUMNS})
    numbers = {"ConsumedQuantity", "PricingQuantity"} | {n for n in COLUMNS if n.endswith(("Cost", "UnitPrice"))}
    texts = [harmless(n) if n not in numbers | {"x_Requests"} else pl.col(n) for n in COLUMNS]
    return frame.select(texts).write_csv().encode("utf-8")


def _groups(frame: pl.DataFrame, first: date) -> Iterator[dict[str, Any]]:
    """Sum the priced requests by day and owner. A request without a time counts towards the first day."""
    costs = [pl.col(f"cost_{kind}_pico").cast(pl.Int128).sum() for kind in _COSTS]
    tokens = [pl.col(f"{kind}_tokens").sum() for kind in TOKEN_TYPES]
    keys = [pl.col(key).cast(pl.String) for key in _KEYS]
    return (
        frame.filter(pl.col("cost_pico").is_not_null())
        .with_columns(*keys, day=pl.col("time").dt.date().fill_null(first))
        .group_by("day", *_KEYS)
        .agg(
            *costs,
            *tokens,
            pl.col("tool_calls_billed").sum(),
            pl.col("cost_pico").cast(pl.Int128).sum(),
            pl.col("expected_pico").cast(pl.Int128).sum(),
            requests=pl.len(),
        )
        .sort("day", *_KEYS, nulls_last=True)
        .iter_rows(named=True)
    )


def _rows(group: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each token type used; the policy's cost is divided among them by cost, exactly."""
    used = [kind for kind in _COSTS if group[f"cost_{kind}_pico"] or group.get(f"{kind}_tokens")]
    spread = 0
    for index, kind in enumerate(used):
        cost = group[f"cost_{kind}_pico"]
        last = index == len(used) - 1
        total = group["cost_pico"]
        policy = group["expected_pico"] - spread if last else group["expected_pico"] * cost // total if total else 0
        spread += policy
        yield _row(group, kind, cost=cost, policy=policy)


def _row(group: dict[str, Any], kind: str, *, cost: int, policy: int) -> dict[str, Any]:
    calls = kind == "per_call"
    quantity = group["tool_calls_billed"] if calls else group[f"{kind}_tokens"]
    unit = "Calls" if calls else "Tokens"
    price = f"{Decimal(cost) / Decimal(quantity) / 10**12:.18f}".rstrip("0").rstrip(".") if quantity else None
    day: date = group["day"]
    month = day.replace(day=1)
    provider, model = group["provider"] or "unknown", group["model"] or "unknown"
    sku = f"{provider}/{model}/{group['service_tier'] or 'standard'}/{kind}"
    tags = {key: group[key] for key in ("app", "environment") if group[key]}
    amount = usd(cost)
    return dict.fromkeys(_ALWAYS_NULL) | {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), amount),
        **dict.fromkeys(("ContractedUnitPrice", "ListUnitPrice"), price),
        **dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), f"{quantity}.0"),
        **dict.fromkeys(("ConsumedUnit", "PricingUnit"), unit),
        **dict.fromkeys(("BillingAccountId", "InvoiceIssuer", "Provider", "Publisher", "ServiceName"), provider),
        **dict.fromkeys(("RegionId", "RegionName"), group["region"]),
        **dict.fromkeys(("ResourceID", "ResourceName"), model),
        **dict.fromkeys(("SubAccountId", "SubAccountName"), group["team"]),
        "BillingCurrency": "USD",
        "BillingPeriodStart": _time(month),
        "BillingPeriodEnd": _time((month + timedelta(days=32)).replace(day=1)),
        **dict.fromkeys(("ChargeCategory", "ChargeType"), "Usage"),
        "ChargeDescription": f"{kind.replace('_', ' ')} of {model}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _time(day),
        "ChargePeriodEnd": _time(day + timedelta(days=1)),
        "PricingCategory": "Standard",
        "ResourceType": "Model",
        "ServiceCategory": "AI and Machine Learning",
        "SkuId": sku,
        "SkuPriceId": sku if group["price_id"] is None else f"{sku}/{group['price_id']}",
        "Tags": json.dumps(tags, ensure_ascii=False, sort_keys=True),
        "x_PolicyCost": usd(policy),
        "x_Requests": group["requests"],
        "x_ServiceTier": group["service_tier"],
        "x_TokenType": kind,
    }


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
