"""Work in a folder that all processes reach: its files, steps that write them, and the way of rows between steps."""

from llm_audit.ledger.sealed import DamagedError, checksum
from llm_audit.ledger.shared.folder import SharedFolder, open_folder, read_sealed, write_sealed
from llm_audit.ledger.shared.relay import Relay
from llm_audit.ledger.shared.steps import Mapper, Outcome, Step, in_process, perform, until_undamaged

__all__ = [
    "DamagedError",
    "Mapper",
    "Outcome",
    "Relay",
    "SharedFolder",
    "Step",
    "checksum",
    "in_process",
    "open_folder",
    "perform",
    "read_sealed",
    "until_undamaged",
    "write_sealed",
]
