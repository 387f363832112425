"""The audit document as JSON, for machines."""

from __future__ import annotations

from llm_audit.document.audit import Document, encode
from llm_audit.report.interface import Frames, Options


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render indented JSON with a closing newline, with every name and amount unchanged."""
    return encode(document)
