"""The audit document: the one result every report renders, and the JSON that machines read.

``Document`` is both the type and the schema (``msgspec.json.schema`` publishes it). Amounts are decimal strings of
the document's currency (``money.usd``), shares are fractions of one rounded to 6 decimals, times are ISO 8601 in the
document's time zone, dates ISO dates. ``None`` is unknown. Lists are sorted as each field says, so the same input
gives the same bytes. Nothing here is prompt or completion text; names (models, teams, apps) come from the log and must
be escaped by every renderer.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from llm_audit.document.billing import Billing, BillingPart, BillingRow
from llm_audit.document.earlier import with_unknowns
from llm_audit.document.findings import Finding, Owner, Waste, WastePart
from llm_audit.document.judgement import LanguageRow, Stakes, StakesRow
from llm_audit.document.policy import (
    FEW_CLUSTERS,
    BreakEven,
    Coverage,
    Estimate,
    Expected,
    FlagshipTax,
    FrontierPoint,
    Gate,
    IntervalPart,
    ObservedPair,
    ObservedRouter,
    PolicyInfo,
    PolicyResult,
    PreferenceGap,
    Quality,
    Route,
    Sensitivity,
    TornadoBar,
    TraceRouting,
    Unmeasured,
)
from llm_audit.document.reading import read
from llm_audit.document.records import (
    CategoryRow,
    Classification,
    Example,
    Fingerprints,
    Input,
    Period,
    QualityCheck,
    ReasonCount,
    RejectedReason,
    Requests,
    Tokens,
    Tool,
)
from llm_audit.document.rhythm import DEPARTURES, CauseOwner, CausePart, Departure, MonthEnd, Projection, RunRate
from llm_audit.document.spend import (
    BasisRow,
    Cost,
    DailyMix,
    Day,
    GroupRow,
    Invoice,
    InvoiceLine,
    InvoiceMonth,
    Metric,
    ModelMix,
    PriceRow,
    Reconciliation,
    Spend,
    Spender,
    UnpricedModel,
)
from llm_audit.document.values import Number

__all__ = [
    "DEPARTURES",
    "FEW_CLUSTERS",
    "SCHEMA_VERSION",
    "BasisRow",
    "Billing",
    "BillingPart",
    "BillingRow",
    "BreakEven",
    "CategoryRow",
    "CauseOwner",
    "CausePart",
    "Classification",
    "Cost",
    "Coverage",
    "DailyMix",
    "Day",
    "Departure",
    "Document",
    "Estimate",
    "Example",
    "Expected",
    "Finding",
    "Fingerprints",
    "FlagshipTax",
    "FrontierPoint",
    "Gate",
    "GroupRow",
    "Input",
    "IntervalPart",
    "Invoice",
    "InvoiceLine",
    "InvoiceMonth",
    "LanguageRow",
    "Metric",
    "ModelMix",
    "MonthEnd",
    "ObservedPair",
    "ObservedRouter",
    "Owner",
    "Period",
    "PolicyInfo",
    "PolicyResult",
    "PreferenceGap",
    "PriceRow",
    "Projection",
    "Quality",
    "QualityCheck",
    "ReasonCount",
    "Reconciliation",
    "RejectedReason",
    "Requests",
    "Route",
    "RunRate",
    "Sensitivity",
    "Spend",
    "Spender",
    "Stakes",
    "StakesRow",
    "Tokens",
    "Tool",
    "TornadoBar",
    "TraceRouting",
    "Unmeasured",
    "UnpricedModel",
    "Waste",
    "WastePart",
    "decode",
    "encode",
]

SCHEMA_VERSION = "2.4"
"""Version of the JSON document.

