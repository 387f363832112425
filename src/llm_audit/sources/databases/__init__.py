"""Databases as sources: their tables are read where they are, and nothing is written to them."""

from llm_audit.sources.databases.address import is_database, parse, shown
from llm_audit.sources.databases.files import uri_of_file
from llm_audit.sources.databases.plan import EVERYTHING, Selection, tables
from llm_audit.sources.databases.reader import TableReader
from llm_audit.sources.databases.schemas import checked
from llm_audit.sources.databases.table import Table

__all__ = [
    "EVERYTHING",
    "Selection",
    "Table",
    "TableReader",
    "checked",
    "is_database",
    "parse",
    "shown",
    "tables",
    "uri_of_file",
]
