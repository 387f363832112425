"""Requests of published traffic traces: token counts and times, without prompts and without a model."""

from __future__ import annotations

from llm_audit.sources.entry import BadRecordError, Reason, Request
from llm_audit.sources.records.disjoint import disjoint_usage


def traffic_request(
    trace: str, *, input_tokens: int | None, output_tokens: int | None, time_us: int | None = None
) -> Request:
    """Build a request named after its trace, so that it is counted, named and left unpriced."""
    if input_tokens is None and output_tokens is None:
        raise BadRecordError(Reason.BAD_TOKENS, "tokens")
    request = Request(model=trace, time_us=time_us)
    request.usage = disjoint_usage(input_tokens, output_tokens)
    return request
