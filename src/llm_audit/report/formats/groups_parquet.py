"""Parquet with a row a group: every dimension of the audit in one long table."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.flat import write_parquet
from llm_audit.report.interface import Frames, Options
from llm_audit.report.rows import group_rows


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Write a row for each group of each dimension."""
    return write_parquet(group_rows(document))
