"""The audit: a pure function of a ledger, the price table, the catalogue, a policy and options."""

from __future__ import annotations

import difflib
import importlib.metadata
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
from xxhash import xxh3_64_hexdigest

from llm_audit.audit import tables
from llm_audit.audit.basis import basis
from llm_audit.audit.cells import by, with_date
from llm_audit.audit.clusters import cluster_of
from llm_audit.audit.document import (
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
    Tool,
)
from llm_audit.audit.estimates import Evidence, flagship_tax
from llm_audit.audit.findings import findings
from llm_audit.audit.metrics import metrics
from llm_audit.audit.options import AuditOptions, in_period, zone
from llm_audit.audit.pairs import observed_pairs
from llm_audit.audit.partial import Partial, summarise
from llm_audit.audit.quality import quality
from llm_audit.audit.routers import observed_routers
from llm_audit.audit.sensitivity import decided_by, sensitivity
from llm_audit.audit.traces import break_even, trace_routing
from llm_audit.audit.waste import waste
from llm_audit.catalog import Catalog
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy.model import RANGES, Gate, Policy, Range
from llm_audit.policy.models import NONE
from llm_audit.policy.plan import Plan, replan
from llm_audit.policy.route import plan, routed_frame, with_models
from llm_audit.policy.traffic import traffic_of
from llm_audit.pricing import PriceBook, price

__all__ = ["Audit", "AuditOptions", "run"]

