"""The catalogue's ability columns, by category."""

from __future__ import annotations

from llm_audit.vocabulary import Category

CATEGORIES: tuple[str, ...] = tuple(category.value for category in Category)
ABILITY_COLUMNS: tuple[str, ...] = tuple(f"ability_{category}" for category in CATEGORIES)
SD_COLUMNS: tuple[str, ...] = tuple(f"{column}_sd" for column in ABILITY_COLUMNS)
MEASURED_COLUMNS: tuple[str, ...] = tuple(f"measured_{category}" for category in CATEGORIES)
