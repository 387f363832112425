"""Figures by billing basis, worked out by hand: a gpt-4o request costs $0.0045, and $0.00027 on gpt-4o-mini."""

import datetime as dt
from decimal import Decimal

import pytest
from tests.audit.build import START, assumed, catalog, ledger, rows

from llm_audit.audit.billing import Billing, Declaration
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.run import run
from llm_audit.audit.sections.by_basis import covered_months
from llm_audit.document.audit import Period
from llm_audit.pricing import PriceBook
from llm_audit.vocabulary import BillingBasis

EASY = {"difficulty": -6.0}
PLAN = Declaration(column="format", value="claude-code", basis=BillingBasis.SUBSCRIPTION, usd_per_month=Decimal("0.30"))
AZURE = Declaration(column="provider", value="azure", basis=BillingBasis.COMMITMENT)
RESEARCH = Declaration(column="team", value="research", basis=BillingBasis.OWN_KEY)


def audit(folder, frame, *declarations, sd=0.0, sampling_rate=1.0, **fixed):
    return run(
        ledger(folder, frame),
        policy=assumed(**fixed),
        catalog=catalog(sd=sd),
        book=PriceBook(),
        options=AuditOptions(resamples=60, billing=Billing(declarations), sampling_rate=sampling_rate),
    )


def traffic(**of_plan):
    """30 requests of an app on a key, and 10 of a coding agent; they last from the first to the last of September."""
    agent = {**EASY, "format": "claude-code", **of_plan}
    frame = [{**EASY, "conversation": 1 + n} for n in range(30)] + [
        {**agent, "conversation": 50 + n} for n in range(10)
    ]
    frame[-1]["time"] = START + dt.timedelta(days=29)
    return rows(*frame)


def test_nothing_declared_is_paid_as_it_goes_and_a_coding_agent_is_remarked_on(tmp_path):
    document = audit(tmp_path, traffic()).document
    billing = document.billing
    assert (billing.declared, billing.api_equivalent) == (False, None)
    assert [(row.basis, row.declared_by, row.requests, row.cost) for row in billing.rows] == [
        ("pay_as_you_go", None, 40, "0.18")
    ]
    assert billing.billed.expected is None
    assert (billing.billed.flagship_tax, billing.billed.policy_cost) == ("0.1692", "0.0108")
    remark = next(check for check in document.quality if check.check == "billing")
    assert (remark.level, remark.count, remark.share) == ("warning", 10, 0.25)
    assert '"format=claude-code" = "subscription"' in remark.message


def test_what_is_billed_and_what_is_not_are_never_added(tmp_path):
    billing = audit(tmp_path, traffic(), PLAN).document.billing
    assert [(row.basis, row.declared_by, row.requests, row.cost, row.flagship_tax) for row in billing.rows] == [
        ("pay_as_you_go", None, 30, "0.135", "0.1269"),
        ("subscription", "format=claude-code", 10, "0.045", "0.0423"),
    ]
    assert (billing.billed.cost, billing.billed.flagship_tax, billing.billed.share) == ("0.135", "0.1269", 0.94)
    equivalent = billing.api_equivalent
    assert (equivalent.cost, equivalent.policy_cost, equivalent.flagship_tax) == ("0.045", "0.0027", "0.0423")
    assert billing.billed.expected.amount == "0.1269"
    assert equivalent.expected is None
    # September is one month: $0.30 for the plan, and $0.045 at the prices of an API.
    assert billing.months == 1.0
    assert (billing.rows[1].plan_cost, billing.rows[1].leverage) == ("0.30", 0.15)


def test_the_leverage_of_a_plan_is_that_of_all_traffic(tmp_path):
    """Of 1 request in 10: $0.45 at the prices of an API, for a plan of $0.30; the cost stays that of the logs."""
    row = audit(tmp_path, traffic(), PLAN, sampling_rate=0.1).document.billing.rows[1]
    assert (row.cost, row.plan_cost, row.leverage) == ("0.045", "0.30", 1.5)


def test_a_declaration_ends_the_remark(tmp_path):
    document = audit(tmp_path, traffic(), PLAN).document
    assert next(check.level for check in document.quality if check.check == "billing") == "ok"
    assert not any("[billing]" in warning for warning in document.warnings)


def test_a_declaration_by_team_comes_before_one_by_format_and_that_before_one_by_provider(tmp_path):
    frame = rows(
        {"team": "research", "format": "claude-code", "provider": "azure"},
        {"format": "claude-code", "provider": "azure"},
        {"provider": "azure"},
        {"team": None},
    )
    for order in ((PLAN, AZURE, RESEARCH), (AZURE, RESEARCH, PLAN)):
        requests = audit(tmp_path / order[0].column, frame, *order).requests
        assert requests["billing_basis"].to_list() == ["own_key", "subscription", "commitment", "pay_as_you_go"]


def test_a_declaration_that_no_request_has_is_said(tmp_path):
    unknown = Declaration(column="team", value="reserch", basis=BillingBasis.FREE)
    warnings = audit(tmp_path, traffic(), PLAN, unknown).document.warnings
    assert [warning for warning in warnings if "[billing]" in warning] == [
        "[billing] declares team=reserch, but no request has such a name without another declaration that comes first."
    ]


def test_the_interval_of_what_is_billed_is_that_of_an_audit_without_the_rest(tmp_path):
    hard = [{"difficulty": -2.0 + n % 3 / 4, "conversation": 1 + n} for n in range(120)]
    agent = [{"difficulty": 0.5, "format": "claude-code", "conversation": 500 + n} for n in range(60)]
    both = audit(tmp_path / "both", rows(*hard, *agent), PLAN, sd=0.5, escalation=1.0, output_ratio=1.1).document
    alone = audit(tmp_path / "alone", rows(*hard), sd=0.5, escalation=1.0, output_ratio=1.1).document
    assert Decimal(alone.flagship_tax.expected.low) < Decimal(alone.flagship_tax.expected.high)
    assert both.billing.billed.expected == alone.flagship_tax.expected
    assert both.flagship_tax.expected != alone.flagship_tax.expected


def test_the_run_rate_is_of_what_is_billed(tmp_path):
    days = [{**EASY, "time": START + dt.timedelta(days=n // 4), "conversation": 1 + n} for n in range(80)]
    agent = [{**row, "format": "claude-code", "conversation": 500 + n} for n, row in enumerate(days)]
    both = audit(tmp_path / "both", rows(*days, *agent), PLAN).document.run_rate
    alone = audit(tmp_path / "alone", rows(*days)).document.run_rate
    assert both.monthly.amount == alone.monthly.amount
    # Four requests a day at $0.0045, of 365.25 / 12 days.
    assert float(both.monthly.amount) == pytest.approx(0.018 * 365.25 / 12)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-09-01T00:00:00+00:00", "2026-09-30T23:59:00+00:00", 1),
        ("2026-02-28T23:00:00+00:00", "2026-03-01T01:00:00+00:00", 1 / 28 + 1 / 31),
        ("2026-01-01T00:00:00+00:00", "2026-12-31T00:00:00+00:00", 12),
    ],
)
def test_each_day_counts_as_its_part_of_its_month(start, end, months):
    period = Period(start=start, end=end, days=1, timezone="UTC", undated_requests=0)
    assert float(covered_months(period)) == pytest.approx(months)


def test_a_log_without_times_covers_no_known_months(tmp_path):
    billing = audit(tmp_path, rows({"format": "claude-code"}, time=None), PLAN).document.billing
    assert billing.months is None
    assert (billing.rows[0].plan_cost, billing.rows[0].leverage) == (None, None)
    assert billing.billed is None