GROUPINGS: dict[str, str] = {
    "team": "team",
    "app": "app",
    "model": "model",
    "category": "category",
    "template": "template_hash",
    "environment": "environment",
}
"""Groupings that every report has, and the column of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """An audit's result.

    Attributes:
        document: All that a report shows.
        requests: A row a request: the ledger's columns, its price, its route and what that would have cost.
        frames: The sums that the document was made from, which merge by addition: ``cells``, ``clusters``, ``risk``.
    """

    document: Document
    requests: pl.DataFrame
    frames: dict[str, pl.DataFrame]


def run(ledger: Ledger, *, policy: Policy, catalog: Catalog, book: PriceBook, options: AuditOptions) -> Audit:
    """Audit a ledger.

    Args:
        ledger: The requests, and the account of the records they were read from.
        policy: What they are compared with.
        catalog: Models.
        book: Prices.
        options: Period, grouping and interval.

    Raises:
        IncompleteError: No request is left to audit.
        UsageError: An option or the policy cannot be used.
    """
    _check(options)
    frame = in_period(ledger.scan(), options).collect()
    if not frame.height:
        raise IncompleteError(f"There is nothing to audit: {_nothing(ledger)}")
    named = with_models(price(_grouped(frame, options), book), catalog)
    routes = plan(traffic_of(named, catalog), policy, catalog=catalog, book=book)
    measured = with_date(routed_frame(named, routes), timezone=options.timezone)
    partial = summarise(measured, routes, group_by=options.group_by)
    document = _document(ledger, partial, measured, routes, book=book, options=options)
    return Audit(
        document=document,
        requests=measured,
        frames={"cells": partial.cells, "clusters": partial.clusters, "risk": partial.risk},
    )


def _left_out(ledger: Ledger, options: AuditOptions) -> list[str]:
    """A bounded period cannot hold requests without a time: they are left out, and said to be."""
    if options.since is None and options.until is None:
        return []
    undated = ledger.scan().select(pl.col("time").null_count()).collect().item()
    return [f"Requests left out of the period because they have no time: {undated:,}."] if undated else []


def _document(
    ledger: Ledger, partial: Partial, measured: pl.DataFrame, routes: Plan, *, book: PriceBook, options: AuditOptions
) -> Document:
    cells, policy = partial.cells, routes.policy
    evidence = Evidence(cells=cells, clusters=partial.clusters, risk=partial.risk, concentration=partial.concentration)
    requests = _requests(ledger, measured.height)
    tax = flagship_tax(evidence, policy=policy, models=routes.world.models, options=options)
    labelled = measured.with_columns(
        cluster=cluster_of(), model_label=pl.coalesce("model_id", "model").cast(pl.String), day=pl.col("date")
    )
    groupings = {**GROUPINGS, **{name: name for name in options.group_by}}
    return Document(
        schema_version=SCHEMA_VERSION,
        tool=Tool(name="llm-audit", version=importlib.metadata.version("llm-audit")),
        command=options.command,
        period=_period(measured, options),
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
        routes=tables.routes(cells),
        classification=tables.classification(cells),
        gates=tables.gates(cells),
        groups=tables.groups(cells, groupings),
        spend=tables.spend(cells),
        findings=findings(evidence, policy=policy, models=routes.world.models, options=options),
        waste=waste(partial.waste),
        unpriced_models=tables.unpriced_models(cells),
        reconciliation=tables.reconciliation(cells),
        price_rows=_price_rows(cells, book),
        sensitivity=sensitivity(routes),
        trace_routing=trace_routing(routes, replan(routes, policy)),
        break_even=break_even(routes),
        observed_pairs=observed_pairs(cells),
        observed_routers=observed_routers(measured, book),
        policy=policy_info(routes),
        quality=quality(cells, measured, requests),
        warnings=[*tax.warnings, *_left_out(ledger, options)],
        notes=ledger.manifest.notes,
        inputs=[
            Input(path=item.path, sha256=item.sha256, bytes=item.bytes, records=item.records, format=item.format)
            for item in ledger.manifest.inputs
        ],
        fingerprints=_fingerprints(ledger, policy, book, options),
        metrics=metrics(labelled),
        basis=basis(labelled, book.rates),
    )


def _check(options: AuditOptions) -> None:
    zone(options)
    if not 0 < options.confidence < 1:
        raise UsageError(f"The confidence is {options.confidence:g}; give a number between 0 and 1, such as 0.9.")
    if options.resamples < 1:
        raise UsageError(f"The number of resamples is {options.resamples}; give at least 1.")


def _nothing(ledger: Ledger) -> str:
    """Why no request is left, by what became of the records."""
    manifest = ledger.manifest
    if manifest.rows:
        return "no request lies in the period; see --since and --until."
    parts = []
    if manifest.rejected:
        reasons = "; ".join(
            f"{reason.count:,} {reason.reason}"
            + "".join(f", {example.file}:{example.line}" for example in reason.examples[:1])
            for reason in manifest.rejected
        )
        parts.append(f"{_records(sum(reason.count for reason in manifest.rejected))} rejected ({reasons})")
    if manifest.not_provider_calls:
        reasons = "; ".join(f"{reason.count:,} {reason.reason}" for reason in manifest.not_provider_calls)
        skipped = sum(reason.count for reason in manifest.not_provider_calls)
        parts.append(f"{_records(skipped)} no provider's call ({reasons})")
    if not parts:
        return "no request was read."
    return f"no request was read: {', '.join(parts)}. `llm-audit formats detect PATH` says what each file is."


def _records(count: int) -> str:
    return f"{count:,} record{' was' if count == 1 else 's were'}"


def _grouped(frame: pl.DataFrame, options: AuditOptions) -> pl.DataFrame:
    """The frame with every column to group by: those it has, and ``tag:<key>`` from the requests' tags."""
    for name in options.group_by:
        key = name.removeprefix("tag:")
        if key != name:
            tagged = pl.col("tags").cast(pl.String).str.extract(rf"(?:^|,){re.escape(key)}=([^,]*)", 1)
            frame = frame.with_columns(tagged.alias(name))
        elif name not in frame.columns:
            near = difflib.get_close_matches(name, frame.columns, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"There is no column {name!r} to group by.{hint} Or write tag:<key> to group by a tag.")
    return frame


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


def _period(measured: pl.DataFrame, options: AuditOptions) -> Period:
    first, last, days, undated = measured.select(
        first=pl.col("time").min(),
        last=pl.col("time").max(),
        days=pl.col("date").drop_nulls().n_unique(),
        undated=pl.col("time").null_count(),
    ).row(0)
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
    """The price rows used, in the price book's order."""
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
    return usd(rate) if kind in {"per_call_rate", "per_tool_call_rate"} else usd(rate * 10**6)


def policy_info(routes: Plan) -> PolicyInfo:
    """The policy as applied: the ladders of the models that were used."""
    policy, models = routes.policy, routes.world.models
    ladders = {name: list(models) for name, models in policy.ladders.items()}
    if not ladders:
        for used in sorted({int(model) for model in routes.world.requests.used if model != NONE}):
            steps = [models.ids[step] for step in routes.ladder[used] if step != NONE]
            name = "all families" if policy.across_families else models.family[used]
            if steps:
                ladders.setdefault(name, steps)
    return PolicyInfo(
        name=policy.name,
        target=decided_by(policy, routes.threshold),
        ladders=ladders,
        assumptions={name: describe(getattr(policy.assumptions, name)) for name in RANGES},
        gates=[gate.value for gate in Gate if gate in policy.gates],
        toml=policy.toml,
    )


def describe(ends: Range) -> str:
    """An assumption in words."""
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
