import os
import subprocess
import sys
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from llm_audit.catalog import Catalog, ladders, packaged_models
from llm_audit.catalog.catalog import worked_out
from llm_audit.catalog.known_abilities import ABILITY_COLUMNS, SD_COLUMNS, with_abilities
from llm_audit.catalog.tiers import with_tiers
from llm_audit.model_names import canonical
from llm_audit.pricing.price_table import find_listing
from llm_audit.vocabulary import Category


@pytest.fixture(scope="module")
def catalog():
    return Catalog.load()


@pytest.fixture(scope="module")
def model(catalog):
    rows = {row["model_id"]: row for row in catalog.frame.iter_rows(named=True)}
    return rows.__getitem__


def test_the_packaged_rows_are_those_that_the_tables_give():
    """Where they are not: python scripts/build_models.py"""
    assert_frame_equal(packaged_models(), worked_out(), rel_tol=1e-9, abs_tol=0)


def test_a_row_a_line_under_its_canonical_name(catalog):
    ids = catalog.frame["model_id"]
    assert ids.n_unique() == len(ids)
    assert ids.is_sorted()
    assert [name for name in ids if canonical(name) != name] == []


def test_what_developers_publish_of_their_models(model):
    haiku = model("claude-haiku-4-5")
    assert (haiku["family"], haiku["developer"], haiku["context_window"], haiku["max_output"]) == (
        "claude", "Anthropic", 200_000, 64_000,
    )  # fmt: skip
    assert (haiku["vision"], haiku["tools"], haiku["reasoning"], haiku["released"]) == (
        True, True, True, date(2025, 10, 15),
    )  # fmt: skip
    o1_mini = model("o1-mini")
    assert (o1_mini["vision"], o1_mini["tools"], o1_mini["reasoning"]) == (False, False, True)
    assert model("gpt-3.5-turbo")["json_schema"] is False
    assert model("gemini-1.5-pro")["audio"] is True
    assert model("gpt-4-32k")["retired"] == date(2025, 6, 6)


def test_capabilities_that_no_source_states_are_unknown(catalog):
    unknown = catalog.frame.filter(pl.col("vision").is_null())
    assert unknown.height > 0
    assert catalog.frame.filter(pl.col("home_provider").is_not_null(), kind="chat")["tools"].null_count() < 40


def test_names_in_logs_and_the_users_own_resolve_to_lines(catalog):
    assert catalog.resolve("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0") == "claude-haiku-4-5"
    assert catalog.resolve("azure", "gpt-4o-2024-08-06") == "gpt-4o"
    assert catalog.resolve(None, "our-model") is None
    assert catalog.resolve("openai", None) is None
    own = Catalog.load(aliases={"prod-*": "azure/gpt-4o-mini"})
    assert own.resolve("azure", "prod-chat") == "gpt-4o-mini"
    assert own.provider(None, "prod-chat") == "azure"
    assert catalog.provider("bedrock", "anything") == "aws"


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("gpt-4o-mini", "small"), ("gpt-4.1-nano", "small"), ("claude-haiku-4-5", "small"), ("nova-micro", "small"),
        ("gemini-2.5-flash-lite", "small"), ("phi-4", "small"), ("llama-3.1-8b-instruct", "small"),
        ("gpt-4o", "frontier"), ("claude-sonnet-4-5", "frontier"), ("claude-opus-4-1", "frontier"),
        ("gemini-2.5-pro", "frontier"), ("o1", "frontier"), ("o3-mini", "mid"), ("deepseek-reasoner", "mid"),
    ],
)  # fmt: skip
def test_tiers_of_well_known_models(model, name, tier):
    assert model(name)["tier"] == tier


def test_the_tier_rule_by_price_then_by_ability():
    def row(name, price, ability, year=2025):
        abilities = {f"ability_{category.value}": ability for category in Category}
        sds = {f"ability_{category.value}_sd": 0.1 for category in Category}
        return {"model_id": name, "kind": "chat", "released": date(year, 1, 2), "input_usd_per_mtok": price,
                "output_usd_per_mtok": price, **abilities, **sds}  # fmt: skip

    rows = [
        row("small", 0.5, 0.0), row("edge", 2.0, 0.0), row("between", 2.5, 0.0), row("dear", 3.01, 1.0),
        row("bargain", 0.5, 1.2), row("not-clearly", 0.5, 1.05), row("dud", 20.0, -0.5), row("older", 0.5, 1.2, 2023),
        row("unpriced", None, 3.0), row("unrated", 9.0, None),
    ]  # fmt: skip
    tiers = dict(with_tiers(pl.DataFrame(rows)).select("model_id", "tier").rows())
    assert tiers == {
        "small": "small", "edge": "small", "between": "mid", "dear": "frontier", "bargain": "mid", "dud": "mid",
        "not-clearly": "mid", "older": "small", "unpriced": None, "unrated": "frontier",
    }  # fmt: skip


