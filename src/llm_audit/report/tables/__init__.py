"""The document's sections as tables, in the order a report shows them."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.table import Table
from llm_audit.report.tables import answers, billing, invoice, judgement, mix, rhythm, spend, spenders, traces, waste
from llm_audit.report.tables import quality as data
from llm_audit.report.tables import routing as policy


def everything(document: Document) -> tuple[Table, ...]:
    """Every table, also the empty ones, in the order of the report."""
    first = (
        policy.estimates, policy.interval, billing.by_basis, invoice.tie_out, invoice.left_out, answers.answers,
        answers.unmeasured, policy.findings, policy.actions, rhythm.run_rate, rhythm.departures, spend.tiers,
        spend.model_mix, mix.by_week, mix.concentration, spend.daily, spend.daily_mix, spend.spend,
    )  # fmt: skip
    last = (
        policy.routes, answers.frontier, policy.tornado, traces.break_even, traces.routing, traces.traces, traces.pairs,
        traces.routers, spend.tokens, waste.waste, policy.coverage, policy.gates,
        judgement.stakes, policy.categories, policy.judged, data.quality, judgement.languages, data.accounting,
        data.notes, data.unpriced, data.reconciliation, data.price_rows, policy.policy, data.inputs, data.fingerprints,
    )  # fmt: skip
    return (
        *(make(document) for make in first),
        *spend.groups(document),
        *spenders.spenders(document),
        *(make(document) for make in last),
    )
