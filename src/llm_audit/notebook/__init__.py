"""An audit as an object for a notebook or a script: frames, charts, and questions that go on from it."""

from __future__ import annotations

from llm_audit.notebook.audit import Audit, Inputs

__all__ = ["Audit", "Inputs"]
