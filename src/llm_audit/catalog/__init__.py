"""The catalogue of models: families, tiers, capabilities, abilities and ladders."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.catalog.aliases import Aliases
    from llm_audit.catalog.catalog import Catalog, packaged_models
    from llm_audit.catalog.comparison import Ability, abilities, claims, parameters, router_claim
    from llm_audit.catalog.ladder import ladders
    from llm_audit.catalog.languages import LanguageShifts, language_shifts
    from llm_audit.catalog.preferences import LANGUAGES, Gap, Preferences, preference_gap, preferences_of, rated_as

__all__ = [
    "LANGUAGES",
    "Ability",
    "Aliases",
    "Catalog",
    "Gap",
    "LanguageShifts",
    "Preferences",
    "abilities",
    "claims",
    "ladders",
    "language_shifts",
    "packaged_models",
    "parameters",
    "preference_gap",
    "preferences_of",
    "rated_as",
    "router_claim",
]

_MODULES = {
    "Ability": "comparison",
    "Aliases": "aliases",
    "Catalog": "catalog",
    "Gap": "preferences",
    "LANGUAGES": "preferences",
    "Preferences": "preferences",
    "LanguageShifts": "languages",
    "abilities": "comparison",
    "claims": "comparison",
    "ladders": "ladder",
    "language_shifts": "languages",
    "packaged_models": "catalog",
    "parameters": "comparison",
    "preference_gap": "preferences",
    "preferences_of": "preferences",
    "rated_as": "preferences",
    "router_claim": "comparison",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that importing the package loads no data library."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
