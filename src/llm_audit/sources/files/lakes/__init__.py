"""Tables whose folder holds more files than the table: Delta, Iceberg and Hudi keep a log of those that count."""

from llm_audit.sources.files.lakes.around import Lakes
from llm_audit.sources.files.lakes.checkpoints import DELTA_LOG
from llm_audit.sources.files.lakes.delta import LiveFile, by_the_log, delta_files

__all__ = ["DELTA_LOG", "Lakes", "LiveFile", "by_the_log", "delta_files"]
