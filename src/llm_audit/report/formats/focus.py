"""FOCUS 1.2, and 1.0 on request: one row per day, model, owner and token type, for FinOps cost tools.

``ListCost`` is at published prices and ``ContractedCost`` with the user's price files. ``EffectiveCost`` and
``BilledCost`` are the contracted cost of what is billed by use, and 0 of requests on a plan, on capacity bought or for
free: what was paid for these is on another invoice, and ``x_ApiEquivalentCost`` is their contracted cost. The policy's
cost is an estimate and is in ``x_`` columns only. Requests without a known price are in no row, because the
specification has no unknown cost.

FOCUS: https://focus.finops.org/focus-specification/. The specification's draft of 1.5 defines ``ModelDeveloper``,
``ModelFamily``, ``ModelId``, ``TokenDirection`` and ``TokenCacheAction`` as keys of ``SkuPriceDetails``; in 1.2 they
are keys of the data's producer, which have to start with ``x_``. Two columns of the 1.0 file are there for its
validator, focus_validator 1.0.0: it expects ``ResourceID`` in this case, and reads ``ChargeType``, the older name of
``ChargeCategory``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from llm_audit.document.audit import Document
from llm_audit.errors import UsageError
from llm_audit.money import usd
from llm_audit.report.interface import Frames, Options
from llm_audit.report.spreadsheet.charges import Charge, charges
from llm_audit.report.spreadsheet.flat import harmless
from llm_audit.vocabulary import API_EQUIVALENT

Row = dict[str, Any]

COLUMNS: tuple[str, ...] = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost",
    "InvoiceId", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter",
    "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags", "x_ApiEquivalentCost", "x_BillingBasis",
    "x_PolicyCost", "x_Requests", "x_ServiceTier", "x_TokenType",
)  # fmt: skip
COLUMNS_1_0: tuple[str, ...] = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
    "ChargePeriodEnd", "ChargePeriodStart", "ChargeType", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity",
    "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuer", "ListCost",
    "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "Provider", "Publisher", "RegionId",
    "RegionName", "ResourceID", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SkuId",
    "SkuPriceId", "SubAccountId", "SubAccountName", "Tags", "x_ApiEquivalentCost", "x_BillingBasis", "x_PolicyCost",
    "x_Requests", "x_ServiceTier", "x_TokenType",
)  # fmt: skip
_IN_PRICING_CURRENCY = ("ContractedUnitPrice", "EffectiveCost", "ListUnitPrice")
_CACHE_ACTIONS = {"cache_read": "Read", "cache_write_5m": "Write", "cache_write_1h": "Write"}
_CACHE_MINUTES = {"cache_write_5m": 5, "cache_write_1h": 60}


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render CSV by the FOCUS 1.2 specification.

    Raises:
        UsageError: No request has a time, so there is no charge period.
    """
    writes = {
        (row.provider, row.model) for row in document.price_rows if any(rate in row.rates for rate in _CACHE_MINUTES)
    }

    def row(charge: Charge) -> Row:
        metered = (charge.keys["provider"], charge.keys["model"]) in writes
        return _row_1_2(charge, writes_metered=metered)

    return _csv(document, frames, COLUMNS, row)


