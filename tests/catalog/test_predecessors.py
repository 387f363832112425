"""Predecessors of models without published results."""

from datetime import date

import polars as pl
import pytest

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, SD_COLUMNS
from llm_audit.catalog.predecessors import line, size, specialism, with_predecessors


def model(name, released, price, ability=None):
    return {
        "model_id": name, "family": "f", "kind": "chat", "home_provider": "p", "released": released,
        "input_usd_per_mtok": price, "output_usd_per_mtok": price, "ability_source": "published" if ability else None,
        **dict.fromkeys(ABILITY_COLUMNS, ability), **dict.fromkeys(SD_COLUMNS, 0.3 if ability else None),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("new", "predecessor"),
    [
        (model("mistral-tiny-4", date(2026, 1, 1), 9.0), "mistral-tiny-3"),  # its own line, whatever the price
        (model("devstral-tiny", date(2026, 1, 1), 0.2), "mistral-tiny-3"),  # not pixtral, though it is as cheap
        (model("pixtral-huge", date(2026, 1, 1), 0.2), "pixtral-12b"),  # a specialist of its kind
        (model("mistral-grand-3", date(2026, 1, 1), 4.0), "mistral-wide-2"),  # which beats mistral-grand-1
    ],
)
def test_the_predecessor_is_of_the_line_the_kind_and_unbeaten(new, predecessor):
    known = [
        model("mistral-tiny-3", date(2025, 1, 1), 0.5, 0.4),
        model("pixtral-12b", date(2025, 6, 1), 0.2, -1.0),
        model("mistral-grand-1", date(2024, 1, 1), 4.0, 0.6),
        model("mistral-wide-2", date(2025, 9, 1), 2.0, 0.9),
    ]
    found = with_predecessors(pl.DataFrame([*known, new], infer_schema_length=None))
    row = found.row(by_predicate=pl.col("model_id") == new["model_id"], named=True)
    assert row["ability_source"] == f"prior: as its predecessor {predecessor}"
    assert row["ability_code_sd"] == pytest.approx((0.3**2 + 1) ** 0.5)
    assert found.head(len(known)).equals(pl.DataFrame([*known, new], infer_schema_length=None).head(len(known)))


def test_a_line_keeps_the_predecessor_of_its_first_model():
    rows = [
        model("gpt-4-nano", date(2025, 1, 1), 0.1, 0.1),
        model("gpt-5-mini", date(2025, 6, 1), 0.4, 1.0),
        model("gpt-5.6-luna", date(2026, 1, 1), 0.4),
        model("gpt-6-luna", date(2026, 6, 1), 0.1),
    ]
    found = with_predecessors(pl.DataFrame(rows, infer_schema_length=None))["ability_source"].to_list()
    assert found[2:] == ["prior: as its predecessor gpt-5-mini"] * 2


def test_what_a_name_says():
    names = pl.DataFrame({"model_id": ["mistral-small-3.1-24b-instruct", "gpt-5.4-mini", "devstral-2512"]})
    assert names.select(line(), size().alias("size"), specialism().alias("kind")).rows() == [
        ("mistral small", "24b", None),
        ("gpt mini", None, None),
        ("devstral", None, "devstral"),
    ]