def test_ladders_hold_the_families_cheapest_first_and_only_what_was_on_offer(catalog):
    every = ladders(catalog.frame)
    families = {"gpt", "claude", "gemini", "nova", "mistral", "deepseek", "llama", "phi"}
    assert families <= set(every)
    prices = {
        row["model_id"]: 3 * row["input_usd_per_mtok"] + row["output_usd_per_mtok"]
        for row in catalog.frame.drop_nulls("input_usd_per_mtok")
        .drop_nulls("output_usd_per_mtok")
        .iter_rows(named=True)
    }
    for steps in every.values():
        assert [prices[step] for step in steps] == sorted(prices[step] for step in steps)
    then = ladders(catalog.frame, at=date(2024, 12, 15))
    assert then["nova"] == ["nova-micro", "nova-lite", "nova-pro"]
    assert "claude-haiku-4-5" not in then["claude"]
    assert "claude-3-5-sonnet" in then["claude"]
    now = ladders(catalog.frame, at=date(2026, 11, 1))
    assert not {"claude-3-5-sonnet", "o1-mini", "gpt-4"} & {step for steps in now.values() for step in steps}


def test_every_step_of_the_main_ladders_can_be_priced_and_has_abilities(catalog, model):
    for family in ("gpt", "claude", "gemini", "nova", "mistral", "deepseek", "llama", "phi"):
        for step in ladders(catalog.frame)[family]:
            row = model(step)
            assert find_listing(row["home_provider"], row["home_model"].lower()) or step == "phi-4-reasoning"
            assert None not in [row[column] for column in (*ABILITY_COLUMNS, *SD_COLUMNS)]
            assert row["ability_source"]


def test_a_model_without_results_is_as_able_as_its_predecessor_and_less_surely(catalog):
    columns = ["model_id", "family", "kind", "home_provider", "released", "input_usd_per_mtok", "output_usd_per_mtok"]
    models = catalog.frame.filter(family="claude").select(columns)
    newer = [
        {"model_id": name, "family": "claude", "kind": "chat", "home_provider": "anthropic",
         "released": date(2025, 12, 1), "input_usd_per_mtok": price, "output_usd_per_mtok": 5 * price}
        for name, price in (("claude-newer-small", 0.9), ("claude-newer-large", 16.0))
    ]  # fmt: skip
    rated = with_abilities(
        pl.concat([models, pl.DataFrame(newer, schema=models.schema)]).with_columns(ability_as=pl.lit(None, pl.String))
    )
    rows = {row["model_id"]: row for row in rated.iter_rows(named=True)}
    small, haiku = rows["claude-newer-small"], rows["claude-haiku-4-5"]
    assert small["ability_source"] == "prior: as its predecessor claude-haiku-4-5"
    assert small["ability_math"] == haiku["ability_math"]
    assert small["ability_math_sd"] == pytest.approx((haiku["ability_math_sd"] ** 2 + 1) ** 0.5)
    assert (
        rows["claude-newer-large"]["ability_source"] == "prior: as its predecessor claude-opus-4-5"
    )  # it beats 4.1 at a lower price


def test_a_name_that_stands_for_another_line_has_its_abilities(model):
    assert model("deepseek-chat")["ability_source"].startswith("as deepseek-v3:")


def test_measured_shifts_move_abilities_and_narrow_them() -> None:
    known = Catalog.load(aliases={"prod": "gpt-4o-mini"})
    shifted = known.shifted({"gpt-4o-mini-2024-07-18": {"math": (0.5, 0.01)}, "no-such-model": {"math": (9.0, 0.0)}})
    row = pl.col("model_id") == "gpt-4o-mini"
    before, after = known.frame.row(by_predicate=row, named=True), shifted.frame.row(by_predicate=row, named=True)
    assert after["ability_math"] == pytest.approx(before["ability_math"] + 0.5)
    assert after["ability_math_sd"] == 0.01
    assert after["ability_code"] == before["ability_code"]
    assert after["ability_source"].endswith("calibrated by your own outcomes")
    others = pl.col("model_id") != "gpt-4o-mini"
    assert shifted.frame.filter(others).equals(known.frame.filter(others))
    assert shifted.resolve(None, "prod") == "gpt-4o-mini"


ABILITIES = """
import hashlib
from llm_audit.catalog import Catalog, language_shifts
frame = Catalog.load().frame
shifts = language_shifts(frame)
numbers = frame.select("tier", "^ability_.*$").write_csv().encode() + shifts.shift.tobytes() + shifts.sd.tobytes()
print(hashlib.sha256(numbers).hexdigest())
"""


def test_abilities_are_the_same_to_the_bit_with_any_number_of_threads():
    def found(threads: int) -> bytes:
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads)}
        command = [sys.executable, "-c", ABILITIES]
        return subprocess.run(command, env=environment, capture_output=True, check=True, timeout=120).stdout

    assert len({found(threads) for threads in (1, 2, 4)}) == 1
