"""Custom logs: one flat record for each call, under any of the usual column names."""

from llm_audit.sources.formats.plain.flat.adapter import FORMAT

__all__ = ["FORMAT"]
