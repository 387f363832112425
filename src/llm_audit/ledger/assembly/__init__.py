"""Assembly of a ledger from parts, in memory or by steps that an engine maps over processes or machines."""

from llm_audit.ledger.assembly.assemble import PARTITION_ROWS, Assembled, assemble, identity_of, partitions_of
from llm_audit.ledger.assembly.numbering import OffsetPart, with_offsets

__all__ = [
    "PARTITION_ROWS",
    "Assembled",
    "OffsetPart",
    "assemble",
    "identity_of",
    "partitions_of",
    "with_offsets",
]
