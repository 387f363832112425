"""CSV with a row a request: usage, cost, judgement, and the policy's decision."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.report.flat import write_csv
from llm_audit.report.interface import Frames, Options
from llm_audit.report.rows import request_rows


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Write a row a request, with amounts in dollars."""
    return write_csv(request_rows(frames))
