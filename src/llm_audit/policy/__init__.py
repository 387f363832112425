"""Policies, gates and routes."""

from llm_audit.policy.file.load import PRESETS, load, parse
from llm_audit.policy.file.model import Policy
from llm_audit.policy.routes import route

__all__ = ["PRESETS", "Policy", "load", "parse", "route"]