def render_1_0(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render CSV by the FOCUS 1.0 specification.

    Raises:
        UsageError: No request has a time, so there is no charge period.
    """
    return _csv(document, frames, COLUMNS_1_0, _row_1_0)


def _csv(document: Document, frames: Frames | None, columns: tuple[str, ...], row: Callable[[Charge], Row]) -> bytes:
    assert frames is not None, "the registry checks that there are requests"
    if document.period.start is None:
        raise UsageError("FOCUS rows need a charge period, and no request has a time. Use -f csv instead.")
    first = datetime.fromisoformat(document.period.start).astimezone(UTC).date()
    rows = [row(charge) for charge in charges(frames.requests, undated=first)]
    frame = pl.DataFrame(rows, schema={name: pl.Int64 if name == "x_Requests" else pl.String for name in columns})
    numbers = {"x_Requests", "ConsumedQuantity", "PricingQuantity"}
    numbers |= {name for name in columns if name.endswith(("Cost", "UnitPrice"))}
    cells = [pl.col(name) if name in numbers else harmless(name) for name in columns]
    return frame.select(cells).write_csv().encode("utf-8")


def _row_1_2(charge: Charge, *, writes_metered: bool) -> Row:
    keys, kind = charge.keys, charge.kind
    provider, model = _names(charge)
    sku = f"{provider}/{model}/{kind}"
    common = _common(charge)
    return common | {
        **dict.fromkeys(("InvoiceIssuerName", "ProviderName"), provider),
        **dict.fromkeys(name for name in COLUMNS if name.startswith("CommitmentDiscount")),
        "InvoiceId": None,
        "PricingCurrency": "USD",
        **{
            f"PricingCurrency{name}": common[name] for name in ("ContractedUnitPrice", "EffectiveCost", "ListUnitPrice")
        },
        "PublisherName": keys["developer"] or provider,
        "ResourceId": model,
        "ServiceSubcategory": "Generative AI",
        "SkuId": sku,
        "SkuMeter": f"{kind.replace('_', ' ')}{'' if kind == 'per_call' else ' tokens'}",
        "SkuPriceDetails": json.dumps(_details(charge, writes_metered=writes_metered), ensure_ascii=False),
        "SkuPriceId": "/".join(filter(None, (sku, _tier(charge), keys["region"], keys["price_id"]))),
    }


def _row_1_0(charge: Charge) -> Row:
    provider, model = _names(charge)
    sku = f"{provider}/{model}/{_tier(charge)}/{charge.kind}"
    price_id = charge.keys["price_id"]
    return _common(charge) | {
        **dict.fromkeys(("InvoiceIssuer", "Provider", "Publisher"), provider),
        **dict.fromkeys(name for name in COLUMNS_1_0 if name.startswith("CommitmentDiscount")),
        "ChargeType": "Usage",
        "ResourceID": model,
        "SkuId": sku,
        "SkuPriceId": sku if price_id is None else f"{sku}/{price_id}",
    }


def _common(charge: Charge) -> Row:
    """Return the columns that both versions have."""
    keys, kind, month = charge.keys, charge.kind, charge.day.replace(day=1)
    provider, model = _names(charge)
    contracted, quantity = usd(charge.cost), f"{charge.quantity}.0"
    equivalent = keys["billing_basis"] in API_EQUIVALENT
    tags = {key: keys[key] for key in ("app", "environment") if keys[key]}
    return {
        **dict.fromkeys(("BilledCost", "EffectiveCost"), usd(0) if equivalent else contracted),
        "ContractedCost": contracted,
        "ListCost": usd(charge.list_cost),
        "ContractedUnitPrice": _unit_price(charge.cost, charge.quantity),
        "ListUnitPrice": _unit_price(charge.list_cost, charge.quantity),
        **dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), quantity),
        **dict.fromkeys(("ConsumedUnit", "PricingUnit"), "Calls" if kind == "per_call" else "Tokens"),
        **dict.fromkeys(("BillingAccountId", "ServiceName"), provider),
        **dict.fromkeys(("RegionId", "RegionName"), keys["region"]),
        **dict.fromkeys(("SubAccountId", "SubAccountName"), keys["team"]),
        **dict.fromkeys(("BillingAccountName", "ChargeClass")),
        "BillingCurrency": "USD",
        "BillingPeriodStart": _time(month),
        "BillingPeriodEnd": _time((month + timedelta(days=32)).replace(day=1)),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{kind.replace('_', ' ')} of {model}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": _time(charge.day),
        "ChargePeriodEnd": _time(charge.day + timedelta(days=1)),
        "PricingCategory": "Standard",
        "ResourceName": model,
        "ResourceType": "Model",
        "ServiceCategory": "AI and Machine Learning",
        "Tags": json.dumps(tags, ensure_ascii=False, sort_keys=True),
        "x_ApiEquivalentCost": contracted if equivalent else usd(0),
        "x_BillingBasis": keys["billing_basis"],
        "x_PolicyCost": None if charge.policy_cost is None else usd(charge.policy_cost),
        "x_Requests": charge.requests,
        "x_ServiceTier": keys["service_tier"],
        "x_TokenType": kind,
    }


def _details(charge: Charge, *, writes_metered: bool) -> dict[str, str | int]:
    """Return the properties of the price; unknown ones, and those that do not apply, are left out."""
    keys, kind = charge.keys, charge.kind
    model: dict[str, str | int | None] = {
        "x_ModelDeveloper": keys["developer"],
        "x_ModelFamily": keys["family"],
        "x_ModelId": keys["model"],
        "x_CatalogModelId": keys["model_id"],
        "x_ServiceTier": _tier(charge),
    }
    tokens: dict[str, str | int | None] = {}
    if kind != "per_call":
        output = kind in {"output", "audio_output"}
        # without a price for writes, the meter of fresh input also counts the tokens written to a cache
        uncached = "Uncached" if kind == "input" and writes_metered else None
        tokens = {
            "x_TokenDirection": "Output" if output else "Input",
            "x_TokenCacheAction": _CACHE_ACTIONS.get(kind, uncached),
            "x_CacheMinutes": _CACHE_MINUTES.get(kind),
            "x_Modality": "Audio" if kind.startswith("audio") else None,
        }
    return {key: value for key, value in (model | tokens).items() if value is not None}


def _names(charge: Charge) -> tuple[str, str]:
    return charge.keys["provider"] or "unknown", charge.keys["model"] or "unknown"


def _tier(charge: Charge) -> str:
    return charge.keys["service_tier"] or "standard"


def _unit_price(cost: int, quantity: int) -> str | None:
    if not quantity:
        return None
    return f"{Decimal(cost) / Decimal(quantity) / 10**12:.18f}".rstrip("0").rstrip(".")


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
