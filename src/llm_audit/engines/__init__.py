"""Engines that ingest shards: local processes, and the code that runs in each of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.engines.context import package_fingerprint
    from llm_audit.engines.local import IngestOptions, ingest
    from llm_audit.engines.pool import Progress

__all__ = [
    "IngestOptions",
    "Progress",
    "ingest",
    "package_fingerprint",
]

_MODULES = {"IngestOptions": "local", "Progress": "pool", "ingest": "local", "package_fingerprint": "context"}


def __getattr__(name: str) -> Any:
    """Import on first use, so that a reading process loads only the modules that it needs."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
