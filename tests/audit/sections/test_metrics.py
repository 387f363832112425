import math
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from tests.audit.build import rows

from llm_audit.audit.aggregate import cluster_sums
from llm_audit.audit.aggregate.addition import add_all
from llm_audit.audit.aggregate.calls import read_calls
from llm_audit.audit.aggregate.metric_sums import Measured, MetricSums, untaxed_sums, with_tax
from llm_audit.audit.billing import Billing
from llm_audit.audit.sections import metrics as section
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.policy.inputs.requests import read_requests

USD = 10**12


def sums(*, backwards: bool = False, costs: Sequence[int] = ()) -> MetricSums:
    """Three clusters: two requests of $1 and $3, one of $4, and one without a price; or a cluster for each cost."""
    given = [
        {"conversation": 1, "model": "s", "team": "a", "cost_pico": 1 * USD, "tax": 0},
        {"conversation": 1, "model": "f", "team": "a", "cost_pico": 3 * USD, "tax": 1 * USD},
        {"conversation": 2, "model": "f", "team": "b", "cost_pico": 4 * USD, "tax": 3 * USD},
        {"conversation": 3, "model": "x", "team": None, "cost_pico": None, "tax": 0, "status": "error"},
    ]
    if costs:
        plain = {"model": "f", "team": "a", "tax": 0}
        given = [{**plain, "conversation": number, "cost_pico": cost} for number, cost in enumerate(costs)]
    given = given[::-1] if backwards else given
    tokens = dict.fromkeys((f"{kind}_tokens" for kind in TOKEN_TYPES), 10)
    frame = rows(*(row | tokens for row in given), app=None).with_columns(
        cost_pico=pl.Series([row["cost_pico"] for row in given], dtype=pl.Int64),
        cost_per_call_pico=pl.lit(0),
        model_id="model",
    )
    nothing = np.zeros(len(given), dtype=np.int64)
    labels = ["s", "f", "x"]
    measured = Measured(
        requests=read_requests(frame, {}, ()),
        calls=read_calls(frame.lazy().select, billing=Billing(), output_cost=nothing, write_cost=nothing),
        name=np.array([labels.index(row["model"]) for row in given], dtype=np.int32),
        tiers=["small", "frontier", "unknown"],
        labels=labels,
    )
    return with_tax(untaxed_sums(measured), measured, np.array([row["tax"] for row in given], dtype=np.int64))


def test_ratios_and_totals_with_their_cluster_errors() -> None:
    found = {metric.name: metric for metric in section.metrics(sums())}
    assert found["total_cost"].value == 8
    # Clusters cost 4, 4 and 0.
    assert found["total_cost"].stderr == pytest.approx(math.sqrt(32))
    # 8 dollars over 3 priced requests; residuals 4 - 2·8/3, 4 - 8/3 and 0.
    assert found["cost_per_request"].value == pytest.approx(8 / 3)
    assert found["cost_per_request"].stderr == pytest.approx(math.hypot(4 - 16 / 3, 4 - 8 / 3) / 3)
    assert found["flagship_tax"].value == 0.5
    assert found["flagship_tax_amount"].value == 4
    assert found["tokens_per_request"].value == 70
    assert found["unpriced_share"].value == 0.25
    assert found["failed_share"].value == 0.25
    assert found["cache_read_share"].value == pytest.approx(1 / 5)
    assert found["model_share[frontier]"].value == 0.5
    assert found["cost_share[frontier]"].value == pytest.approx(7 / 8)
    assert found["model_share[f]"].value == 0.5
    assert found["total_cost[team=b]"].value == 4
    assert found["cost_per_request[team=a]"].requests == 2
    assert found["total_cost"].clusters == 3


def test_order_does_not_matter() -> None:
    assert section.metrics(sums()) == section.metrics(sums(backwards=True))


def test_a_total_is_the_exact_sum_rounded_once() -> None:
    # 0.1 + 0.2 + … is not what it says in binary fractions; whole pico-dollars are.
    figures = sums(costs=[USD // 10 * (number + 1) + 123_450_000 for number in range(5)])
    found = {metric.name: metric for metric in section.metrics(figures)}
    assert found["total_cost"].value == 1.50061725


def test_what_only_rounding_leaves_is_no_error() -> None:
    # All of the cost is on one tier: the share is 1 in every cluster.
    found = {metric.name: metric for metric in section.metrics(sums(costs=[USD // 10, 2 * USD // 10, 4 * USD // 10]))}
    assert found["cost_share[frontier]"].stderr == 0


def test_sums_of_any_size_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sums()
    monkeypatch.setattr(cluster_sums, "COMPILED", False)
    assert sums() == found
    monkeypatch.setattr(cluster_sums, "_EXACT", 0.0)
    assert sums() == found


def test_parts_add_up() -> None:
    one, other = sums(costs=[USD, 2 * USD]), sums(costs=[3 * USD])
    both = section.metrics(add_all([one, other]))
    assert both == section.metrics(sums(costs=[USD, 2 * USD, 3 * USD]))
