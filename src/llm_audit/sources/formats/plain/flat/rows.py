"""What a custom record's values mean for a row of the ledger, by their bytes, for code that reads no record."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from llm_audit.sources.entry import Request
from llm_audit.sources.formats.interface import RowPlan
from llm_audit.sources.formats.plain.flat.fields import outcome, set_attribution
from llm_audit.sources.records.column_names import USUAL
from llm_audit.sources.records.fields import text

_decode = msgspec.json.Decoder().decode


def row_plan(columns: Mapping[str, str]) -> RowPlan:
    """Return the plan of lines with certain keys, by the column of each; names that are no column are not read."""
    kinds = tuple(column if column in USUAL else "other" for column in columns.values())
    return RowPlan(tuple(columns), kinds, name=_name, status=_status, metadata=_metadata)


def _name(raw: bytes) -> str | None:
    return text(_decode(raw))


def _status(raw: bytes) -> tuple[str, int | None]:
    return outcome(_decode(raw), None)


def _metadata(raw: bytes) -> Request:
    found = Request(model="")
    set_attribution(found, _decode(raw), None)
    return found
