"""The sections of the HTML report: what each shows, in the order a reviewer reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, Comparison
from llm_audit.report.charts import routing as policy_charts
from llm_audit.report.charts import spend as spend_charts
from llm_audit.report.charts import variance as variance_charts
from llm_audit.report.charts.svg import Figure
from llm_audit.report.table import Table
from llm_audit.report.tables import check as check_tables
from llm_audit.report.tables import mix, spend, traces
from llm_audit.report.tables import quality as data
from llm_audit.report.tables import routing as policy
from llm_audit.report.text import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A chart with its table folded beside it, or a table alone."""

    tables: tuple[Table, ...]
    figure: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, a sentence on how to read it, and its parts. The lead is the program's own text."""

    key: str
    title: str
    lead: str
    parts: tuple[Part, ...]


def sections(document: Document, check: CheckResult | None) -> list[Section]:
    """Every section that has something to show."""
    made = [*_variance(check), *_spend(document, check), *_policy(document), *_data(document)]
    return [section for section in made if section.parts]


def _section(key: str, title: str, lead: str, parts: Iterable[Part]) -> Section:
    kept = (Part(figure=part.figure, tables=tuple(t for t in part.tables if t.rows)) for part in parts)
    return Section(key=key, title=title, lead=lead, parts=tuple(p for p in kept if p.figure or p.tables))


def _variance(check: CheckResult | None) -> Iterable[Section]:
    if check is None:
        return
    parts = [Part(tables=(check_tables.rules(check),))]
    lead = "Both sides are priced with one price table, and the parts of the change add up to it exactly."
    if check.comparison is not None:
        drawn = variance_charts.waterfall(check.comparison)
        parts.append(Part(figure=drawn, tables=(check_tables.variance(check.comparison),)))
        makers = (check_tables.sides, check_tables.groups, check_tables.metrics)
        parts += [Part(tables=(make(check.comparison),)) for make in makers]
        lead = " ".join(filter(None, (lead, check_tables.realised(check.comparison))))
    yield _section("variance", "Gates and the baseline", lead, parts)


def _comparison(check: CheckResult | None) -> list[Comparison]:
    return [check.comparison] if check is not None and check.comparison is not None else []


def _spend(document: Document, check: CheckResult | None) -> Iterable[Section]:
    yield _section(
        "daily",
        "Daily spend",
        "What was paid each day, by the tier of the model, and what the policy would have paid.",
        [Part(figure=spend_charts.daily(document), tables=(spend.daily(document),))],
    )
    yield _section(
        "model-mix",
        "Model mix",
        f"The share of each model and tier in requests, tokens and cost. {mix.leader(document)}".strip(),
        (
            Part(figure=spend_charts.models(document), tables=(spend.model_mix(document),)),
            Part(
                figure=spend_charts.mix_over_time(document),
                tables=(spend.tiers(document), mix.by_week(document), spend.daily_mix(document)),
            ),
            Part(tables=(mix.concentration(document),)),
            *(Part(tables=(check_tables.mix(compared),)) for compared in _comparison(check)),
        ),
    )
    yield _section(
        "groups",
        "By team and app",
        "Where the spend is, and where the flagship tax is.",
        (
            Part(figure=spend_charts.teams(document), tables=(spend.spend(document),)),
            *(Part(tables=(grouped,)) for grouped in spend.groups(document)),
        ),
    )


def _policy(document: Document) -> Iterable[Section]:
    yield _section(
        "findings",
        "Findings and routes",
        "What to change first. Findings on a template, its app and its model overlap, so their amounts do not add up.",
        (
            Part(tables=(policy.findings(document),)),
            Part(figure=policy_charts.flow(document), tables=(policy.routes(document),)),
        ),
    )
    yield _section(
        "sensitivity",
        "Cost, quality and assumptions",
        "A lower target saves more and risks more. Each assumption below is moved alone to its low and its high end.",
        (
            Part(figure=policy_charts.frontier(document), tables=(policy.frontier(document),)),
            Part(figure=policy_charts.tornado(document), tables=(policy.tornado(document),)),
        ),
    )
    yield _section(
        "traces",
        "Break-even and traces",
        "Where the policy stops paying, and what changes when each trace is routed as a whole: an answer expected to "
        "be lost makes all that depends on it run again, which is counted in both.",
        (
            Part(tables=(traces.break_even(document),)),
            Part(tables=(traces.routing(document),)),
            Part(tables=(traces.traces(document),)),
        ),
    )
    yield _section(
        "observed",
        "What the log shows of routing",
        "What two models cost on one template, the cheaper one's mean as a share of the dearer one's, beside what the "
        "policy expects where it moves requests between the two. Logs seldom choose a model at random, so this "
        "describes and does not prove: the requests differ too.",
        (Part(tables=(traces.pairs(document),)), Part(tables=(traces.routers(document),))),
    )
    yield _section(
        "tokens",
        "Tokens and waste",
        "Token types do not overlap. Waste is beside routing: it is not part of the flagship tax.",
        (Part(tables=(spend.tokens(document),)), Part(tables=(spend.waste(document),))),
    )
    yield _section(
        "coverage",
        "Coverage and gates",
        "What the policy could do with the spend, and what held it back.",
        (
            Part(tables=(policy.coverage(document),)),
            Part(tables=(policy.gates(document),)),
            Part(tables=(policy.categories(document),)),
            Part(tables=(policy.judged(document),)),
        ),
    )


def _data(document: Document) -> Iterable[Section]:
    yield _section(
        "quality",
        "Data quality",
        f"Every one of {plural(document.requests.read, 'record')} read is in one row of the records table.",
        (
            Part(tables=(data.quality(document),)),
            Part(tables=(data.accounting(document),)),
            Part(tables=(data.notes(document),)),
            Part(tables=(data.unpriced(document),)),
            Part(tables=(data.reconciliation(document),)),
        ),
    )


def appendix(document: Document) -> list[Section]:
    """Price rows, policy, fingerprints and inputs: what a reader needs to do it again."""
    made = (
        _section(
            "prices",
            "Price rows used",
            "List prices in force on the day of each request. A request whose model has none is in no amount.",
            [Part(tables=(data.price_rows(document),))],
        ),
        _section(
            "policy",
            "Policy",
            "The rules that the policy's cost follows from.",
            [Part(tables=(policy.policy(document),))],
        ),
        _section(
            "inputs",
            "Inputs and fingerprints",
            "The same inputs and fingerprints give this report again, byte for byte.",
            (Part(tables=(data.fingerprints(document),)), Part(tables=(data.inputs(document),))),
        ),
    )
    return [section for section in made if section.parts]
