"""What an audit is of and was made with: records, period, prices, policy and fingerprints."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
from xxhash import xxh3_64_hexdigest

from llm_audit.audit.aggregate.rollups import by
from llm_audit.audit.options import AuditOptions, zone
from llm_audit.audit.survey import Survey
from llm_audit.document.audit import Fingerprints, Period, PolicyInfo, PriceRow, Requests
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy import RANGES, Gate, Plan, Policy, Range
from llm_audit.pricing import PriceBook
from llm_audit.vocabulary import UNCOUNTED


def count_requests(ledger: Ledger, audited: int) -> Requests:
    """Return what became of the records that were read."""
    manifest = ledger.manifest
    return Requests(
        read=manifest.read,
        audited=audited,
        duplicates=manifest.duplicates,
        not_provider_calls=sum(reason.count for reason in manifest.not_provider_calls),
        rejected=sum(reason.count for reason in manifest.rejected),
        out_of_period=manifest.rows - audited,
    )


def audited_period(found: Survey, options: AuditOptions) -> Period:
    """Return the period of the requests that are audited."""
    first, last = found.ends
    return Period(
        start=_written(first, zone(options)),
        end=_written(last, zone(options)),
        days=len(found.dates),
        timezone=options.timezone,
        undated_requests=found.undated,
    )


def left_out(found: Survey, options: AuditOptions) -> list[str]:
    """Note the requests without a time, which a bounded period leaves out."""
    if options.since is None and options.until is None:
        return []
    undated = found.times.undated
    return [f"Requests left out of the period because they have no time: {undated:,}."] if undated else []


def uncounted(ledger: Ledger) -> list[str]:
    """Note the files of which it is not known how many records are missing."""
    found = [reason for reason in ledger.manifest.rejected if reason.reason in UNCOUNTED]
    if not found:
        return []
    files = "; ".join(
        f"{reason.count:,} {UNCOUNTED[reason.reason]}"
        + "".join(f", first {example.file}:{example.line}" for example in reason.examples[:1])
        for reason in found
    )
    return [f"How many records of these files are missing is not known, nor what they cost: {files}."]


def _written(moment: datetime | None, where: ZoneInfo) -> str | None:
    return moment.astimezone(where).isoformat() if moment is not None else None


def price_rows(usage: pl.DataFrame, book: PriceBook) -> list[PriceRow]:
    """Return the price rows used, in the price book's order."""
    used = by(usage.filter(pl.col("price_id").is_not_null()), "price_id", sums=["requests"])
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


def fingerprints(ledger: Ledger, policy: Policy, book: PriceBook, options: AuditOptions) -> Fingerprints:
    """Return hashes of what the figures depend on."""
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
