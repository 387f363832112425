"""The ledger: the table of all requests, its parts, and their cache."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.ledger.cache_folder import cache_info, cache_problem, clear_cache
    from llm_audit.ledger.manifest import Manifest
    from llm_audit.ledger.part_cache import PartCache
    from llm_audit.ledger.store import Ledger, damaged_files, is_ledger, read_ledger, write_ledger
    from llm_audit.ledger.workspace import Workspace, remove_abandoned

__all__ = [
    "Ledger",
    "Manifest",
    "PartCache",
    "Workspace",
    "cache_info",
    "cache_problem",
    "clear_cache",
    "damaged_files",
    "is_ledger",
    "read_ledger",
    "remove_abandoned",
    "write_ledger",
]

_MODULES = {
    "Ledger": "store",
    "Manifest": "manifest",
    "PartCache": "part_cache",
    "Workspace": "workspace",
    "cache_info": "cache_folder",
    "cache_problem": "cache_folder",
    "clear_cache": "cache_folder",
    "damaged_files": "store",
    "is_ledger": "store",
    "read_ledger": "store",
    "remove_abandoned": "workspace",
    "write_ledger": "store",
}


def __getattr__(name: str) -> Any:
    """Import on first use: the processes that read logs need the columns of this package but not polars."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
