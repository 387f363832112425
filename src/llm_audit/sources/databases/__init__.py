"""Databases as sources: their tables are read where they are, and nothing is written to them."""

from llm_audit.sources.databases.address import is_database, parse, shown
from llm_audit.sources.databases.plan import EVERYTHING, Selection, tables
from llm_audit.sources.databases.reader import TableReader
from llm_audit.sources.databases.table import Table

__all__ = ["EVERYTHING", "Selection", "Table", "TableReader", "is_database", "parse", "shown", "tables"]
