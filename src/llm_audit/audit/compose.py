"""The document of an audit, put together from its sums and its plan."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from llm_audit.audit.aggregate.basis import basis
from llm_audit.audit.aggregate.risk import risk_replicates
from llm_audit.audit.aggregate.rollups import grouping, total
from llm_audit.audit.billing import is_billed
from llm_audit.audit.findings.findings import Setting, findings
from llm_audit.audit.findings.groups import groups
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.partial import Partial
from llm_audit.audit.provenance import audited_period, count_requests, fingerprints, left_out, price_rows, uncounted
from llm_audit.audit.rhythm.departures import departure_findings, departures
from llm_audit.audit.rhythm.run_rate import rate_days, run_rate
from llm_audit.audit.sections.by_basis import billing, unmatched
from llm_audit.audit.sections.estimates import Evidence, expected_tax, flagship_tax
from llm_audit.audit.sections.languages import languages
from llm_audit.audit.sections.metrics import metrics
from llm_audit.audit.sections.pairs import observed_pairs
from llm_audit.audit.sections.preference import preference_gaps
from llm_audit.audit.sections.price_age import old_prices
from llm_audit.audit.sections.quality import quality
from llm_audit.audit.sections.quality_loss import unmeasured
from llm_audit.audit.sections.routers import observed_routers
from llm_audit.audit.sections.sensitivity import billed_effects, sensitivity
from llm_audit.audit.sections.spenders import spender_metrics, spenders
from llm_audit.audit.sections.stakes import stakes
from llm_audit.audit.sections.tables import by_group, by_model, whole
from llm_audit.audit.sections.traces import break_even, trace_routing
from llm_audit.audit.survey import Survey
from llm_audit.audit.waste.waste import waste
from llm_audit.catalog import Catalog
from llm_audit.document.audit import (
    SCHEMA_VERSION,
    Document,
    Example,
    Expected,
    FlagshipTax,
    GroupRow,
    Input,
    PolicyInfo,
    ReasonCount,
    RejectedReason,
    Sensitivity,
    Tool,
)
from llm_audit.ledger import Ledger
from llm_audit.policy import Models, Policy
from llm_audit.pricing import PriceBook

GROUPINGS: dict[str, tuple[str, str]] = {
    "team": ("daily", "team"),
    "app": ("daily", "app"),
    "model": ("usage", "model"),
    "category": ("usage", "category"),
    "template": ("subjects", "template_hash"),
    "environment": ("by_environment", "environment"),
}
"""Groupings that every report has, and the rollup and column of each."""


class Found(msgspec.Struct, kw_only=True, frozen=True):
    """Parts of an audit that its document is composed of.

    Attributes:
        ledger: What was audited.
        options: The audit's options.
        catalog: Models.
        models: The same as arrays.
        book: Prices, with the price rows that were used.
        policy: The policy.
        applied: The same as the document shows it.
        decided_by: The number that it decides by.
        survey: What the first reading of the log found.
        partial: Sums over the requests.
    """

    ledger: Ledger
    options: AuditOptions
    catalog: Catalog
    models: Models
    book: PriceBook
    policy: Policy
    applied: PolicyInfo
    decided_by: float | None
    survey: Survey
    partial: Partial


def document(found: Found) -> Document:
    """Everything a report may show."""
    ledger, options, book, policy = found.ledger, found.options, found.book, found.policy
    sums, routes = found.partial.sums, found.partial.routes
    rollups = sums.rollups
    usage, daily = rollups["usage"], rollups["daily"]
    effects, sensitivities = sensitivity(routes.sensitivity, policy, in_use=found.decided_by)
    preference = preference_gaps(routes.preference, found.models)
    saving = groups(rollups, sums.risk)
    evidence = Evidence(
        usage=usage,
        subjects=rollups["subjects"],
        bags=rollups["bags"],
        risk=risk_replicates(
            [sums.risk, *(group.risk for group in saving), sums.risk.filter("billed")],
            policy=policy,
            models=found.models,
            resamples=options.resamples,
            posterior=options.posterior,
        ),
        concentration=found.partial.concentration,
        effects=effects,
        unmeasured=unmeasured(routes.unmeasured, found.models),
        preference=preference.overall,
    )
    requests = count_requests(ledger, found.survey.requests)
    tax = flagship_tax(evidence, options=options, routes=policy.routes_any)
    period = audited_period(found.survey, options)
    apart = departures(daily, period, options=options)
    setting = Setting(
        policy=policy,
        catalog=found.catalog,
        prices=dict(zip(found.models.ids, found.models.price.tolist(), strict=True)),
        days=rate_days(daily, period, options),
        options=options,
    )
    billed_days = daily.filter("is_billed")
    groupings = GROUPINGS | {name: (grouping(name), name) for name in options.group_by}
    tables = {name: (rollups[table], column) for name, (table, column) in groupings.items()}
    by_owner = by_group.groups(tables)
    return Document(
        schema_version=SCHEMA_VERSION,
        tool=Tool(name="llm-audit", version=importlib.metadata.version("llm-audit")),
        command=options.command,
        period=period,
        sampling_rate=options.sampling_rate,
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
        tokens=whole.tokens(usage),
        cost=whole.cost(usage),
        flagship_tax=tax,
        coverage=whole.coverage(usage),
        model_mix=by_model.model_mix(usage),
        model_mix_daily=by_model.daily_mix(daily),
        daily=by_group.daily(daily),
        routes=by_model.routes(usage, preference.by_route),
        classification=whole.classification(usage),
        gates=whole.gates(usage),
        groups=by_owner,
        spend=by_group.spend(daily),
        spenders=spenders(found.partial.spenders, actual_pico=total(usage, "cost_pico")),
        findings=[*findings(saving, evidence, setting=setting), *departure_findings(apart, daily)],
        waste=waste(found.partial.waste),
        unpriced_models=by_model.unpriced_models(usage),
        reconciliation=by_model.reconciliation(usage),
        price_rows=price_rows(usage, book),
        sensitivity=Sensitivity(frontier=[], tornado=[]) if tax.expected.amount is None else sensitivities,
        trace_routing=None if tax.expected.amount is None else trace_routing(routes.traces),
        break_even=break_even(routes.break_even, policy),
        observed_pairs=observed_pairs(rollups["subjects"]),
        observed_routers=observed_routers(sums.routers),
        policy=found.applied,
        quality=quality(
            usage,
            sums.counts,
            requests,
            unmeasured=found.catalog.unmeasured,
            undated_at=book.undated_at,
        ),
        warnings=[
            *uncounted(ledger),
            *tax.warnings,
            *left_out(found.survey, options),
            *old_prices(found.survey.ends[1], book.checked),
            *unmatched(usage, options.billing),
        ],
        notes=[*ledger.manifest.notes, *ledger.manifest.reading_notes],
        inputs=[
            Input(path=item.path, sha256=item.sha256, bytes=item.bytes, records=item.records, format=item.format)
            for item in ledger.manifest.inputs
        ],
        fingerprints=fingerprints(ledger, policy, book, options),
        metrics=[*metrics(routes.metrics, untaxed=_untaxed(tax, by_owner)), *spender_metrics(found.partial.spenders)],
        basis=basis(sums.basis),
        run_rate=run_rate(
            billed_days if billed_days.height else daily,
            period,
            options=options,
            conversation_pico=routes.metrics.whole.mean_cluster("cost"),
        ),
        departures=apart,
        stakes=stakes(routes.stakes),
        languages=languages(sums.languages),
        billing=billing(usage, period, options, expected=_billed_tax(found, evidence)),
    )


def _untaxed(tax: FlagshipTax, groups: Mapping[str, Sequence[GroupRow]]) -> set[str]:
    """Return the selectors of metrics of requests whose tax is unknown: of all, or of a team or an app."""
    found = {f"[{name}={row.name}]" for name in ("team", "app") for row in groups[name] if row.flagship_tax is None}
    return found | {""} if tax.expected.amount is None else found


def _billed_tax(found: Found, evidence: Evidence) -> Expected | None:
    """Return the tax on what is billed by use, where that is a part of the requests."""
    billed = replace(
        evidence,
        usage=evidence.usage.filter(is_billed()),
        subjects=evidence.subjects.filter("is_billed"),
        bags=evidence.bags.filter("is_billed"),
        concentration=replace(evidence.concentration, conversations=evidence.concentration.billed),
        effects=billed_effects(found.partial.routes.sensitivity, found.policy),
    )
    if billed.usage.height in {0, evidence.usage.height}:
        return None
    errors = evidence.risk.cost_error[:, -1]
    return expected_tax(billed, errors, options=found.options)
