"""Parts of the audit document about who pays: what is billed by use, and what is only worth so much at API prices."""

from __future__ import annotations

import msgspec

from llm_audit.document.policy import Expected
from llm_audit.document.values import Amount, Count, Number


class BillingRow(msgspec.Struct, kw_only=True, frozen=True):
    """Requests of one declaration, or of none; amounts are at the prices of an API, None where no request has one;
    those of the policy also where none could be judged and routed.

    ``leverage`` is the cost at those prices for each dollar that the plan costs, scaled to all traffic where the log is
    a sample.
    """

    basis: str  # a value of vocabulary.BillingBasis
    declared_by: str | None  # such as format=claude-code; None where nothing is declared: pay as you go
    requests: Count
    unpriced_requests: Count
    cost: Amount | None
    policy_cost: Amount | None
    flagship_tax: Amount | None
    plan_cost: Amount | None  # over the months of the log, where the price of the plan is declared
    leverage: Number | None


class BillingPart(msgspec.Struct, kw_only=True, frozen=True):
    """Requests that are billed by use, or those that are not. The two parts are never added.

    The cost is None where none of them has a price, the policy's cost and the tax also where no priced request could be
    judged and routed.
    """

    requests: Count
    priced_requests: Count
    cost: Amount | None
    policy_cost: Amount | None
    flagship_tax: Amount | None
    share: Number | None  # of the tax in the cost
    covered_share: Number | None = None  # of the cost, of requests that could be judged and routed
    expected: Expected | None = None  # the tax with its interval, where both parts occur and this one is billed


class Billing(msgspec.Struct, kw_only=True, frozen=True):
    """Requests by billing basis, most cost first, those billed by use before the others."""

    declared: bool  # whether the configuration declares any basis
    months: Number | None  # that the log covers, each day as its part of its month; None without a dated request
    rows: list[BillingRow]
    billed: BillingPart | None  # None where no request is
    api_equivalent: BillingPart | None  # on a plan, on capacity bought or free: at the prices of an API
