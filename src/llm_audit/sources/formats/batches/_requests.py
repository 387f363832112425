"""Requests of batch APIs, which are billed at the batch price whatever their bodies say."""

from __future__ import annotations

from llm_audit.sources.entry import NotACall, NotCallReason, Request
from llm_audit.vocabulary import ServiceTier

NOT_SENT = NotACall(NotCallReason.NOT_SENT)
"""A line whose response never came (refused, cancelled, expired) is not billed."""


def batched(request: Request) -> Request:
    """Set the service tier of a request to batch, which only its file shows."""
    request.service_tier = ServiceTier.BATCH.value
    return request
