"""A count of a request's usage is declared once: it needs a column of its name and nothing that copies it."""

from llm_audit.engines.row_batches import _FIELDS
from llm_audit.ledger.columns import COLUMNS, TOKEN_TYPES
from llm_audit.sources.entry import Request, Usage


def test_every_field_of_usage_is_a_column_and_no_other_part_of_a_row_has_its_name() -> None:
    assert set(Usage.__struct_fields__) <= COLUMNS.keys()
    assert len(_FIELDS) == len(set(_FIELDS))
    assert set(Usage.__struct_fields__).isdisjoint(Request.__struct_fields__)


def test_every_token_type_is_a_field_of_usage() -> None:
    assert {f"{kind}_tokens" for kind in TOKEN_TYPES} <= set(Usage.__struct_fields__)
