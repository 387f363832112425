"""The document of an audit, put together from its sums and its plan."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from xxhash import xxh3_64_hexdigest

from llm_audit.audit.aggregate.basis import basis
from llm_audit.audit.aggregate.calls import Calls
from llm_audit.audit.aggregate.cells import by
from llm_audit.audit.aggregate.risk import risk_replicates
from llm_audit.audit.options import AuditOptions, zone
from llm_audit.audit.partial import Partial
from llm_audit.audit.rhythm.departures import departure_findings, departures
from llm_audit.audit.rhythm.run_rate import run_rate
from llm_audit.audit.rows import Rows
from llm_audit.audit.sections import totals as tables
from llm_audit.audit.sections.estimates import Evidence, flagship_tax
from llm_audit.audit.sections.findings import findings, groups
from llm_audit.audit.sections.languages import languages
from llm_audit.audit.sections.metrics import Measured, metrics
from llm_audit.audit.sections.pairs import observed_pairs
from llm_audit.audit.sections.preference import PreferenceGaps
from llm_audit.audit.sections.quality import quality
from llm_audit.audit.sections.routers import observed_routers
from llm_audit.audit.sections.sensitivity import AssumptionEffect
from llm_audit.audit.sections.traces import break_even
from llm_audit.audit.sections.waste import waste
from llm_audit.document.audit import (
    SCHEMA_VERSION,
    Document,
    Example,
    Fingerprints,
    Input,
    Period,
    PolicyInfo,
    PriceRow,
    ReasonCount,
    RejectedReason,
    Requests,
    Sensitivity,
    Stakes,
    Tool,
    TraceRouting,
    Unmeasured,
)
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy import RANGES, Gate, Plan, Policy, Range, RoutedCosts, Traffic
from llm_audit.pricing import PriceBook

GROUPINGS: dict[str, str] = {
    "team": "team",
    "app": "app",
    "model": "model",
    "category": "category",
    "template": "template_hash",
    "environment": "environment",
}
"""Groupings that every report has, and the column of each."""


def _left_out(ledger: Ledger, options: AuditOptions) -> list[str]:
    """Note the requests without a time, which a bounded period leaves out."""
    if options.since is None and options.until is None:
        return []
    undated = ledger.scan().select(pl.col("time").null_count()).collect().item()
    return [f"Requests left out of the period because they have no time: {undated:,}."] if undated else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Parts of an audit that its document is composed of.

    Attributes:
        rows: What was audited.
        traffic: Its requests.
        calls: What groups them.
        applied: The policy's routes and their costs.
        partial: Sums over the requests.
        effects: What assumptions at their ends do to the expected tax.
        sensitivity: The frontier and the tornado.
        unmeasured: A further saving from models that nobody measured.
        preference: How many readers prefer the models used to their routes.
        trace_routing: Routing by request against routing by trace.
        stakes: Spend by what is at stake.
    """

    rows: Rows
    traffic: Traffic
    calls: Calls
    applied: RoutedCosts
    partial: Partial
    effects: list[AssumptionEffect]
    sensitivity: Sensitivity
    unmeasured: Unmeasured | None
    preference: PreferenceGaps
    trace_routing: TraceRouting | None
    stakes: Stakes | None


def document(found: Found) -> Document:
    """Everything a report may show."""
    rows, applied, partial = found.rows, found.applied, found.partial
    ledger, options, book, routes = rows.ledger, rows.options, rows.book, applied.plan
    sums, policy = partial.sums, routes.policy
    cells = sums.cells
    saving = groups(cells)
    parts = [sums.risk, *(sums.risk.filter(pl.col(group.column) == group.subject) for group in saving)]
    evidence = Evidence(
        cells=cells,
        clusters=sums.clusters,
        risk=risk_replicates(
            parts, policy=policy, models=routes.models, resamples=options.resamples, posterior=options.posterior
        ),
        concentration=partial.concentration,
        effects=found.effects,
        unmeasured=found.unmeasured,
        preference=found.preference.overall,
    )
    requests = _requests(ledger, len(found.traffic.requests))
    tax = flagship_tax(evidence, options=options)
    period = _period(found.traffic.time, options)
    apart = departures(cells, period, options=options)
    groupings = {**GROUPINGS, **{name: name for name in options.group_by}}
    return Document(
        schema_version=SCHEMA_VERSION,
        tool=Tool(name="llm-audit", version=importlib.metadata.version("llm-audit")),
        command=options.command,
        period=period,
        currency="USD",
        currency_note=None,
        requests=requests,
        rejected=[
            RejectedReason(
                reason=reason.reason,
                count=reason.count,
                examples=[Example(file=example.file, line=example.line) for example in reason.examples],
            )
            for reason in ledger.manifest.rejected
        ],
        not_provider_calls=[
            ReasonCount(reason=reason.reason, count=reason.count) for reason in ledger.manifest.not_provider_calls
        ],
        tokens=tables.tokens(cells),
        cost=tables.cost(cells),
        flagship_tax=tax,
        coverage=tables.coverage(cells),
        model_mix=tables.model_mix(cells),
        model_mix_daily=tables.daily_mix(cells),
        daily=tables.daily(cells),
        routes=tables.routes(cells, found.preference.by_route),
        classification=tables.classification(cells),
        gates=tables.gates(cells),
        groups=tables.groups(cells, groupings),
        spend=tables.spend(cells),
        findings=[*findings(saving, evidence, options=options), *departure_findings(apart, cells)],
        waste=waste(partial.waste),
        unpriced_models=tables.unpriced_models(cells),
        reconciliation=tables.reconciliation(cells),
        price_rows=_price_rows(cells, book),
        sensitivity=found.sensitivity,
        trace_routing=found.trace_routing,
        break_even=break_even(routes),
        observed_pairs=observed_pairs(cells),
        observed_routers=observed_routers(sums.routers, book),
        policy=policy_info(routes),
        quality=quality(
            cells,
            sums.counts,
            requests,
            unmeasured=found.rows.catalog.unmeasured,
            undated_at=found.rows.book.undated_at,
        ),
        warnings=[*tax.warnings, *_left_out(ledger, options)],
        notes=[*ledger.manifest.notes, *ledger.manifest.reading_notes],
        inputs=[
            Input(path=item.path, sha256=item.sha256, bytes=item.bytes, records=item.records, format=item.format)
            for item in ledger.manifest.inputs
        ],
        fingerprints=_fingerprints(ledger, policy, book, options),
        metrics=metrics(_measured(applied, found.traffic, found.calls)),
        basis=basis(sums.basis),
        run_rate=run_rate(cells, period, options=options),
        departures=apart,
        stakes=found.stakes,
        languages=languages(sums.languages),
    )


