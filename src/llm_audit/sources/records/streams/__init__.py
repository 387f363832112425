"""Streamed responses: server-sent events, or arrays of chunks, become the body that a plain call returns."""

from __future__ import annotations

from llm_audit.sources.records.streams.assemble import assemble, is_chunk, streamed_body
from llm_audit.sources.records.streams.events import events, is_stream, lines

__all__ = ["assemble", "events", "is_chunk", "is_stream", "lines", "streamed_body"]
