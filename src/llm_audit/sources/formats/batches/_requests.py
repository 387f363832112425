"""Requests of batch APIs, which are billed at the batch price whatever their bodies say."""

from __future__ import annotations

from llm_audit.sources.entry import NotACall, NotCallReason, Request
from llm_audit.vocabulary import ServiceTier

NOT_SENT = NotACall(NotCallReason.NOT_SENT)
"""A line whose response never came (refused, cancelled, expired) is not billed."""


def batched(request: Request) -> Request:
    """Bill a request at the batch price, which only the file around its body tells."""
    request.service_tier = ServiceTier.BATCH.value
    return request
