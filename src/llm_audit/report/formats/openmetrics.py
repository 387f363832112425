"""OpenMetrics text: the model mix and the flagship tax as gauges, for a scraper or node-exporter's textfile collector.

Only gauges are used, which the older Prometheus text format reads too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from llm_audit.document.audit import Document, ModelMix
from llm_audit.report.interface import Frames, Options
from llm_audit.report.text import plain

_PER_MODEL = 4
"""Series that each model adds."""
OTHER = "other"


class Gauge(msgspec.Struct, frozen=True):
    """A metric family: name, unit, help and samples of labels and value."""

    name: str
    unit: str
    help: str
    samples: list[tuple[dict[str, str], float | int | str]]


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render the exposition. Models beyond ``options.max_series`` are summed under the name ``other``."""
    options = options or Options()
    lines: list[str] = []
    for gauge in gauges(document, options.max_series):
        name = f"llm_audit_{gauge.name}"
        lines += [f"# TYPE {name} gauge"]
        lines += [f"# UNIT {name} {gauge.unit}"] if gauge.unit else []
        lines += [f"# HELP {name} {gauge.help}"]
        lines += [f"{name}{_labels(labels)} {value}" for labels, value in gauge.samples]
    return "".join(f"{line}\n" for line in (*lines, "# EOF")).encode()


def gauges(document: Document, max_series: int) -> tuple[Gauge, ...]:
    """Return all metric families of a document, in their order."""
    return (*_totals(document), *_mix(document, max_series))


def _totals(document: Document) -> Iterable[Gauge]:
    cost, tax = document.cost, document.flagship_tax
    estimates = (("ceiling", tax.ceiling), ("expected", tax.expected), ("floor", tax.floor))
    bounds = (("low", tax.expected.low), ("high", tax.expected.high))
    yield Gauge("requests", "", "Requests audited.", [({}, document.requests.audited)])
    yield Gauge("records_rejected", "", "Records that could not be read.", [({}, document.requests.rejected)])
    unit = document.currency.lower()
    if cost.actual is not None:
        yield Gauge(f"cost_{unit}", unit, "Actual cost of the priced requests.", [({}, cost.actual)])
        yield from _billing(document)
    if document.knows_tax:
        taxes = [({"estimate": name}, e.amount) for name, e in estimates if e.amount is not None]
        yield Gauge(f"flagship_tax_{unit}", unit, "Actual cost less the policy's cost.", [*taxes])
        ends = [({"bound": name}, amount) for name, amount in bounds if amount is not None]
        yield Gauge(f"flagship_tax_interval_{unit}", unit, "Interval of the expected flagship tax.", [*ends])
        shares = [({"estimate": name}, e.share) for name, e in estimates if e.share is not None]
        yield Gauge("flagship_tax_ratio", "ratio", "Flagship tax as a share of actual cost.", [*shares])
    known = cost.priced_requests + cost.unpriced_requests
    if known:
        share = cost.unpriced_requests / known
        yield Gauge("unpriced_requests_ratio", "ratio", "Share of requests without a known price.", [({}, share)])
    yield from _answers(document)
    if tax.covered_share is not None:
        yield Gauge(
            "covered_cost_ratio",
            "ratio",
            "Share of cost that the policy could judge and route.",
            [({}, tax.covered_share)],
        )
    if document.period.end is not None:
        end = datetime.fromisoformat(document.period.end).timestamp()
        yield Gauge("period_end_timestamp_seconds", "seconds", "Time of the last request.", [({}, end)])


