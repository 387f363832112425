"""The public API: what the command line does, for a notebook or a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_audit.api.audits import analyze, at_one_price, audit_ledger, compare_documents
from llm_audit.api.ledgers import open_ledger, update_ledger
from llm_audit.api.settings import audit_options, catalog, ingest_options, price_book, steps
from llm_audit.ledger import read_ledger

if TYPE_CHECKING:
    from llm_audit.notebook import Audit
    from llm_audit.policy import Policy
    from llm_audit.policy import load as load_policy

__all__ = [
    "Audit",
    "Policy",
    "analyze",
    "at_one_price",
    "audit_ledger",
    "audit_options",
    "catalog",
    "compare_documents",
    "ingest_options",
    "load_policy",
    "open_ledger",
    "price_book",
    "read_ledger",
    "steps",
    "update_ledger",
]


def __getattr__(name: str) -> Any:
    """Import on first use, so that an audit that is kept loads no more than it needs."""
    if name == "Audit":
        from llm_audit.notebook import Audit

        return Audit
    if name in {"Policy", "load_policy"}:
        from llm_audit import policy

        return policy.Policy if name == "Policy" else policy.load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
