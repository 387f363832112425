import math

import polars as pl
import pytest

from llm_audit.audit.metrics import metrics
from llm_audit.ledger.schema import TOKEN_TYPES

USD = 10**12


def requests() -> pl.DataFrame:
    """Three clusters: two requests of $1 and $3, one of $4, and one without a price."""
    rows = [
        {
            "cluster": 1,
            "cost_pico": 1 * USD,
            "expected_pico": 1 * USD,
            "tier": "small",
            "model_label": "s",
            "team": "a",
        },
        {
            "cluster": 1,
            "cost_pico": 3 * USD,
            "expected_pico": 2 * USD,
            "tier": "frontier",
            "model_label": "f",
            "team": "a",
        },
        {
            "cluster": 2,
            "cost_pico": 4 * USD,
            "expected_pico": 1 * USD,
            "tier": "frontier",
            "model_label": "f",
            "team": "b",
        },
        {"cluster": 3, "cost_pico": None, "expected_pico": None, "tier": "unknown", "model_label": "x", "team": None},
    ]
    tokens = dict.fromkeys((f"{kind}_tokens" for kind in TOKEN_TYPES), 10)
    return pl.DataFrame(
        [row | tokens | {"app": None, "status": "ok", "judged": "scored"} for row in rows]
    ).with_columns(pl.col("app").cast(pl.String), status=pl.Series(["ok", "ok", "ok", "error"]))


def test_ratios_and_totals_with_their_cluster_errors() -> None:
    found = {metric.name: metric for metric in metrics(requests())}
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
    assert metrics(requests()) == metrics(requests().reverse())
