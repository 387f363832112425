"""Engines that ingest shards: local processes, and the code that runs in each of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.engines.context import package_fingerprint
    from llm_audit.engines.executors import Executor, open_executor
    from llm_audit.engines.local import IngestOptions, ingest
    from llm_audit.engines.progress import Progress
    from llm_audit.engines.steps import opened_steps, over_steps, steps_folder
    from llm_audit.engines.workspace import (
        Part,
        UpdateOptions,
        clear_workspace,
        compact_ledger,
        damage_of_ledger,
        ingest_shard,
        ledger_size,
        merge_workspace,
        update_ledger,
    )

__all__ = [
    "Executor",
    "IngestOptions",
    "Part",
    "Progress",
    "UpdateOptions",
    "clear_workspace",
    "compact_ledger",
    "damage_of_ledger",
    "ingest",
    "ingest_shard",
    "ledger_size",
    "merge_workspace",
    "open_executor",
    "opened_steps",
    "over_steps",
    "package_fingerprint",
    "steps_folder",
    "update_ledger",
]

_MODULES = {
    "Executor": "executors",
    "IngestOptions": "local",
    "Part": "workspace",
    "Progress": "progress",
    "UpdateOptions": "workspace",
    "clear_workspace": "workspace",
    "compact_ledger": "workspace",
    "damage_of_ledger": "workspace",
    "ingest": "local",
    "ingest_shard": "workspace",
    "ledger_size": "workspace",
    "merge_workspace": "workspace",
    "open_executor": "executors",
    "opened_steps": "steps",
    "over_steps": "steps",
    "package_fingerprint": "context",
    "update_ledger": "workspace",
    "steps_folder": "steps",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that a reading process loads only the modules that it needs."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
