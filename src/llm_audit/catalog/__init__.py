"""The catalogue of models: families, tiers, capabilities, abilities and ladders.

Importing the package loads no data library; ``Catalog`` and ``ladders`` are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.catalog.catalog import Catalog
    from llm_audit.catalog.ladder import ladders

__all__ = ["Catalog", "ladders"]


def __getattr__(name: str) -> Any:
    if name == "Catalog":
        from llm_audit.catalog.catalog import Catalog

        return Catalog
    if name == "ladders":
        from llm_audit.catalog.ladder import ladders

        return ladders
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
