"""The catalogue of models: families, tiers, capabilities, abilities and ladders."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.catalog.aliases import Aliases
    from llm_audit.catalog.catalog import Catalog
    from llm_audit.catalog.comparison import Ability, abilities, claims, parameters
    from llm_audit.catalog.ladder import ladders
    from llm_audit.catalog.languages import LanguageShifts, language_shifts

__all__ = [
    "Ability",
    "Aliases",
    "Catalog",
    "LanguageShifts",
    "abilities",
    "claims",
    "ladders",
    "language_shifts",
    "parameters",
]

_MODULES = {
    "Ability": "comparison",
    "Aliases": "aliases",
    "Catalog": "catalog",
    "LanguageShifts": "languages",
    "abilities": "comparison",
    "claims": "comparison",
    "ladders": "ladder",
    "language_shifts": "languages",
    "parameters": "comparison",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing the package loads no data library."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
