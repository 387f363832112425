"""The document itself, for machines."""

from __future__ import annotations

from llm_audit.document.audit import Document, encode
from llm_audit.report.interface import Frames, Options


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Indented JSON with a closing newline; every name and amount as it is."""
    return encode(document)
