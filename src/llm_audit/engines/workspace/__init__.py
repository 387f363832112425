"""Workspaces: folders that all processes of an engine reach, and that an interrupted run goes on from."""

from __future__ import annotations

from llm_audit.engines.workspace.ingest import (
    clear_workspace,
    ingest_into,
    ingest_shard,
    merge_workspace,
)
from llm_audit.engines.workspace.plan import Part
from llm_audit.engines.workspace.tables import UpdateOptions
from llm_audit.engines.workspace.update import update_ledger
from llm_audit.engines.workspace.upkeep import compact_ledger, damage_of_ledger, ledger_size

__all__ = [
    "Part",
    "UpdateOptions",
    "clear_workspace",
    "compact_ledger",
    "damage_of_ledger",
    "ingest_into",
    "ingest_shard",
    "ledger_size",
    "merge_workspace",
    "update_ledger",
]