def _billing(document: Document) -> Iterable[Gauge]:
    """Yield what was billed and what an API would have charged, where the configuration declares which is which."""
    billing, unit = document.billing, document.currency.lower()
    if billing is None or not billing.declared:
        return
    parts = (("billed", billing.billed), ("api_equivalent", billing.api_equivalent))
    costs = [({"dollars": name}, part.cost) for name, part in parts if part is not None and part.cost is not None]
    yield Gauge(f"cost_by_billing_{unit}", unit, "Cost that was billed, and that an API would have charged.", [*costs])
    taxes = [
        ({"dollars": name}, part.flagship_tax)
        for name, part in parts
        if part is not None and part.flagship_tax is not None
    ]
    yield Gauge(f"flagship_tax_by_billing_{unit}", unit, "Flagship tax on each; they do not add up.", [*taxes])


def _answers(document: Document) -> Iterable[Gauge]:
    tax, unit = document.flagship_tax, document.currency.lower()
    if tax.quality is not None:
        found = tax.quality
        bounds = (("low", found.lost_per_1000_low), ("high", found.lost_per_1000_high))
        text = "Answers expected to be lost in a thousand moved requests, beyond a second run of the same model."
        yield Gauge("lost_answers_per_1000", "", text, [({}, found.lost_per_1000)])
        ends = [({"bound": name}, value) for name, value in bounds]
        yield Gauge("lost_answers_per_1000_interval", "", "Interval of the answers lost.", [*ends])
    if tax.preference is not None and tax.preference.gap is not None:
        text = "Share of readers who would prefer the models used to the routes, net, over moved requests."
        yield Gauge("preference_gap_ratio", "ratio", text, [({}, tax.preference.gap)])
    if tax.unmeasured is not None:
        text = "Further saving if unmeasured models hold up; no part of the flagship tax."
        yield Gauge(f"unmeasured_saving_{unit}", unit, text, [({}, tax.unmeasured.amount)])


def _mix(document: Document, max_series: int) -> Iterable[Gauge]:
    most = max(1, max_series // _PER_MODEL)
    models = document.model_mix
    shown, rest = (models, []) if len(models) <= most else (models[: most - 1], models[most - 1 :])
    rows = [(_names(m), m.requests, m.request_share, m.token_share, m.cost_share) for m in shown]
    if rest:
        known = [m.cost_share for m in rest if m.cost_share is not None]
        rows.append(
            (
                {"provider": OTHER, "model": OTHER, "tier": OTHER},
                sum(m.requests for m in rest),
                sum(m.request_share for m in rest),
                sum(m.token_share for m in rest),
                sum(known) if known else None,
            )
        )
    yield Gauge("model_requests", "", "Requests by model.", [(names, count) for names, count, *_ in rows])
    yield Gauge("model_requests_ratio", "ratio", "Share of requests by model.", [(n, s) for n, _, s, _, _ in rows])
    yield Gauge("model_tokens_ratio", "ratio", "Share of tokens by model.", [(n, s) for n, _, _, s, _ in rows])
    costs = [(n, s) for n, _, _, _, s in rows if s is not None]
    yield Gauge("model_cost_ratio", "ratio", "Share of cost by model.", [*costs])
    yield from _tiers(models)


def _tiers(models: list[ModelMix]) -> Iterable[Gauge]:
    sums: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
    for m in models:
        old = sums.get(m.tier, (Decimal(0), Decimal(0), Decimal(0)))
        new = (m.request_share, m.token_share, m.cost_share or 0.0)
        sums[m.tier] = (old[0] + Decimal(str(new[0])), old[1] + Decimal(str(new[1])), old[2] + Decimal(str(new[2])))
    priced = {m.tier for m in models if m.cost_share is not None}
    for index, of in enumerate(("requests", "tokens", "cost")):
        tiers = sorted(priced if of == "cost" else sums)
        samples = [({"tier": plain(tier)}, f"{sums[tier][index]:f}") for tier in tiers]
        yield Gauge(f"tier_{of}_ratio", "ratio", f"Share of {of} by tier.", [*samples])


def _names(m: ModelMix) -> dict[str, str]:
    return {"provider": plain(m.provider), "model": plain(m.model), "tier": plain(m.tier)}


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items()) + "}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
