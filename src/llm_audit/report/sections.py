"""The sections of the HTML report, in the order a reviewer reads them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, Comparison
from llm_audit.report.charts import flow, over_time, routing
from llm_audit.report.charts import spend as spend_charts
from llm_audit.report.charts import variance as variance_charts
from llm_audit.report.charts.svg import Figure
from llm_audit.report.table import Table
from llm_audit.report.tables import answers, billing, invoice, judgement, mix, rhythm, spend, spenders, traces, waste
from llm_audit.report.tables import check as check_tables
from llm_audit.report.tables import quality as data
from llm_audit.report.tables import routing as policy
from llm_audit.report.text import plain, plural

_PRINTED_GROUPS = ("team", "app")


class Block(msgspec.Struct, kw_only=True, frozen=True):
    """A chart with its figures in folded tables, or tables alone.

    ``printed`` tables are on paper too, cut to their first rows; by default those without a chart.
    """

    tables: tuple[Table, ...]
    figure: Figure | None = None
    printed: int | None = None

    def on_paper(self, index: int) -> bool:
        """Return whether a table is printed."""
        most = self.printed if self.printed is not None else 0 if self.figure else len(self.tables)
        return index < most


class Section(msgspec.Struct, kw_only=True, frozen=True):
    """A heading, a sentence on how to read it, and its blocks. The lead holds no name from a log.

    A section of details is on screen only, as are tables that do not print; the printed page names them.
    """

    key: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
    details: bool = False

    @property
    def left_out(self) -> list[Table]:
        """The tables that are not printed, though the section is."""
        return [full for block in self.blocks for index, full in enumerate(block.tables) if not block.on_paper(index)]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(len(full.rows) for block in self.blocks for full in block.tables)


def sections(document: Document, check: CheckResult | None) -> list[Section]:
    """Return every section that has something to show."""
    made = [*_variance(check), *_spend(document, check), *_invoice(document), *_policy(document), *_data(document)]
    return [section for section in made if section.blocks]


def _section(key: str, title: str, lead: str, blocks: Iterable[Block], *, details: bool = False) -> Section:
    filled = (replace(block, tables=tuple(full for full in block.tables if full.rows)) for block in blocks)
    kept = tuple(block for block in filled if block.figure or block.tables)
    return Section(key=key, title=title, lead=lead, blocks=kept, details=details)


def _variance(check: CheckResult | None) -> Iterable[Section]:
    if check is None:
        return
    blocks = [Block(tables=(check_tables.rules(check),))]
    lead = "Both audits are priced with the same price table, and the parts of the change add up to it exactly."
    if check.comparison is not None:
        drawn = variance_charts.waterfall(check.comparison)
        blocks.append(Block(figure=drawn, tables=(check_tables.variance(check.comparison),)))
        makers = (check_tables.sides, check_tables.groups, check_tables.metrics)
        blocks += [Block(tables=(make(check.comparison),)) for make in makers]
        notes = [plain(note, limit=400) for note in check.comparison.notes]
        lead = " ".join(filter(None, (lead, *notes, check_tables.realised(check.comparison))))
    yield _section("variance", "Gates and the baseline", lead, blocks)


def _comparison(check: CheckResult | None) -> list[Comparison]:
    return [check.comparison] if check is not None and check.comparison is not None else []


def _spend(document: Document, check: CheckResult | None) -> Iterable[Section]:
    yield _section(
        "daily",
        "Daily spend",
        "Actual cost by day and model tier, and the policy's cost. Days are unusual where they depart from "
        "the log's weekly rhythm; the parts of each difference add up to it.",
        [
            Block(figure=over_time.daily(document), tables=(spend.daily(document),)),
            Block(tables=(rhythm.departures(document),), printed=0),
            Block(tables=(rhythm.run_rate(document),), printed=0),
        ],
    )
    yield _section(
        "model-mix",
        "Model mix",
        f"The share of each model and tier in requests, tokens and cost. {mix.leader(document)}".strip(),
        (
            Block(figure=spend_charts.models(document), tables=(spend.model_mix(document),), printed=1),
            Block(
                figure=over_time.mix_over_time(document),
                tables=(spend.tiers(document), mix.by_week(document), spend.daily_mix(document)),
            ),
            Block(tables=(mix.concentration(document),), printed=0),
            *(Block(tables=(check_tables.mix(compared),), printed=0) for compared in _comparison(check)),
        ),
    )
    yield _section(
        "billing",
        "Billing",
        "Requests by the way they are paid for, at the prices of an API. Dollars that were billed and dollars that an "
        "API would have charged are never added; tables and charts of other sections show both at API prices.",
        (
            Block(
                tables=(billing.by_basis(document),),
                printed=int(document.billing is not None and document.billing.declared),
            ),
        ),
    )
    yield _section(
        "groups",
        "By team and app",
        "Spend and flagship tax by team, app and other groups.",
        (
            Block(figure=spend_charts.teams(document), tables=(spend.spend(document),)),
            *(
                Block(tables=(grouped,), printed=int(dimension in _PRINTED_GROUPS))
                for dimension, grouped in zip(document.groups, spend.groups(document), strict=True)
            ),
            *(Block(tables=(listed,), printed=0) for listed in spenders.spenders(document)),
        ),
    )


def _invoice(document: Document) -> Iterable[Section]:
    yield _section(
        "invoice",
        "Reconciliation with the invoice",
        invoice.lead(document),
        [Block(tables=(make(document),)) for make in (invoice.tie_out, invoice.not_invoiced, invoice.left_out)],
    )


def _policy(document: Document) -> Iterable[Section]:
    yield _section(
        "findings",
        "Findings and routes",
        "Findings that share no requests come first, the largest at the top, then those that overlap with them, such "
        "as a template of an app: their amounts do not add up. A kept request can cost more under the policy where "
        "moved requests no longer warm its prompt cache, and a moved one where its route takes more tokens than a "
        "router can foresee.",
        (
            Block(tables=(policy.findings(document), policy.actions(document)), printed=1),
            Block(figure=flow.flow(document), tables=(policy.routes(document),)),
        ),
    )
    yield _section(
        "sensitivity",
        "Cost, quality and assumptions",
        "Moving more requests saves more but is expected to lose more answers. "
        "Each assumption is varied on its own between its low and high ends.",
        (
            Block(figure=routing.frontier(document), tables=(answers.frontier(document),)),
            Block(figure=routing.tornado(document), tables=(policy.tornado(document),)),
        ),
    )
    yield _section(
        "traces",
        "Break-even and traces",
        "The values of the assumptions at which the policy stops saving money, and the effect of routing each trace as "
        "a unit. When an answer is expected to fail, everything that depends on it runs again; both ways of routing "
        "include that cost.",
        (
            Block(tables=(traces.break_even(document),)),
            Block(tables=(traces.routing(document),)),
            Block(tables=(traces.traces(document),)),
        ),
        details=True,
    )
    yield _section(
        "observed",
        "Routing observed in the logs",
        "Templates served by two models: the cheaper model's means as shares of the more expensive model's, and the "
        "share of cost that the policy expects where it moves requests from one to the other. Models are rarely "
        "assigned at random, so the requests differ too, and the comparison does not prove a saving.",
        (Block(tables=(traces.pairs(document),)), Block(tables=(traces.routers(document),))),
        details=True,
    )
    yield _section(
        "tokens",
        "Tokens and waste",
        "Token types do not overlap. Waste is unrelated to routing and is not part of the flagship tax.",
        (Block(tables=(spend.tokens(document),)), Block(tables=(waste.waste(document),))),
    )
    yield _section(
        "coverage",
        "Coverage and gates",
        "The spend that the policy could route, and the reasons why it could not route the rest.",
        (
            Block(tables=(policy.coverage(document),)),
            Block(tables=(policy.gates(document),), printed=0),
            Block(tables=(judgement.stakes(document),), printed=0),
            Block(tables=(policy.categories(document), policy.judged(document)), printed=0),
        ),
    )


def _data(document: Document) -> Iterable[Section]:
    yield _section(
        "quality",
        "Data quality",
        f"{plural(document.requests.read, 'record')} read, each counted in exactly one row of the records table.",
        (
            Block(tables=(data.quality(document),)),
            Block(tables=(judgement.languages(document),), printed=0),
            Block(tables=(data.accounting(document),), printed=0),
            Block(tables=(data.notes(document), data.unpriced(document), data.reconciliation(document)), printed=0),
        ),
    )


def appendix(document: Document) -> list[Section]:
    """Return the price rows, policy, fingerprints and inputs that reproduce the audit."""
    made = (
        _section(
            "prices",
            "Price rows used",
            "List prices on the day of each request. Requests without a known price are not in any amount.",
            [Block(tables=(data.price_rows(document),))],
            details=True,
        ),
        _section(
            "policy",
            "Policy",
            "The settings that the policy's cost is computed from.",
            [Block(tables=(policy.policy(document),))],
            details=True,
        ),
        _section(
            "inputs",
            "Inputs and fingerprints",
            "The same inputs and fingerprints produce this report again, byte for byte.",
            (Block(tables=(data.fingerprints(document),)), Block(tables=(data.inputs(document),))),
            details=True,
        ),
    )
    return [section for section in made if section.blocks]
