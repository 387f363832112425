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