def _requests(ledger: Ledger, audited: int) -> Requests:
    manifest = ledger.manifest
    return Requests(
        read=manifest.read,
        audited=audited,
        duplicates=manifest.duplicates,
        not_provider_calls=sum(reason.count for reason in manifest.not_provider_calls),
        rejected=sum(reason.count for reason in manifest.rejected),
        out_of_period=manifest.rows - audited,
    )


def _measured(applied: RoutedCosts, traffic: Traffic, calls: Calls) -> Measured:
    requests, names = traffic.requests, traffic.names
    return Measured(
        requests=requests,
        calls=calls,
        name=traffic.name,
        tiers=names["tier"].to_list(),
        labels=names.select(pl.coalesce("model_id", "model")).to_series().to_list(),
        tax=np.where(requests.priced, requests.cost - applied.expected_pico, 0),
    )


def _period(time: pl.Series, options: AuditOptions) -> Period:
    date = pl.col("time").dt.convert_time_zone(options.timezone).dt.date()
    first, last, days, undated = (
        time.alias("time")
        .to_frame()
        .select(
            first=pl.col("time").min(),
            last=pl.col("time").max(),
            days=date.drop_nulls().n_unique(),
            undated=pl.col("time").null_count(),
        )
        .row(0)
    )
    return Period(
        start=_written(first, zone(options)),
        end=_written(last, zone(options)),
        days=days,
        timezone=options.timezone,
        undated_requests=undated,
    )


def _written(moment: datetime | None, where: ZoneInfo) -> str | None:
    return moment.astimezone(where).isoformat() if moment is not None else None


def _price_rows(cells: pl.DataFrame, book: PriceBook) -> list[PriceRow]:
    """Return the price rows used, in the price book's order."""
    used = by(cells.filter(pl.col("price_id").is_not_null()), "price_id").select("price_id", "requests")
    rows = book.rates.join(used, on="price_id", how="inner", maintain_order="left")
    kinds = [name for name in rows.columns if name.endswith("_rate")]
    return [
        PriceRow(
            provider=row["provider"],
            model=row["model"],
            service_tier=row["service_tier"],
            since=row["since"].isoformat() if row["since"] else None,
            context_from=row["context_from"],
            rates={
                kind.removesuffix("_rate"): _per_million(kind, row[kind]) for kind in kinds if row[kind] is not None
            },
            source=row["source"],
            matched=row["matched"],
            requests=int(row["requests"]),
        )
        for row in rows.iter_rows(named=True)
    ]


def _per_million(kind: str, rate: int) -> str:
    """Dollars per million tokens, or per call for what is billed by the call."""
    return usd(rate) if kind.startswith("per_") else usd(rate * 10**6)


def policy_info(routes: Plan) -> PolicyInfo:
    """Return the policy as applied: the ladders of the models that were used."""
    policy = routes.policy
    return PolicyInfo(
        name=policy.name,
        decision=policy.decision.value,
        target=routes.decision_value,
        ladders=routes.ladders(),
        assumptions={name: describe(getattr(policy.assumptions, name)) for name in RANGES},
        gates=[gate.value for gate in Gate if gate in policy.gates],
        toml=policy.toml,
    )


def describe(ends: Range) -> str:
    """Return an assumption in words."""
    if ends.favourable == ends.pessimistic:
        return f"{ends.expected:g}"
    return f"{ends.expected:g} (from {ends.favourable:g} to {ends.pessimistic:g})"


def _fingerprints(ledger: Ledger, policy: Policy, book: PriceBook, options: AuditOptions) -> Fingerprints:
    manifest = ledger.manifest
    inputs = "\n".join(
        f"{item.sha256} {item.records}" for item in sorted(manifest.inputs, key=lambda item: item.sha256)
    )
    ranges = "".join(f"{name}={describe(getattr(policy.assumptions, name))};" for name in RANGES)
    return Fingerprints(
        prices=book.fingerprint,
        policy=xxh3_64_hexdigest((policy.toml + ranges).encode()),
        classifier=manifest.fingerprints.get("classifier", ""),
        config=options.config_fingerprint,
        ledger=xxh3_64_hexdigest(inputs.encode()),
    )
