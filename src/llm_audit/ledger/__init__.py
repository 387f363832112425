"""The table of all requests."""

from llm_audit.ledger.manifest import Manifest
from llm_audit.ledger.store import Ledger, is_ledger, read_ledger, write_ledger

__all__ = ["Ledger", "Manifest", "is_ledger", "read_ledger", "write_ledger"]
