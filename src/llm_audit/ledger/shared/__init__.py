"""Work in a folder that all processes reach: its files, steps that write them, and the way of rows between steps."""

from llm_audit.ledger.shared.folder import SharedFolder, open_folder, read_sealed, write_sealed
from llm_audit.ledger.shared.steps import Mapper, Outcome, Step, in_process, perform

__all__ = [
    "Mapper",
    "Outcome",
    "SharedFolder",
    "Step",
    "in_process",
    "open_folder",
    "perform",
    "read_sealed",
    "write_sealed",
]
