from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from tests.audit.build import assumed, catalog, ledger, many, rows

from llm_audit.audit.run import AuditOptions, run
from llm_audit.catalog import Catalog
from llm_audit.document.audit import decode, encode
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.ledger.manifest import Rejection, RejectionExample
from llm_audit.money import usd
from llm_audit.policy import load
from llm_audit.pricing import PriceBook

FAST = AuditOptions(resamples=50)


def audit(folder, frame, policy=None, *, models=None, options=FAST, **account):
    return run(
        ledger(folder, frame, **account),
        policy=policy or load("small-by-default"),
        catalog=models or Catalog.load(),
        book=PriceBook(),
        options=options,
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    return audit(tmp_path_factory.mktemp("mixed"), many(1_500), duplicates=3, skipped=2)


def dollars(amounts):
    return sum((Decimal(amount) for amount in amounts if amount is not None), Decimal(0))


def test_every_table_adds_up_to_the_whole(mixed):
    document = mixed.document
    actual = Decimal(document.cost.actual)
    assert dollars(document.cost.by_token_type.values()) == actual
    assert dollars(row.cost for row in document.coverage) == actual
    assert dollars(row.cost for row in document.model_mix) == actual
    assert dollars(row.cost for row in document.daily) == actual
    assert dollars(row.cost for row in document.spend) == actual
    assert dollars(row.actual_cost for row in document.routes) == actual
    for rows_ in document.groups.values():
        assert dollars(row.cost for row in rows_) == actual
        assert dollars(row.flagship_tax for row in rows_) == Decimal(document.flagship_tax.expected.amount)
        assert sum(row.requests for row in rows_) == 1_500
    assert sum(row.requests for row in document.coverage) == 1_500
    assert sum(row.request_share for row in document.model_mix) == pytest.approx(1, abs=1e-5)


def test_records_read_are_accounted_for(mixed):
    requests = mixed.document.requests
    assert requests.read == 1_505
    assert requests.read == requests.audited + requests.duplicates + requests.not_provider_calls + requests.rejected


def test_estimates_are_actual_minus_policy_cost(mixed):
    tax, actual = mixed.document.flagship_tax, Decimal(mixed.document.cost.actual)
    for estimate in (tax.ceiling, tax.expected, tax.floor):
        assert Decimal(estimate.amount) == actual - Decimal(estimate.policy_cost)
    assert Decimal(tax.floor.amount) <= Decimal(tax.expected.amount) <= Decimal(tax.ceiling.amount)
    assert Decimal(tax.expected.low) < Decimal(tax.expected.amount) < Decimal(tax.expected.high)
    assert {part.source for part in tax.expected.parts} == {"sampling", "model", "assumptions"}


def test_the_policy_in_use_is_on_its_frontier(mixed):
    used = [point for point in mixed.document.sensitivity.frontier if point.in_use]
    assert [point.flagship_tax for point in used] == [mixed.document.flagship_tax.expected.amount]
    assert used[0].lost_answers == mixed.document.flagship_tax.quality.lost_answers
    failures = [point.lost_answers or 0 for point in mixed.document.sensitivity.frontier]
    assert failures == sorted(failures)


def test_the_tornado_brackets_the_headline(mixed):
    amount = Decimal(mixed.document.flagship_tax.expected.amount)
    bars = mixed.document.sensitivity.tornado
    assert all(Decimal(bar.tax_at_low) <= amount <= Decimal(bar.tax_at_high) for bar in bars)
    widths = [Decimal(bar.tax_at_high) - Decimal(bar.tax_at_low) for bar in bars]
    assert widths == sorted(widths, reverse=True)


def test_findings_that_share_no_request_come_first_and_add_up_to_no_more_than_the_tax(mixed):
    found = mixed.document.findings
    apart = [finding for finding in found if not finding.overlaps]
    overlapping = found[len(apart) :]
    assert found[: len(apart)] == apart
    assert overlapping
    for part in (apart, overlapping):
        amounts = [Decimal(finding.amount) for finding in part]
        assert amounts == sorted(amounts, reverse=True)
    assert 0 < sum(finding.requests for finding in apart) <= mixed.document.flagship_tax.moved_requests
    assert dollars(finding.amount for finding in apart) <= Decimal(mixed.document.flagship_tax.expected.amount)
    assert all(Decimal(f.low) <= Decimal(f.amount) <= Decimal(f.high) for f in found if f.low and f.high)
    assert all("template" in f.subject for f in found if f.kind == "route_template")


def test_a_finding_of_several_routes_is_named_after_the_policy(tmp_path):
    easy = [{"difficulty": -6.0, "conversation": n} for n in range(40)]
    plain = audit(tmp_path / "a", rows(*easy), assumed(), models=catalog()).document.findings
    assert {f.title for f in plain if f.kind == "route_app"} == {"Move app chat from gpt-4o to gpt-4o-mini"}
    mini = [{**row, "model": "gpt-4.1-mini"} for row in easy[:10]]
    found = audit(tmp_path / "b", rows(*easy[10:], *mini), assumed(), models=catalog()).document.findings
    app = next(finding for finding in found if finding.kind == "route_app")
    assert app.title == "Route app chat by the policy (gpt-4o → gpt-4o-mini and 1 more)"
    # 30 requests save $0.0045 - $0.00027 each, 10 save $0.00072 - $0.00027.
    assert (app.amount, app.requests) == ("0.1314", 40)
    assert [f.amount for f in found if f.kind == "route_model"] == ["0.1269", "0.0045"]


def test_a_finding_s_interval_holds_the_errors_of_the_headline_s(tmp_path):
    # One app is the whole log, so its interval is the headline's own sum of errors.
    frame = rows(*({"difficulty": -2.0, "conversation": n} for n in range(200)))
    document = audit(tmp_path, frame, assumed(escalation=1.0), models=catalog(sd=0.5)).document
    tax = document.flagship_tax.expected
    app = next(finding for finding in document.findings if finding.kind == "route_app")
    assert app.amount == tax.amount
    assert [float(app.low), float(app.high)] == pytest.approx([float(tax.low), float(tax.high)], rel=1e-4)
    assert Decimal(app.high) - Decimal(app.low) > Decimal("0.01") * Decimal(app.amount)


def test_a_finding_s_interval_holds_its_amount_where_errors_are_all_against_it(tmp_path):
    frame = rows(*({"difficulty": -6.0, "conversation": n} for n in range(200)))
    more = "{ favourable = 1.0, expected = 1.0, pessimistic = 1.5 }"
    document = audit(tmp_path, frame, assumed(tokenizer_ratio=more), models=catalog(sd=0.0)).document
    app = next(finding for finding in document.findings if finding.kind == "route_app")
    assert Decimal(app.low) < Decimal(app.amount) <= Decimal(app.high)


def test_the_document_survives_being_written_and_read(mixed):
    data = encode(mixed.document)
    assert encode(decode(data)) == data


def test_the_order_of_rows_changes_no_byte(tmp_path, mixed):
    shuffled = many(1_500).sample(fraction=1.0, shuffle=True, seed=3)
    again = audit(tmp_path, shuffled, duplicates=3, skipped=2)
    assert encode(again.document) == encode(mixed.document)


def test_one_row_a_request_with_its_route(mixed):
    assert mixed.requests.height == 1_500
    assert {"cost_pico", "route_model_id", "expected_pico", "outcome", "p_suffices"} <= set(mixed.requests.columns)


@pytest.mark.parametrize(("used", "warned"), [("gpt-4o", True), ("gpt-4-turbo", False)])
def test_a_pair_that_the_log_does_not_use_is_a_warning(tmp_path, used, warned):
    toml = 'decision = "strong_wins"\nstrong_share = 0.5\n[ladders]\npair = ["gpt-4o-mini", "gpt-4-turbo"]'
    mixed_ = [{"model": used}, {"model": "claude-sonnet-4-5", "provider": "anthropic"}, {"operation": "embedding"}]
    document = audit(tmp_path, rows(*mixed_), assumed(toml), models=Catalog.load()).document
    found = [warning for warning in document.warnings if "No request used a model of the policy's ladders" in warning]
    assert len(found) == warned


def test_a_pair_that_most_of_the_cost_does_not_use_is_a_warning(tmp_path):
    toml = 'decision = "strong_wins"\nstrong_share = 0.5\n[ladders]\npair = ["gpt-4o-mini", "gpt-4o"]'
    outside = {"model": "claude-sonnet-4-5", "provider": "anthropic"}
    # $3 and $15 a million make 0.006 of the 1,000 and 200 tokens; gpt-4o takes 0.0045: 57 % and 40 % are outside.
    for rest, share in (([outside], ["57%"]), ([outside, {"model": "gpt-4o"}], [])):
        document = audit(tmp_path, rows({"model": "gpt-4o"}, *rest), assumed(toml), models=Catalog.load()).document
        found = [warning for warning in document.warnings if "outside the policy's ladders" in warning]
        assert [warning.split()[0] for warning in found] == share


def test_a_pair_that_is_no_longer_on_offer_is_a_warning(tmp_path):
    toml = 'decision = "always"\n[ladders]\npair = ["mixtral-8x7b-instruct", "gpt-4o"]'
    document = audit(tmp_path, rows({"model": "gpt-4o"}), assumed(toml), models=Catalog.load()).document
    assert [row.outcome for row in document.coverage] == ["not_offered"]
    assert any(
        w.startswith("100% of the cost could only move to models that were unavailable") for w in document.warnings
    )


def test_keeping_every_model_saves_nothing(tmp_path):
    tax = audit(tmp_path, many(300), load("keep")).document.flagship_tax
    assert [Decimal(e.amount) for e in (tax.ceiling, tax.expected, tax.floor)] == [0, 0, 0]
    assert tax.expected.low == tax.expected.high == "0.00"
    assert tax.quality is None


def test_a_tax_may_be_negative_and_is_not_clamped(tmp_path):
    frame = rows(*({"difficulty": -6.0, "conversation": n, "calls_tools": True} for n in range(40)))
    tax = audit(
        tmp_path, frame, assumed('decision = "always"', extra_steps=30.0), models=catalog()
    ).document.flagship_tax
    assert Decimal(tax.expected.amount) < 0
    assert Decimal(tax.expected.low) < 0


def test_nothing_to_audit_is_incomplete(tmp_path):
    with pytest.raises(IncompleteError, match="no request was read"):
        audit(tmp_path / "a", many(1).clear())
    with pytest.raises(IncompleteError, match="lies in the period"):
        audit(tmp_path / "b", many(10), options=AuditOptions(since="2030-01-01"))


def test_what_became_of_records_that_are_no_request_is_said(tmp_path):
    refused = [Rejection(reason="not_json", count=1_204, examples=[RejectionExample(file="bad.bin", line=1)])]
    with pytest.raises(IncompleteError) as told:
        audit(tmp_path, many(1).clear(), rejected=refused, skipped=1)
    assert str(told.value) == (
        "There is nothing to audit: no request was read: 1,204 records were rejected (1,204 not JSON, bad.bin:1), "
        "1 record was not a provider call (1 parent span). Correct or remove them. "
        "`llm-audit formats detect PATH` shows what each file is."
    )


def test_nothing_but_an_unknown_format_names_the_command_that_drafts_a_mapping(tmp_path):
    refused = [Rejection(reason="unknown_format", count=1, examples=[RejectionExample(file="odd.jsonl", line=1)])]
    with pytest.raises(
        IncompleteError, match=r"\(1 of no known log format, odd\.jsonl:1\)\. `llm-audit formats suggest"
    ):
        audit(tmp_path, many(1).clear(), rejected=refused)


def test_a_file_of_which_the_rest_is_missing_is_a_warning(tmp_path):
    refused = [
        Rejection(reason=reason, count=count, examples=[RejectionExample(file=file, line=7)])
        for reason, count, file in (("not_json", 3, "a"), ("truncated", 2, "b.gz"), ("unreadable", 1, "c"))
    ]
    document = audit(tmp_path, many(10), rejected=refused).document
    assert document.warnings[0] == (
        "How many records of these files are missing is not known, nor what they cost: "
        "2 cut off, first b.gz:7; 1 not readable, first c:7."
    )


def test_a_period_is_cut_in_the_zone_of_the_audit(tmp_path):
    times = [dt.datetime(2026, 9, 1, 21, 30, tzinfo=dt.UTC), dt.datetime(2026, 9, 1, 22, 30, tzinfo=dt.UTC)]
    frame = rows(*({"time": time} for time in times), {"time": None})
    options = AuditOptions(since="2026-09-02", until="2026-09-03", timezone="Europe/Berlin", resamples=5)
    document = audit(tmp_path, frame, options=options).document
    assert (document.requests.audited, document.requests.out_of_period) == (1, 2)
    assert document.period.start == "2026-09-02T00:30:00+02:00"
    assert [day.date for day in document.daily] == ["2026-09-02"]
    assert "Requests left out of the period because they have no time: 1." in document.warnings


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (AuditOptions(since="yesterday"), "2026-09-01"),
        (AuditOptions(since="2026-09-02", until="2026-09-01"), "empty"),
        (AuditOptions(timezone="Mars/Olympus"), "IANA"),
        (AuditOptions(confidence=1.0), "between 0 and 1"),
        (AuditOptions(resamples=0), "at least 1"),
        (AuditOptions(group_by=("tema",)), "Did you mean 'team'"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(tmp_path, options, says):
    with pytest.raises(UsageError, match=says):
        audit(tmp_path, many(10), options=options)


def test_groups_by_any_column_and_by_tag(tmp_path):
    frame = rows({"tags": "cost_center=a,x"}, {"tags": "cost_center=b"}, {"tags": None})
    options = AuditOptions(group_by=("user", "tag:cost_center"), resamples=5)
    groups = audit(tmp_path, frame, options=options).document.groups
    assert sorted(row.name for row in groups["tag:cost_center"]) == ["(none)", "a", "b"]
    assert [row.name for row in groups["user"]] == ["(none)"]


def test_each_group_says_how_much_of_its_cost_was_judged(tmp_path):
    frame = rows(
        {"team": "a"},
        {"team": "a"},
        {"team": "b"},
        {"team": "b", "operation": "embedding"},
        {"team": "c", "provider": "openai", "model": "made-up-model"},
    )
    document = audit(tmp_path, frame).document
    shares = {row.name: row.covered_share for row in document.groups["team"]}
    assert shares["a"] == 1
    assert 0 < shares["b"] < 1
    assert shares["c"] is None  # nothing of it has a price
    covered = sum(Decimal(row.cost) * Decimal(row.covered_share) for row in document.groups["team"] if row.cost)
    assert abs(covered - Decimal(document.flagship_tax.covered_cost)) < Decimal("1e-9")
    assert document.billing.billed.covered_share == document.flagship_tax.covered_share


def test_few_clusters_and_one_that_dominates_are_warned_of(tmp_path):
    frame = rows(*({"conversation": 1} for _ in range(50)), {"conversation": 2})
    warnings = audit(tmp_path, frame).document.flagship_tax.warnings
    assert any("Only 2 conversations" in warning for warning in warnings)
    assert any("98%" in warning for warning in warnings)


def test_an_unknown_cost_is_counted_and_never_zero(tmp_path):
    document = audit(tmp_path, rows({}, {"provider": "openai", "model": "made-up-model"})).document
    assert document.cost.unpriced_requests == 1
    assert [row.model for row in document.unpriced_models] == ["made-up-model"]
    unknown = next(row for row in document.model_mix if row.model == "made-up-model")
    assert unknown.cost is None


def test_what_has_no_price_at_all_has_no_amount(tmp_path):
    made_up = {"model": "made-up-model", "team": "new", "time": dt.datetime(2026, 9, 2, tzinfo=dt.UTC)}
    document = audit(tmp_path, rows({}, made_up), models=catalog()).document
    unpriced = next(row for row in document.coverage if row.outcome == "unpriced")
    assert (unpriced.requests, unpriced.cost, unpriced.cost_share) == (1, None, None)
    first, second = document.daily
    assert (first.cost, first.cost_by_tier) == ("0.0045", {"frontier": "0.0045"})
    assert (second.cost, second.policy_cost, second.cost_by_tier) == (None, None, {})
    new = next(row for row in document.groups["team"] if row.name == "new")
    assert (new.cost, new.cost_share, new.policy_cost, new.flagship_tax) == (None, None, None, None)
    assert sum(row.requests for row in document.routes) == 1


def test_the_log_s_own_costs_are_reconciled(tmp_path):
    document = audit(tmp_path, rows({"stated_cost_pico": 4_500_000_000}, {"stated_cost_pico": 2_250_000_000})).document
    row = document.reconciliation[0]
    assert (row.stated, row.computed, row.requests) == ("0.00675", "0.009", 2)
    assert document.cost.stated == "0.00675"


def test_the_interval_holds_that_of_every_source(tmp_path):
    stated = [{"conversation": n, "stated_cost_pico": 5_400_000_000} for n in range(200)]
    tax = audit(tmp_path, rows(*stated), assumed(), models=catalog()).document.flagship_tax.expected
    low, high = Decimal(tax.low), Decimal(tax.high)
    assert all(low <= Decimal(part.low) <= Decimal(part.high) <= high for part in tax.parts)
    price = next(part for part in tax.parts if part.source == "price")
    # $0.0054 stated for $0.0045 is a fifth: 90 % of normal errors are within 1.645 x 0.2 = 0.329 of the tax.
    half = (Decimal(price.high) - Decimal(price.low)) / 2 / Decimal(tax.amount)
    assert 0.25 < half < 0.41


def test_rejections_reach_the_document(tmp_path):
    refused = [Rejection(reason="not_json", count=4, examples=[RejectionExample(file="a.jsonl", line=7)])]
    document = audit(tmp_path, rows({}), rejected=refused).document
    assert (document.requests.read, document.requests.rejected) == (5, 4)
    assert document.rejected[0].examples[0].line == 7
    assert next(check for check in document.quality if check.check == "rejected").level == "warning"


def test_frames_add_up_to_the_document(mixed):
    for name, frame in mixed.frames.items():
        if "requests" in frame.columns:
            assert int(frame["requests"].sum()) == 1_500, name
            assert frame.schema["cost_pico"] == pl.Int128
        if "saved_pico" in frame.columns:
            assert usd(int(frame["saved_pico"].sum())) == mixed.document.flagship_tax.expected.amount, name


@pytest.mark.parametrize(("model", "count"), [("gpt_4o_mini", 2), ("gpt_4o", 3), ("gpt_4_1_mini", 0)])
def test_requests_whose_model_or_route_nobody_measured_are_counted(tmp_path, model, count):
    """Two of three requests to gpt-4o move to gpt-4o-mini; one is too hard to move."""
    given = rows({"difficulty": -6.0}, {"difficulty": -6.0}, {"difficulty": 2.0})
    known = catalog(**{model: {"ability_source": "prior: as its predecessor gpt-4"}})
    document = run(
        ledger(tmp_path, given), policy=assumed("target = 0.9"), catalog=known, book=PriceBook(), options=FAST
    ).document
    assert sum(route.requests for route in document.routes if route.to_model == "gpt-4o-mini") == 2
    found = next(check for check in document.quality if check.check == "unmeasured_ability")
    assert (found.count, found.level) == (count, "warning" if count else "ok")


def test_a_finding_on_a_template_names_all_apps_that_it_serves(tmp_path):
    common = {"difficulty": -6.0, "template_hash": 0xABCDEF12 << 32}
    served = [
        {**common, "app": app, "team": team, "conversation": number}
        for number, (app, team) in enumerate(
            [("chat", "core")] * 5 + [("search", "core")] * 3 + [("tutor", "care")] * 2
        )
    ]
    document = audit(tmp_path, rows(*served), assumed(), models=catalog()).document
    (found,) = (finding for finding in document.findings if finding.kind == "route_template")
    assert found.subject == "template abcdef12 of 3 apps"
    assert [(o.team, o.app, o.share) for o in found.owners] == [
        ("core", "chat", 0.5),
        ("core", "search", 0.3),
        ("care", "tutor", 0.2),
    ]
    assert found.effort == "high"
    assert found.monthly is None  # the log has one day
