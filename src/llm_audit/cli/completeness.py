"""Check that an audit is complete enough to draw conclusions from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_audit.cli import console
from llm_audit.errors import ExitCode
from llm_audit.vocabulary import UNCOUNTED

if TYPE_CHECKING:
    from llm_audit.config import Config
    from llm_audit.document.audit import Document


def completeness(document: Document, config: Config) -> int:
    """Return 0, or 3 with the reasons on standard error: too much was rejected, lacks a price, or a file is cut off."""
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
    if not config.strict and config.max_rejected_share < 1 and (cut := _cut_files(document)):
        console.fail(
            f"The audit is incomplete: {cut}, and how many records are missing is not known. Give the whole files or "
            "leave them out; max_rejected_share = 1 allows it."
        )
        incomplete = True
    return int(ExitCode.INCOMPLETE if incomplete else ExitCode.DONE)


def _cut_files(document: Document) -> str:
    """Write how many files were not read to their end, with the first of each kind; "" where there are none."""
    found = [reason for reason in document.rejected if reason.reason in UNCOUNTED]
    return "; ".join(
        f"{reason.count:,} {'file is' if reason.count == 1 else 'files are'} {UNCOUNTED[reason.reason]}"
        + "".join(f" ({example.file}:{example.line})" for example in reason.examples[:1])
        for reason in found
    )
