"""The ledger: the table of all requests, its parts, and their cache."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.ledger.manifest import Manifest
    from llm_audit.ledger.store import Ledger, is_ledger, read_ledger, write_ledger

__all__ = ["Ledger", "Manifest", "is_ledger", "read_ledger", "write_ledger"]


def __getattr__(name: str) -> Any:
    """Import on first use: the processes that read logs need this package's columns but not polars."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from llm_audit.ledger import manifest, store

    return getattr(manifest if name == "Manifest" else store, name)
