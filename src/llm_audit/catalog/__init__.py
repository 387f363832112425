"""What is known of models: names, families, tiers, capabilities, abilities."""

from __future__ import annotations

from llm_audit.catalog.catalog import Catalog
from llm_audit.catalog.ladders import ladders

__all__ = ["Catalog", "ladders"]
