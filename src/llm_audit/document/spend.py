"""Parts of the audit document that say what was used and paid. See ``document`` for their conventions."""

from __future__ import annotations

import msgspec

from llm_audit.document.values import Amount, Count, Number


class Cost(msgspec.Struct, kw_only=True, frozen=True):
    """What was paid; amounts are None, and ``by_token_type`` is empty, where no request has a price."""

    actual: Amount | None
    priced_requests: Count
    unpriced_requests: Count
    by_token_type: dict[str, Amount]  # token types and "per_call"
    stated: Amount | None  # what the log itself says, over the requests that say it
    stated_requests: Count
    estimated: Amount | None  # the part of actual that rests on estimated tokens
    ambiguous: Amount | None  # by how much actual may be too high because of ambiguous tokens


class ModelMix(msgspec.Struct, kw_only=True, frozen=True):
    provider: str
    model: str
    tier: str  # small, mid, frontier or unknown
    requests: Count
    request_share: Number
    tokens: Count
    token_share: Number
    cost: Amount | None
    cost_share: Number | None
    unpriced_requests: Count | None = None  # not in the cost; None in documents of versions before 2.4


class DailyMix(msgspec.Struct, kw_only=True, frozen=True):
    date: str
    model: str
    provider: str
    tier: str
    requests: Count
    tokens: Count
    cost: Amount | None
    unpriced_requests: Count | None = None  # None in documents of versions before 2.3
    stated: Amount | None = None  # what the log itself says, over the requests that say it


class Day(msgspec.Struct, kw_only=True, frozen=True):
    """One day; costs are ``None`` where no request has a price, and such a tier is absent.

    The policy's cost is None also where none of the day's requests could be judged and routed.
    """

    date: str
    requests: Count
    tokens: Count
    cost: Amount | None
    policy_cost: Amount | None
    cost_by_tier: dict[str, Amount]
    unpriced_requests: Count | None = None  # not in the cost; None in documents of versions before 2.4


class GroupRow(msgspec.Struct, kw_only=True, frozen=True):
    """One team, app, model, template, category or environment, most cost first; without any price, no amounts.

    The policy's cost and the tax are None also where none of its requests could be judged and routed.
    """

    name: str
    requests: Count
    tokens: Count
    cost: Amount | None
    cost_share: Number | None
    policy_cost: Amount | None
    flagship_tax: Amount | None
    unpriced_requests: Count
    moved_requests: Count
    covered_share: Number | None = None  # of the cost, of requests that could be judged and routed


class Spender(msgspec.Struct, kw_only=True, frozen=True):
    """A user, a tag's value, a conversation or a trace (by the hash of its id); without any price, no amounts.

    ``name`` is None where the row is the sum of ``others``. Of a conversation or a trace, ``apps`` and ``models`` are
    those of its requests, by name.
    """

    name: str | None
    others: Count = 0
    requests: Count
    cost: Amount | None
    cost_share: Number | None  # of the cost of all requests, those that name none included
    unpriced_requests: Count
    apps: list[str] = []
    models: list[str] = []


class Spend(msgspec.Struct, kw_only=True, frozen=True):
    """One team's use of one model through one app, most cost first; "" where the log names no team or app."""

    team: str
    app: str
    provider: str
    model: str
    tier: str
    requests: Count
    tokens: Count
    cost: Amount | None
    unpriced_requests: Count | None = None  # not in the cost; None in documents of versions before 2.4


class UnpricedModel(msgspec.Struct, kw_only=True, frozen=True):
    provider: str
    model: str
    requests: Count
    tokens: Count
    reason: str


class PriceRow(msgspec.Struct, kw_only=True, frozen=True):
    """A price row used, in dollars per million tokens as decimal strings."""

    provider: str
    model: str
    service_tier: str
    since: str | None  # effective date, where the source has one
    context_from: Count  # applies from this many input tokens in a request
    rates: dict[str, Amount]
    source: str  # genai-prices, overlay, user file
    matched: str  # the source's own id of the model
    requests: Count


class Reconciliation(msgspec.Struct, kw_only=True, frozen=True):
    """Stated against computed cost, by model, largest difference first."""

    provider: str
    model: str
    requests: Count
    stated: Amount
    computed: Amount
    difference: Amount
    reason: str


class InvoiceMonth(msgspec.Struct, kw_only=True, frozen=True):
    """One provider's month (UTC).

    ``listed`` less ``discount`` is ``computed``; ``invoiced`` less ``uncovered`` and ``computed`` is ``difference``.
    The first three are None where none of the requests has a price, and so is ``difference``.
    ``month`` is "" for requests without a time. Costs of the log are scaled to all traffic where it is a sample.
    """

    provider: str
    month: str
    requests: Count
    unpriced_requests: Count
    listed: Amount | None  # at published prices
    discount: Amount | None  # by the user's price files; negative is a surcharge
    computed: Amount | None
    stated: Amount | None  # what the log itself says, over the requests that say it
    invoiced: Amount | None  # None where no line of the invoice is of the provider
    uncovered: Amount | None  # the part of it on days without a request of the provider in the log
    difference: Amount | None
    reason: str


class InvoiceLine(msgspec.Struct, kw_only=True, frozen=True):
    """A line that is in no month: without a day, a known provider or an amount in dollars."""

    file: str
    line: Count
    amount: Amount | None
    reason: str


class Invoice(msgspec.Struct, kw_only=True, frozen=True):
    """Cost exports of providers, tied out with the log; months by provider, then time."""

    files: list[str]
    months: list[InvoiceMonth]
    left_out: list[InvoiceLine]


class Metric(msgspec.Struct, kw_only=True, frozen=True):
    """A figure that gates can hold, with the standard error of its cluster sampling.

    ``name`` may carry a selector, such as ``cost_per_request[team=search]``.
    """

    name: str
    unit: str  # USD, share or count
    value: Number | None  # None where it is unknown: nothing has a price, or could be judged
    stderr: Number | None  # None where nothing was sampled, such as a share of records rejected
    requests: Count
    clusters: Count

    @property
    def known_value(self) -> float:
        """Return the value, of a metric of which it was asked whether it is known."""
        assert self.value is not None, f"{self.name} is unknown"
        return self.value


class BasisRow(msgspec.Struct, kw_only=True, frozen=True):
    """Basis of comparisons: sums within one price row, so that pricing a sum again is exact."""

    provider: str
    model: str
    tier: str
    service_tier: str
    context_from: Count
    since: str | None
    first_day: str | None
    last_day: str | None = None
    team: str | None
    app: str | None
    requests: Count
    tokens: dict[str, Count]  # disjoint token types
    cost_by_type: dict[str, Amount]  # token types and "per_call"
    policy_cost: Amount | None  # None where none of the requests could be judged and routed: they keep their model
    # What pricing them again goes by, None in earlier documents: the name in the log, which may have a price of its own
    # beside its model's, the region, and the hash of the price row.
    logged_model: str | None = None
    region: str | None = None
    price_id: str | None = None