The first number changes when a field is removed or changes its meaning, or when a value is renamed; the second when
fields or values are added. 2.0 renamed the outcome ``sufficed_by_none`` to ``no_capable_model``;
2.1 added preference gaps; 2.2 added the tie-out with an invoice, the run rate, departures from the log's rhythm, who
can carry out a finding and how, the largest users, tags, conversations and traces, and billing; 2.3 added
``sampling_rate``, unpriced requests and stated costs to the daily mix, and the parts of waste; 2.4 says of sums how
many requests they leave out, and what rows of the basis are priced by; since then costs are None where nothing has a
price, and what the policy would have cost, and the tax, where nothing could be judged and routed (see ``earlier``).
"""
_MAJOR, _, _MINOR = SCHEMA_VERSION.partition(".")
_NULLS_SINCE = 4  # the minor version that first has None for every cost and tax that is not known


class Document(msgspec.Struct, kw_only=True, frozen=True):
    """One audit."""

    schema_version: str
    tool: Tool
    command: str  # the command that reproduces it
    period: Period
    sampling_rate: Number = 1.0  # share of all requests that the logs are declared to hold; see ``RunRate``
    currency: str
    currency_note: str | None
    requests: Requests
    rejected: list[RejectedReason]
    not_provider_calls: list[ReasonCount]
    tokens: Tokens
    cost: Cost
    flagship_tax: FlagshipTax
    coverage: list[Coverage]
    model_mix: list[ModelMix]
    model_mix_daily: list[DailyMix]
    daily: list[Day]
    routes: list[Route]
    classification: Classification
    gates: list[Gate]
    groups: dict[str, list[GroupRow]]  # by team, app, model, category, template, environment; and --group-by
    spend: list[Spend] = msgspec.field(default_factory=list)
    spenders: dict[str, list[Spender]] = {}  # by user, tag:<key>, conversation and trace: the 20 of most cost, the rest
    findings: list[Finding]
    waste: list[Waste]
    unpriced_models: list[UnpricedModel]
    reconciliation: list[Reconciliation]
    price_rows: list[PriceRow]
    sensitivity: Sensitivity
    policy: PolicyInfo
    quality: list[QualityCheck]
    warnings: list[str]
    notes: list[str] = []  # files, or parts of them, that were not read, and why
    inputs: list[Input]
    fingerprints: Fingerprints
    trace_routing: TraceRouting | None = None
    break_even: list[BreakEven] = []
    observed_pairs: list[ObservedPair] = []  # most requests first
    observed_routers: list[ObservedRouter] = []  # most saved first
    stakes: Stakes | None = None  # None where no request was recognised as having any
    languages: list[LanguageRow] = []  # most cost first
    billing: Billing | None = None  # None in documents of versions before 2.3
    invoice: Invoice | None = None  # None where no invoice was given
    policies: list[PolicyResult] = []  # where several are simulated, in the order asked for
    run_rate: RunRate | None = None  # of what is billed by use, where anything is
    departures: list[Departure] = []  # by date
    metrics: list[Metric] = []
    basis: list[BasisRow] = []

    @property
    def knows_tax(self) -> bool:
        """Whether the flagship tax on all requests is known."""
        return self.flagship_tax.expected.amount is not None

    @property
    def knows_headline_tax(self) -> bool:
        """Whether the tax of the headline is known, which is of what is billed where not all requests are."""
        return self.knows_tax if self.apart is None else self.apart[0].flagship_tax is not None

    @property
    def apart(self) -> tuple[BillingPart, BillingPart] | None:
        """What is billed and what is not, whose dollars do not add up; None where not both occur."""
        billing = self.billing
        if billing is None or billing.billed is None or billing.api_equivalent is None:
            return None
        return billing.billed, billing.api_equivalent


_ROUNDING = Decimal("1e-6")  # of amounts in another currency


class _Version(msgspec.Struct, frozen=True):
    schema_version: str


def encode(document: Document) -> bytes:
    """Return the document as indented JSON with a closing newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def decode(data: bytes) -> Document:
    """Read a document back, of this major version; a later minor version may have fields that this one has not.

    One of an earlier minor version is returned as this one would write it, see ``earlier``.

    Raises:
        msgspec.DecodeError: It is not a document, or one of another major version; the message ends with the path of
            the field at fault.
    """
    # The version comes first: the fields of another one would fail with an error about a field.
    found = read(data, _Version, extra_fields=True).schema_version
    major, _, minor = found.partition(".")
    if major != _MAJOR or not minor.isdecimal():
        raise msgspec.ValidationError(
            f"its schema_version is {found[:40]!r}, and this version of llm-audit reads {SCHEMA_VERSION!r} - "
            "at `$.schema_version`"
        )
    document = read(data, Document, extra_fields=int(minor[:9]) > int(_MINOR))
    actual, parts = (
        Decimal(document.cost.actual or 0),
        sum(map(Decimal, document.cost.by_token_type.values()), Decimal()),
    )
    if abs(actual - parts) > _ROUNDING * (1 + abs(actual)):
        raise msgspec.ValidationError(
            f"{actual} is not the sum of `$.cost.by_token_type`, {parts} - at `$.cost.actual`"
        )
    return with_unknowns(document) if int(minor[:9]) < _NULLS_SINCE else document
