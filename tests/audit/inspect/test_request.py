from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from tests.audit.build import assumed, catalog, ledger, many, rows
from xxhash import xxh3_64_intdigest

from llm_audit.audit.inspect.request import explain
from llm_audit.audit.inspect.trace import view_trace
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.run import run
from llm_audit.audit.simulate import simulate
from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.policy import PRESETS, load, parse
from llm_audit.pricing import PriceBook


def test_one_request_can_be_worked_out_by_hand(tmp_path):
    request = {
        "request_id": xxh3_64_intdigest(b"call-1"),
        "difficulty": -1.3,
        "conversation": 5,
        "input_tokens": 400,
        "cache_read_tokens": 600,
    }
    made = ledger(tmp_path, rows(request))
    found = explain(made, "call-1", policy=assumed(escalation=1.0), catalog=catalog(), book=PriceBook())
    assert [(line.kind, line.tokens, line.rate_usd_per_mtok) for line in found.actual_lines] == [
        ("input", 400, "2.50"),
        ("cache_read", 600, "1.25"),
        ("output", 200, "10.00"),
    ]
    assert Decimal(found.actual_usd) == sum(Decimal(line.cost_usd) for line in found.actual_lines) == Decimal("0.00375")
    assert (found.cache_reads_logged, found.cache_reads_kept) == (600, 0)
    expected = found.estimates[1]
    assert [(line.kind, line.tokens) for line in expected.lines] == [("input", 1_000), ("output", 200)]
    # The repeat finds the old model's cache cold: 600 tokens are fresh input at $2.50, not reads at $1.25.
    lost = (1 - Decimal(str(expected.p_suffices))) * (Decimal("0.00375") + 600 * Decimal("1.25e-6"))
    assert Decimal(expected.run_usd) == 1_000 * Decimal("0.15e-6") + 200 * Decimal("0.60e-6")
    assert float(expected.escalation_usd) == pytest.approx(float(lost), rel=1e-5)
    parts = (expected.run_usd, expected.check_usd, expected.escalation_usd, expected.extra_steps_usd)
    assert sum(map(Decimal, parts)) == Decimal(expected.total_usd)
    assert [seen.model for seen in found.candidates if seen.chosen] == ["gpt-4o-mini"]
    assert found.category == "instruction"


def test_reasoning_and_further_steps_can_be_worked_out_by_hand(tmp_path):
    """Two steps of a loop move; ratios are 1.8 for reasoning and 1 for the rest, and 0.5 steps come with each."""
    steps = [
        {"calls_tools": True, "output_tokens": 300, "reasoning_tokens": 200, "difficulty": -6.0},
        {"answers_tools": True, "output_tokens": 100, "difficulty": -6.0, "request_id": xxh3_64_intdigest(b"second")},
    ]
    made = ledger(tmp_path, rows(*steps, trace=7, model="gpt-5", category="instruction"))
    policy = parse(
        'target = 0.5\nunmeasured = true\n[ladders]\na = ["gpt-5-nano", "gpt-5"]\n[assumptions]\noutput_ratio = 1\n'
        "reasoning_ratio = 1.8\nextra_steps = 0.5\nescalation = 0",
        where="test",
    )
    found = explain(made, "second", policy=policy, catalog=Catalog.load(), book=PriceBook())
    assert (found.outcome, found.route, found.reasoning_tokens) == ("moved", "gpt-5-nano", 0)
    expected = found.estimates[1]
    # $0.05 and $0.40 a million: 1,000 in and 100 out; the other has 100 visible and 200 x 1.8 reasoning tokens.
    second = 1_000 * Decimal("0.05e-6") + 100 * Decimal("0.40e-6")
    first = 1_000 * Decimal("0.05e-6") + 460 * Decimal("0.40e-6")
    assert Decimal(expected.run_usd) == second
    assert (expected.agent_steps, Decimal(expected.mean_step_usd)) == (2, (first + second) / 2)
    assert Decimal(expected.extra_steps_usd) == (first + second) / 4


@pytest.mark.parametrize(
    ("name", "number"), [("small-by-default", 4.0), ("bedrock-ipr", 0.1), ("keep", None), ("always-small", None)]
)
def test_an_explanation_says_what_the_policy_decides_by(tmp_path, name, number):
    made = ledger(tmp_path, rows({"request_id": xxh3_64_intdigest(b"one")}))
    found = explain(made, "one", policy=load(name), catalog=Catalog.load(), book=PriceBook())
    assert found.decided_by == number


def test_an_explanation_agrees_with_the_audit(tmp_path):
    made, policy, known = ledger(tmp_path, many(400)), load("small-by-default"), Catalog.load()
    audit = run(made, policy=policy, catalog=known, book=PriceBook(), options=AuditOptions(resamples=5))
    for row in audit.requests.sample(12, seed=4).iter_rows(named=True):
        found = explain(made, f"{row['request_key']:x}", policy=policy, catalog=known, book=PriceBook())
        assert found.outcome == row["outcome"]
        assert round(Decimal(found.estimates[1].total_usd) * 10**12) == row["expected_pico"]
        assert round(Decimal(found.estimates[0].total_usd) * 10**12) == row["ceiling_pico"]
        assert round(Decimal(found.estimates[2].total_usd) * 10**12) == row["floor_pico"]


def test_a_request_is_found_by_file_and_line_and_otherwise_said_to_be_missing(tmp_path):
    made = ledger(tmp_path, rows({}, {}))
    arguments = {"policy": assumed(), "catalog": catalog(), "book": PriceBook()}
    assert explain(made, "log.jsonl:2", **arguments).line == 2
    with pytest.raises(UsageError, match="There is no request"):
        explain(made, "nowhere", **arguments)


