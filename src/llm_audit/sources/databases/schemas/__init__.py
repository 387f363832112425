"""Known schemas: a module a product, with its ``SCHEMAS``. They are found, not listed."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from llm_audit.sources.databases.schema import Schema

SCHEMAS: tuple[Schema, ...] = tuple(
    schema
    for module in sorted(module.name for module in iter_modules(__path__))
    for schema in import_module(f"{__name__}.{module}").SCHEMAS
)
"""All of them, by module and, within one, in the order in which they are tried."""


def checked() -> dict[str, list[str]]:
    """Return the databases that hold records of each format, and what reading them was checked with."""
    found: dict[str, dict[str, None]] = {}
    for schema in SCHEMAS:
        for name, what in sorted(schema.checked.items()):
            found.setdefault(schema.format, {})[f"{name} ({what})"] = None
    return {name: list(databases) for name, databases in found.items()}
