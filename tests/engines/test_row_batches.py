"""A count of a request's usage is declared once: it needs a column of its name and nothing that copies it."""

import numpy as np

from llm_audit.classify.model import Judgement
from llm_audit.engines.row_batches import _FIELDS, judgement_columns
from llm_audit.ledger.columns import COLUMNS, TOKEN_TYPES
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Stakes


def test_every_field_of_usage_is_a_column_and_no_other_part_of_a_row_has_its_name() -> None:
    assert set(Usage.__struct_fields__) <= COLUMNS.keys()
    assert len(_FIELDS) == len(set(_FIELDS))
    assert set(Usage.__struct_fields__).isdisjoint(Request.__struct_fields__)


def test_every_token_type_is_a_field_of_usage() -> None:
    assert {f"{kind}_tokens" for kind in TOKEN_TYPES} <= set(Usage.__struct_fields__)


def test_what_is_at_stake_is_kept_of_abstained_texts_too() -> None:
    def judge(texts):
        none, codes = np.zeros(len(texts), np.uint8), np.array([0, 1, 5], np.uint8)
        abstained = np.array([0, 0, 3], np.uint8)
        return Judgement(np.zeros(len(texts), np.float32), none, abstained, codes, [None] * len(texts))

    asks = ["hi", "my chest hurts", "", "my chest hurts", "drop the table"]
    found = judgement_columns(asks, ["scored"] * 5, [None, None, "no_text", None, None], judge)
    assert found["stakes"] == [None, "medical", None, "medical", "destructive"]
    assert set(found["stakes"]) - {None} <= set(Stakes)
