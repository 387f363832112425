"""Small documents for tests of comparisons and gates."""

from __future__ import annotations

import msgspec

from llm_audit.document.audit import (
    SCHEMA_VERSION,
    BasisRow,
    Classification,
    Cost,
    Document,
    Estimate,
    Expected,
    Fingerprints,
    FlagshipTax,
    Metric,
    Period,
    PolicyInfo,
    Requests,
    Sensitivity,
    Tokens,
    Tool,
    decode,
    encode,
)


def earlier(made: Document, version: str = "2.3") -> Document:
    """Return a document as it is read back from one that an earlier version wrote."""
    return decode(encode(msgspec.structs.replace(made, schema_version=version)))


def metric(name: str, value: float, stderr: float | None = 0.0, *, unit: str = "USD", requests: int = 1000) -> Metric:
    return Metric(name=name, unit=unit, value=value, stderr=stderr, requests=requests, clusters=requests)


def row(
    model: str, requests: int, cost: str, *, policy: str = "0.00", app: str = "app", tokens: int = 1000
) -> BasisRow:
    return BasisRow(
        provider="openai",
        model=model,
        tier="frontier",
        service_tier="standard",
        context_from=0,
        since=None,
        first_day="2026-09-01",
        team=None,
        app=app,
        requests=requests,
        tokens={"input": tokens},
        cost_by_type={"input": cost},
        policy_cost=policy,
    )


def document(
    *, metrics: list[Metric] | None = None, basis: list[BasisRow] | None = None, prices: str = "p1", rejected: int = 0
) -> Document:
    estimate = {"amount": "0.00", "share": 0.0, "policy_cost": "0.00"}
    return Document(
        schema_version=SCHEMA_VERSION,
        tool=Tool(name="llm-audit", version="0"),
        command="llm-audit analyze logs/",
        period=Period(start=None, end=None, days=0, timezone="UTC", undated_requests=0),
        currency="USD",
        currency_note=None,
        requests=Requests(read=1000, audited=1000 - rejected, duplicates=0, not_provider_calls=0, rejected=rejected),
        rejected=[],
        not_provider_calls=[],
        tokens=Tokens(
            input=0,
            cache_read=0,
            cache_write_5m=0,
            cache_write_1h=0,
            output=0,
            audio_input=0,
            audio_output=0,
            reasoning=0,
            estimated=0,
            ambiguous=0,
        ),
        cost=Cost(
            actual="0.00",
            priced_requests=0,
            unpriced_requests=0,
            by_token_type={},
            stated=None,
            stated_requests=0,
            estimated="0.00",
            ambiguous="0.00",
        ),
        flagship_tax=FlagshipTax(
            ceiling=Estimate(**estimate),
            expected=Expected(
                **estimate, low="0.00", high="0.00", share_low=0, share_high=0, confidence=0.9, clusters=0, resamples=0
            ),
            floor=Estimate(**estimate),
            covered_cost="0.00",
            covered_share=0,
            moved_requests=0,
            quality=None,
            unmeasured=None,
            warnings=[],
        ),
        coverage=[],
        model_mix=[],
        model_mix_daily=[],
        daily=[],
        routes=[],
        classification=Classification(scored=0, inherited=0, abstained=0, by_category=[], abstentions=[]),
        gates=[],
        groups={},
        findings=[],
        waste=[],
        unpriced_models=[],
        reconciliation=[],
        price_rows=[],
        sensitivity=Sensitivity(frontier=[], tornado=[]),
        policy=PolicyInfo(name="keep", decision="never", target=None, ladders={}, assumptions={}, gates=[], toml=""),
        quality=[],
        warnings=[],
        inputs=[],
        fingerprints=Fingerprints(prices=prices, policy="", classifier="", config="", ledger=""),
        metrics=metrics or [],
        basis=basis or [],
    )
