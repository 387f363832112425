"""Rollups: what they sum, and that parts in any order give the whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from llm_audit.audit.aggregate.rollups import GROUPED, NANO, ROLLUPS, by, grouping, merge, roll_up, total
from llm_audit.ledger.schema import TOKEN_TYPES

DAY = dt.date(2026, 9, 1)
PICO = 10**12

_TEXT = ("provider", "model", "model_id", "tier", "team", "app", "environment", "category", "judged", "abstention")
_MORE_TEXT = ("unread_counts", "billing_key", "unpriced_reason", "outcome", "gate", "route_model_id", "usage_source")
_COUNTS = (
    *(f"{kind}_tokens" for kind in (*TOKEN_TYPES, "reasoning", "ambiguous", "unexplained")),
    *(f"cost_{kind}_pico" for kind in (*TOKEN_TYPES, "per_call")),
    *(f"{name}_pico" for name in ("cost", "expected", "saved", "ceiling", "floor", "kept_back", "escalation")),
    "stated_cost_pico",
)
_SCHEMA = (
    dict.fromkeys((*_TEXT, *_MORE_TEXT, "billing_basis", "status"), pl.String)
    | dict.fromkeys(_COUNTS, pl.Int64)
    | dict.fromkeys(("quality_loss", "p_suffices"), pl.Float64)
    | dict.fromkeys(("template_hash", "price_id", "conversation", "trace", "request_key"), pl.UInt64)
    | {"date": pl.Date, "difficulty": pl.Float32, "certain": pl.Boolean}
)
_ORDINARY: dict[str, Any] = {
    "date": DAY,
    "provider": "openai",
    "model": "gpt-5-2026",
    "model_id": "gpt-5",
    "team": "core",
    "app": "chat",
    "outcome": "no_saving",
    "billing_basis": "pay_as_you_go",
    "usage_source": "reported",
    "price_id": 1,
    "request_key": 1,
    "input_tokens": 10,
    "output_tokens": 4,
    "cost_input_pico": 20,
    "cost_output_pico": 12,
    "cost_pico": 32,
    "expected_pico": 32,
    "saved_pico": 0,
}
_MOVED = {
    "outcome": "moved",
    "route_model_id": "gpt-5-nano",
    "template_hash": 7,
    "expected_pico": 2,
    "saved_pico": 30,
    "quality_loss": 0.25,
    "p_suffices": 0.75,
}
_UNPRICED = dict.fromkeys(("price_id", *(name for name in _COUNTS if "_pico" in name))) | {
    "unpriced_reason": "no_model"
}


def requests(*given: dict[str, Any]) -> pl.DataFrame:
    """Return routed requests that differ from an ordinary one as given."""
    return pl.DataFrame([dict.fromkeys(_SCHEMA) | _ORDINARY | row for row in given], schema=_SCHEMA)


def rolled(*given: dict[str, Any], group_by: tuple[str, ...] = ()) -> dict[str, pl.DataFrame]:
    return merge([roll_up(requests(*given), group_by=group_by)], group_by=group_by)


def test_a_row_is_of_requests_with_the_same_keys():
    # Two that move from one model to another, and one of the same day and owner that stays and has no price.
    tables = rolled(_MOVED, _MOVED | {"app": "search"}, _UNPRICED)
    usage = tables["usage"].select("outcome", "requests", "priced", "moved", "tokens", "cost_pico", "saved_pico")
    assert usage.rows() == [("moved", 2, 2, 2, 28, 64, 60), ("no_saving", 1, 0, 0, 14, 0, 0)]
    daily = tables["daily"].select("date", "app", "has_price", "requests", "tokens", "cost_pico")
    assert daily.rows() == [
        (DAY, "chat", False, 1, 14, 0),
        (DAY, "chat", True, 1, 14, 32),
        (DAY, "search", True, 1, 14, 32),
    ]
    assert tables["template_days"].rows() == [(7, DAY, 60, 64), (None, DAY, 0, 0)]


def test_what_is_certain_is_counted_where_it_has_a_price():
    usage = rolled({"certain": True}, {"certain": False}, _UNPRICED | {"certain": True})["usage"]
    assert [total(usage, name) for name in ("requests", "priced", "certain")] == [3, 2, 1]


def test_losses_gains_and_probabilities_are_summed_in_billionths_of_moved_requests():
    (row,) = rolled(_MOVED, _MOVED | {"quality_loss": -0.5, "p_suffices": 1.0})["subjects"].to_dicts()
    assert (row["lost_nano"], row["gained_nano"], row["p_nano"]) == (NANO // 4, NANO // 2, 7 * NANO // 4)
    kept = rolled(_MOVED | {"outcome": "gated"})["subjects"]
    assert total(kept, "lost_nano") == total(kept, "p_nano") == 0


def test_amounts_in_doubt_are_priced_at_the_request_s_own_rates():
    # $2 an input and $3 an output token (pico-dollars): 5 tokens that may be counted twice; 4 that no count explains.
    usage = rolled(
        {"usage_source": "ambiguous", "ambiguous_tokens": 5},
        {"unexplained_tokens": 4},
        {"usage_source": "estimated", "stated_cost_pico": 40},
    )["usage"]
    names = ("ambiguous_tokens", "ambiguous_cost_pico", "unexplained_tokens", "unexplained_cost_pico")
    assert [total(usage, name) for name in names] == [5, 10, 4, 12]
    names = ("estimated_tokens", "estimated_cost_pico", "stated_requests", "stated_cost_pico", "stated_computed_pico")
    assert [total(usage, name) for name in names] == [14, 32, 1, 40, 32]


def test_reasoning_that_may_be_a_part_of_the_output_is_priced_as_output():
    usage = rolled({"usage_source": "ambiguous", "ambiguous_tokens": 5, "reasoning_tokens": 5})["usage"]
    assert total(usage, "ambiguous_cost_pico") == 15  # at $3


def test_bags_hold_conversations_whole_by_whether_they_are_billed():
    bucket = 4_096
    tables = rolled(
        {"conversation": 5, "saved_pico": 1},
        {"conversation": 5 + bucket, "saved_pico": 2, "billing_basis": "subscription"},
        {"conversation": 5 + 2 * bucket, "saved_pico": 4, "app": None},
        {"trace": 6, "saved_pico": 8},
    )
    assert tables["bags"].select("is_billed", "bucket", "saved_pico").rows() == [
        (False, 5, 2),
        (True, 5, 5),
        (True, 6, 8),
    ]
    assert tables["app_bags"].select("app", "bucket", "saved_pico").rows() == [
        ("chat", 5, 3),
        ("chat", 6, 8),
        (None, 5, 4),
    ]


def test_sums_may_pass_what_64_bits_hold():
    most = 2**63 - 1
    assert total(rolled(*[{"cost_pico": most}] * 3)["usage"], "cost_pico") == 3 * most


def test_parts_keep_sums_in_64_bits_where_they_fit_and_the_whole_in_128():
    most = 2**62
    given = [{"cost_pico": most, "expected_pico": -most, "saved_pico": 1}] * 2
    part = roll_up(requests(*given))
    kinds = {name: part["usage"].schema[name] for name in ("cost_pico", "expected_pico", "saved_pico", "tokens")}
    assert kinds == {"cost_pico": pl.Int128, "expected_pico": pl.Int128, "saved_pico": pl.Int64, "tokens": pl.Int64}
    whole = merge([part, roll_up(requests({"saved_pico": 2}))])
    assert [total(whole["usage"], name) for name in ("cost_pico", "saved_pico", "expected_pico")] == [
        2 * most + 32,
        4,
        32 - 2 * most,
    ]
    for name, table in whole.items():
        assert {table.schema[column] for column in ROLLUPS[name].sums} == {pl.Int128}


@pytest.mark.parametrize("columns", [(), ("status", "environment", "status")])
def test_parts_in_any_order_give_the_tables_of_the_whole(columns):
    rows = [
        {
            "date": None if at % 7 == 0 else DAY + dt.timedelta(days=at % 3),
            "app": "abc"[at % 3],
            "team": [None, "core"][at % 2],
        }
        | {"conversation": at // 2, "status": ["ok", "failed", None][at % 3], "cost_pico": at * PICO, "saved_pico": at}
        | (_MOVED if at % 5 == 0 else _UNPRICED if at % 5 == 1 else {})
        for at in range(60)
    ]
    whole = rolled(*rows, group_by=columns)
    parts = [roll_up(requests(*rows[at::3]), group_by=columns) for at in (2, 0, 1)]
    early = merge(parts[:2], group_by=columns)
    for found in (merge(parts, group_by=columns), merge([parts[2], early], group_by=columns)):
        assert list(found) == list(whole) == [*ROLLUPS, *map(grouping, ["status"] if columns else [])]
        for name, table in found.items():
            assert_frame_equal(table, whole[name])
    for table in whole.values():
        assert total(table, "saved_pico") == total(whole["usage"], "saved_pico")


def test_a_further_grouping_has_the_sums_that_groupings_show():
    found = rolled({"status": "ok"}, {"status": "failed"}, {"status": "ok"}, group_by=("status",))[grouping("status")]
    assert found.columns == ["status", *GROUPED]
    assert by(found, "status", sums=["requests"]).rows() == [("failed", 1), ("ok", 2)]
