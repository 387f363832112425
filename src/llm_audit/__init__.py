"""Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost."""

__version__ = "0.1.0"
