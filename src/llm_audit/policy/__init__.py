"""Policies, gates and routes."""

from llm_audit.policy.load import PRESETS, load, parse
from llm_audit.policy.model import Policy
from llm_audit.policy.route import route

__all__ = ["PRESETS", "Policy", "load", "parse", "route"]
