"""Audit LLM traffic logs offline: what was spent, and what a small-by-default policy would have cost.

>>> import llm_audit
>>> audit = llm_audit.analyze("sample_logs/tutoring")
>>> audit.document.requests.audited
330
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.api import Audit, Policy, analyze, audit_ledger, load_policy, open_ledger, read_ledger, update_ledger

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "Policy",
    "__version__",
    "analyze",
    "audit_ledger",
    "load_policy",
    "open_ledger",
    "read_ledger",
    "update_ledger",
]


def __getattr__(name: str) -> Any:
    """Import the API when it is first used: the command line must start without it."""
    if name in __all__:
        from llm_audit import api

        return getattr(api, name)
    raise AttributeError(f"module 'llm_audit' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public API, and nothing else."""
    return sorted(__all__)
