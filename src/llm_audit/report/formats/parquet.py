"""Parquet with a row a request (usage, cost, judgement and the policy's decision), or with a row a group."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.interface import Frames, Options
from llm_audit.report.spreadsheet.flat import write_parquet
from llm_audit.report.spreadsheet.rows import group_rows, request_rows


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Write a row a request, with amounts in whole pico-dollars (``_pico``) and 64-bit ids, as in the ledger."""
    return write_parquet(request_rows(frames))


def render_groups(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Write a row for each group of each dimension of the audit."""
    return write_parquet(group_rows(document))
