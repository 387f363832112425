"""Workspaces: folders that all processes of an engine reach, and that an interrupted run goes on from."""

from __future__ import annotations

from llm_audit.engines.workspace.ingest import (
    clear_workspace,
    ingest_into,
    ingest_shard,
    merge_workspace,
    workspace_path,
)
from llm_audit.engines.workspace.plan import Part

__all__ = ["Part", "clear_workspace", "ingest_into", "ingest_shard", "merge_workspace", "workspace_path"]
