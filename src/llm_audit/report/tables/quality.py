"""Data quality, the records and files read, the prices used, and fingerprints."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.ledger.columns import TOKEN_TYPES
from llm_audit.report.table import Column, ColumnKind, Priority, Table, count, money, share, table
from llm_audit.report.text import words

_MAIN = frozenset({"input", "cache_read", "output"})
"""Token types whose rates are also shown in a narrow table."""


def quality(document: Document) -> Table:
    """Checks of the data."""
    return table(
        "quality",
        "Data quality",
        (
            Column("Check"),
            Column("Level"),
            count("Count", sums=False),
            share("Share"),
            Column("What it means", ColumnKind.PROSE),
        ),
        (
            (words(q.check), q.level, q.count, q.share if q.share is not None else "", q.message)
            for q in document.quality
        ),
    )


def accounting(document: Document) -> Table:
    """Every record read, by its outcome."""
    requests = document.requests
    rows: list[tuple[str, int, str]] = [("audited", requests.audited, ""), ("duplicates", requests.duplicates, "")]
    rows += [(f"not a provider call: {words(n.reason)}", n.count, "") for n in document.not_provider_calls]
    if requests.out_of_period:
        rows.append(("outside the period", requests.out_of_period, ""))
    rows += [
        (f"rejected: {words(r.reason)}", r.count, ", ".join(f"{e.file}:{e.line}" for e in r.examples[:3]))
        for r in document.rejected
    ]
    return table(
        "accounting",
        "Records read",
        (Column("Outcome"), count("Records"), Column("Examples", priority=Priority.SPARE)),
        rows,
    )


def notes(document: Document) -> Table:
    """Files, or parts of them, that were not read, and why."""
    return table(
        "notes", "Not read", (Column("File and reason", ColumnKind.PROSE),), ((note,) for note in document.notes)
    )


def unpriced(document: Document) -> Table:
    """Models without a known price."""
    return table(
        "unpriced",
        "Models without a price",
        (Column("Model"), Column("Provider"), count("Requests"), count("Tokens"), Column("Reason")),
        ((u.model, u.provider, u.requests, u.tokens, words(u.reason)) for u in document.unpriced_models),
    )


def reconciliation(document: Document) -> Table:
    """Costs the log states against those computed."""
    return table(
        "reconciliation",
        "Stated and computed cost",
        (
            Column("Model"),
            Column("Provider"),
            count("Requests"),
            money("Stated"),
            money("Computed"),
            money("Difference"),
            Column("Reason", priority=Priority.SPARE),
        ),
        (
            (r.model, r.provider, r.requests, r.stated, r.computed, r.difference, words(r.reason))
            for r in document.reconciliation
        ),
    )


def price_rows(document: Document) -> Table:
    """Price rows used, in currency per million tokens."""
    kinds = [kind for kind in TOKEN_TYPES if any(kind in row.rates for row in document.price_rows)]
    kinds += sorted({kind for row in document.price_rows for kind in row.rates} - set(TOKEN_TYPES))
    return table(
        "price_rows",
        f"Price rows used, {document.currency} per million tokens",
        (
            Column("Model"),
            Column("Provider", priority=Priority.SPARE),
            Column("Service tier", priority=Priority.SPARE),
            Column("Since"),
            Column("From tokens", ColumnKind.COUNT, priority=Priority.SPARE),
            *(
                Column(
                    words(kind).capitalize(),
                    ColumnKind.RATE,
                    priority=Priority.NORMAL if kind in _MAIN else Priority.SPARE,
                )
                for kind in kinds
            ),
            Column("Source", priority=Priority.SPARE),
            count("Requests"),
        ),
        (
            (
                p.model,
                p.provider,
                p.service_tier,
                p.since or "",
                p.context_from,
                *(p.rates.get(kind, "") for kind in kinds),
                f"{p.source}: {p.matched}",
                p.requests,
            )
            for p in document.price_rows
        ),
    )


def inputs(document: Document) -> Table:
    """Files read."""
    return table(
        "inputs",
        "Inputs",
        (
            Column("File"),
            Column("Format"),
            count("Records"),
            count("Bytes"),
            Column("SHA-256", priority=Priority.SPARE),
        ),
        ((i.path, i.format, i.records, i.bytes, i.sha256) for i in document.inputs),
    )


def fingerprints(document: Document) -> Table:
    """Fingerprints of everything that the figures depend on."""
    prints = document.fingerprints
    rows = [(name, getattr(prints, name)) for name in ("ledger", "prices", "policy", "classifier", "config")]
    rows.append((document.tool.name, document.tool.version))
    return table("fingerprints", "Fingerprints", (Column("Component"), Column("Fingerprint")), rows)
