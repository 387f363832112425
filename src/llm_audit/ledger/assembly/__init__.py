"""Assembly of a ledger from parts, in memory or by steps that an engine maps over processes or machines."""

from llm_audit.ledger.assembly.assemble import PARTITION_ROWS, assemble
from llm_audit.ledger.assembly.numbering import OffsetPart, with_offsets
from llm_audit.ledger.assembly.steps import Mapper, Outcome, Step, in_process, perform

__all__ = [
    "PARTITION_ROWS",
    "Mapper",
    "OffsetPart",
    "Outcome",
    "Step",
    "assemble",
    "in_process",
    "perform",
    "with_offsets",
]
