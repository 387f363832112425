"""Check that an audit is complete enough to draw conclusions from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_audit.cli import console
from llm_audit.errors import ExitCode

if TYPE_CHECKING:
    from llm_audit.config import Config
    from llm_audit.document.audit import Document


def completeness(document: Document, config: Config) -> int:
    """Return 0, or 3 with the reasons on standard error: too much was rejected, or lacks a price."""
    requests, cost = document.requests, document.cost
    limits = (
        (
            requests.rejected,
            requests.read,
            config.max_rejected_share,
            "records were rejected",
            "max_rejected_share",
            "The report lists the reasons; correct the records or remove them.",
        ),
        (
            cost.unpriced_requests,
            requests.audited,
            config.max_unpriced_share,
            "requests have no known price",
            "max_unpriced_share",
            "Give the models' prices with --prices FILE; `llm-audit prices show MODEL` says what is known of one.",
        ),
    )
    incomplete = False
    for count, total, share, what, name, remedy in limits:
        if count > (0 if config.strict else share * total):
            limit = "--strict allows none" if config.strict else f"{name} is {share:g}"
            console.fail(f"The audit is incomplete: {count:,} of {total:,} {what}; {limit}. {remedy}")
            incomplete = True
    return int(ExitCode.INCOMPLETE if incomplete else ExitCode.DONE)
