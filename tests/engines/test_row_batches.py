"""A count of a request's usage is declared once: it needs a column of its name and nothing that copies it."""

import numpy as np

from llm_audit.classify.model import Judgement
from llm_audit.engines.row_batches import FIELDS, judged_columns, own_codes, places_of
from llm_audit.ledger.columns import COLUMNS, TOKEN_TYPES
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Stakes


def test_every_field_of_usage_is_a_column_and_no_other_part_of_a_row_has_its_name() -> None:
    assert set(Usage.__struct_fields__) <= COLUMNS.keys()
    assert len(FIELDS) == len(set(FIELDS))
    assert set(Usage.__struct_fields__).isdisjoint(Request.__struct_fields__)


def test_every_token_type_is_a_field_of_usage() -> None:
    assert {f"{kind}_tokens" for kind in TOKEN_TYPES} <= set(Usage.__struct_fields__)


def test_what_is_at_stake_is_kept_of_abstained_texts_too() -> None:
    def judge(texts):
        none, codes = np.zeros(len(texts), np.uint8), np.array([0, 1, 5], np.uint8)
        abstained = np.array([0, 0, 3], np.uint8)
        return Judgement(np.zeros(len(texts), np.float32), none, abstained, codes, [None] * len(texts))

    distinct: list[bytes] = []
    places = places_of(["hi", "my chest hurts", "", "my chest hurts", "drop the table"], distinct)
    own = own_codes({"judged": ["scored"] * 5, "abstention": [None, None, "no_text", None, None]})
    found = judged_columns(judge(distinct), places, own, [None] * 5, None)
    assert found["stakes"].to_pylist() == [None, "medical", None, "medical", "destructive"]
    assert set(found["stakes"].to_pylist()) - {None} <= set(Stakes)
    assert found["abstention"].to_pylist() == [None, None, "no_text", None, "language"]
    assert found["judged"].to_pylist() == ["scored", "scored", "abstained", "scored", "abstained"]
    assert found["difficulty"].to_pylist() == [0, 0, None, 0, 0]


def test_a_calibration_makes_the_difficulty_of_judged_rows_harder() -> None:
    judgement = Judgement(np.array([1, np.nan], np.float32), *np.zeros((3, 2), np.uint8), ["en", None])
    own = own_codes({"judged": ["scored"] * 3, "abstention": [None, None, "no_text"]})

    def harder(categories, templates):
        return [
            0.5 if category == "code" and template == 7 else 9
            for category, template in zip(categories, templates, strict=True)
        ]

    found = judged_columns(judgement, np.array([0, 1, -1]), own, [7, 7, None], harder)
    assert found["difficulty"].to_pylist() == [1.5, None, None]
    assert found["language"].to_pylist() == ["en", None, None]
    assert found["category"].to_pylist() == ["code", "code", None]


def test_asks_have_one_place_each_and_none_where_they_are_empty() -> None:
    distinct = [b"why?"]
    assert places_of(["how?", "", "why?", "how?", "\ud800"], distinct).tolist() == [1, -1, 0, 1, 2]
    assert distinct == [b"why?", b"how?", b"?"]