def test_a_trace_is_a_tree_whose_root_carries_all_below_it(tmp_path):
    steps = [
        {"span": 1, "turns": 1},
        {"span": 2, "parent_span": 1, "turns": 2, "difficulty": -6.0},
        {"span": 3, "parent_span": 2, "turns": 3, "difficulty": -6.0},
    ]
    made = ledger(tmp_path, rows(*steps, trace=xxh3_64_intdigest(b"t-1"), difficulty=-6.0))
    view = view_trace(made, "t-1", policy=assumed(), catalog=catalog(), book=PriceBook())
    assert [node.depth for node in view.nodes] == [0, 1, 2]
    assert view.nodes[0].downstream_usd == view.cost_usd == "0.0135"
    assert {node.route_per_trace for node in view.nodes} == {"gpt-4o-mini"}
    with pytest.raises(UsageError, match="There is no trace"):
        view_trace(made, "t-2", policy=assumed(), catalog=catalog(), book=PriceBook())


def test_policies_are_compared_on_one_reading(tmp_path):
    made = ledger(tmp_path, many(400))
    presets = ["small-by-default", "cheapest-capable", "always-small", "keep"]
    assert set(presets) < set(PRESETS)
    options = AuditOptions(resamples=5)
    done = simulate(
        made,
        [load(name) for name in presets],
        catalog=Catalog.load(),
        book=PriceBook(),
        options=options,
        targets=(0.5, 10.0),
    )
    by_name = {result.name: result for result in done.policies}
    assert list(by_name) == presets
    assert by_name["keep"].flagship_tax == "0.00"
    assert by_name["always-small"].lost_answers > by_name["small-by-default"].lost_answers
    assert Decimal(by_name["small-by-default"].policy_cost) + Decimal(
        by_name["small-by-default"].flagship_tax
    ) == Decimal(done.actual)
    audit = run(made, policy=load("small-by-default"), catalog=Catalog.load(), book=PriceBook(), options=options)
    assert by_name["small-by-default"].flagship_tax == audit.document.flagship_tax.expected.amount
    assert [point.in_use for point in done.frontier] == [False, True, False]


def test_templates_served_by_two_models_are_paired(tmp_path):
    frame = rows(
        *({"template_hash": 7, "conversation": n, "difficulty": -6.0} for n in range(6)),
        *({"template_hash": 7, "conversation": n, "model": "gpt-4o-mini", "output_tokens": 100} for n in range(6)),
    )
    audit = run(
        ledger(tmp_path, frame),
        policy=assumed(),
        catalog=catalog(),
        book=PriceBook(),
        options=AuditOptions(resamples=5),
    )
    pair = audit.document.observed_pairs[0]
    assert (pair.costlier, pair.cheaper, pair.requests_costlier, pair.requests_cheaper) == (
        "gpt-4o",
        "gpt-4o-mini",
        6,
        6,
    )
    assert pair.observed_output_ratio == 0.5
    assert pair.observed_cost_ratio == pytest.approx((150 + 60) / (2_500 + 2_000), abs=1e-6)
    assert pair.expected_cost_ratio == pytest.approx((150 + 120) / (2_500 + 2_000), abs=1e-6)
    assert audit.requests.filter(pl.col("outcome") == "moved").height == 6


def test_break_even_is_where_the_tax_is_nothing(tmp_path):
    frame = rows(*({"difficulty": -6.0, "conversation": n, "calls_tools": True} for n in range(4)))
    made = ledger(tmp_path, frame)
    options = AuditOptions(resamples=5)
    first = run(made, policy=assumed(extra_steps=1.0), catalog=catalog(), book=PriceBook(), options=options)
    limit = next(row for row in first.document.break_even if row.assumption == "extra_steps").break_even
    assert limit == pytest.approx((4_500 - 270) / 270, abs=1e-3)
    again = run(made, policy=assumed(extra_steps=limit), catalog=catalog(), book=PriceBook(), options=options)
    assert float(again.document.flagship_tax.expected.share) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("keep = true", "keeps its model"),
        ("max_quality_loss = 1", "loses at most 1 answer in 100"),
        ("max_quality_loss = 2.5\nmin_success = 0.9", "loses at most 2.5 answers in 100, P(success) at least 0.9"),
        ("keep = false", None),
    ],
)
def test_what_is_at_stake_and_what_the_policy_then_asks_are_named(tmp_path, limit, says):
    made = ledger(tmp_path, rows({"stakes": "legal"}, {}))
    policy = parse(f"target = 0.7\n[stakes.legal]\n{limit}", where="p")
    first, second = (
        explain(made, f"{key:x}", policy=policy, catalog=catalog(), book=PriceBook()) for key in (1000, 1001)
    )
    assert (first.stakes, first.stakes_limit) == ("legal", says)
    assert (second.stakes, second.stakes_limit) == (None, None)


def test_a_trace_states_no_cost_of_requests_without_a_price(tmp_path):
    linked = {"trace": xxh3_64_intdigest(b"t-1")}
    own = {"model": "no-such-model-9", "provider": "own"}

    def view(*given):
        made = ledger(tmp_path / str(len(given)), rows(*(row | linked for row in given)))
        return view_trace(made, "t-1", policy=assumed(), catalog=catalog(), book=PriceBook())

    some, none = view({}, own, {}), view(own, own)
    assert [node.cost_usd is None for node in some.nodes] == [False, True, False]
    assert (some.unpriced_requests, some.cost_usd is None) == (1, False)
    assert none.unpriced_requests == 2
    assert {none.cost_usd, none.policy_cost_per_request_usd, none.policy_cost_per_trace_usd} == {None}
    for node in none.nodes:
        assert {node.cost_usd, node.policy_cost_usd, node.downstream_usd, node.risk_usd} == {None}
