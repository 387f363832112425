"""Questions of a log have the same answer for any number of partitions, in any order."""

from __future__ import annotations

from decimal import Decimal
from functools import cache, partial

import polars as pl
import pytest
from tests.audit.build import ledger
from tests.audit.test_partial import PERIOD, POLICIES, audited, in_any_order, mixed
from tests.ledger.partitions import partitioned

from llm_audit.audit.inspect.request import explain
from llm_audit.audit.inspect.trace import view_trace
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.parts import Job
from llm_audit.audit.simulate import simulate
from llm_audit.audit.simulation import routing
from llm_audit.audit.simulation.asked import Asked
from llm_audit.audit.simulation.known import Engine, by_stages, known_of_parts
from llm_audit.audit.simulation.what_if import Condition, WhatIf
from llm_audit.catalog import Catalog
from llm_audit.errors import IncompleteError, UsageError
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import parse
from llm_audit.pricing import PriceBook

MOVES = ("gpt-4o=gpt-4o-mini", "claude-opus-4-5=claude-sonnet-4-5,gemini-2.5-pro=gemini-2.5-flash")
COUNT = 240
PARTITIONS = (2, 5)


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The same requests in so many partitions."""
    one_input = mixed(COUNT, seed=5).with_columns(input=pl.lit(0, dtype=SCHEMA["input"]))
    whole = ledger(tmp_path_factory.mktemp("whole"), one_input)
    return cache(lambda count: whole if count == 1 else partitioned(whole, count, tmp_path_factory.mktemp("cut")))


@pytest.fixture(scope="module")
def audits(logs):
    """The audit of the whole log under a policy."""
    return cache(lambda policy: audited(logs(1), policy, billing=AuditOptions().billing))


def simulated(held, *names, where=(), engine=None, targets=(), moves=(), **period):
    known = Catalog.load()
    conditions = [Condition.parse(text) for text in where]
    return simulate(
        held,
        [POLICIES[name] for name in names],
        catalog=known,
        book=PriceBook(),
        options=AuditOptions(**period),
        targets=targets,
        what_ifs=[WhatIf.parse(text, conditions, catalog=known) for text in moves],
        engine=engine,
    )


def explained(held, request, policy, engine=None):
    tools = {"policy": POLICIES[policy], "catalog": Catalog.load(), "book": PriceBook()}
    return explain(held, request, engine=engine, **tools)


@pytest.mark.parametrize(
    ("count", "policies", "period"), [(2, tuple(POLICIES), PERIOD), (5, ("by trace", "small-by-default"), {})]
)
def test_policies_and_what_ifs_are_compared_alike_in_any_partitions(logs, count, policies, period):
    asked = {"where": ("tag:tier=1",), "targets": (10.0,), "moves": MOVES, **period}
    whole = simulated(logs(1), *policies, **asked)
    assert all(result.moved_requests for result in whole.policies)
    assert all(" kept: " in result.reason for result in whole.policies[len(policies) :])
    assert len(whole.frontier) == 2
    assert simulated(logs(count), *policies, **asked, engine=Engine(mapper=in_any_order(count))) == whole


# Routes that count fewer tokens are cheaper than at those of the log, and than in the pessimistic case.
FEWER = """
decision = "always"
[ladders]
any = ["gpt-4o-mini"]
[assumptions]
tokenizer_ratio = 0.5
escalation = { favourable = 0, expected = 1, pessimistic = 1 }
extra_steps = 0
"""


def test_a_policy_has_the_figures_of_its_audit(logs, audits, monkeypatch):
    monkeypatch.setitem(POLICIES, "fewer tokens", parse(FEWER, where="test policy"))
    for name, policy in POLICIES.items():
        tax = audits(name).document.flagship_tax
        (found,) = simulated(logs(1), name).policies
        assert found.name == policy.name
        assert (found.ceiling, found.flagship_tax, found.floor) == (
            tax.ceiling.amount,
            tax.expected.amount,
            tax.floor.amount,
        )
        assert Decimal(found.ceiling) >= Decimal(found.flagship_tax) >= Decimal(found.floor)


def test_a_value_that_no_request_has_is_named_with_the_nearest_of_all_partitions(logs):
    for count in (1, 5):
        with pytest.raises(UsageError, match="No request has app 'tutr', which --where asks for. Did you mean 'tutor'"):
            simulated(logs(count), "small-by-default", where=("app=tutr",), moves=MOVES[:1])


def test_a_period_without_requests_is_said(logs):
    for count in (1, 5):
        with pytest.raises(IncompleteError, match="nothing to simulate"):
            simulated(logs(count), "small-by-default", since="2030-01-01")


@pytest.mark.parametrize(("policy", "count"), [("small-by-default", 5), ("routellm", 2), ("by trace", 2)])
def test_a_request_is_explained_alike_in_any_partitions_and_as_it_was_audited(logs, audits, policy, count):
    rows = audits(policy).requests
    moved = rows.filter(rows["outcome"].cast(str) == "moved").sample(1, seed=1)
    warm = rows.filter(rows["cache_read_tokens"] > 0).sample(1, seed=2)
    for row in [*moved.iter_rows(named=True), *warm.iter_rows(named=True)]:
        whole = explained(logs(1), f"{row['request_key']:x}", policy)
        assert (whole.outcome, whole.route) == (row["outcome"], row["route_model_id"])
        estimates = [round(Decimal(estimate.total_usd) * 10**12) for estimate in whole.estimates]
        assert estimates == [row["ceiling_pico"], row["expected_pico"], row["floor_pico"]]
        assert explained(logs(count), f"{row['request_key']:x}", policy, Engine(mapper=in_any_order(count))) == whole


def test_a_trace_is_the_same_in_any_partitions(logs):
    traces = logs(1).frame["trace"].value_counts(sort=True).drop_nulls()["trace"].head(3)
    for trace in traces:
        tools = {"policy": POLICIES["by trace"], "catalog": Catalog.load(), "book": PriceBook()}
        whole, *cut = (view_trace(logs(count), f"{trace:x}", **tools) for count in (1, *PARTITIONS))
        assert len(whole.nodes) > 1
        assert cut == [whole] * len(PARTITIONS)


def test_partitions_that_share_no_template_with_a_request_are_not_routed(logs, monkeypatch):
    asked = Asked(policies=(POLICIES["small-by-default"],), partition=3, templates=frozenset({1}))
    read, before = [], routing.read_asked

    def counted(*given):
        read.append(given[2])
        return before(*given)

    monkeypatch.setattr(routing, "read_asked", counted)
    job = Job(
        ledger=logs(5), policy=asked.policies[0], catalog=Catalog.load(), book=PriceBook(), options=AuditOptions()
    )
    by_stages(job, asked, partial(known_of_parts, asked), engine=Engine())
    assert read == [3]
