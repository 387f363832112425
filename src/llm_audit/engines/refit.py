"""Correct a ledger's estimated token counts by its own rows, partition by partition on an executor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import msgspec
import polars as pl

from llm_audit.engines.executors import Executor
from llm_audit.engines.executors.calls import map_calls
from llm_audit.engines.steps import over_steps
from llm_audit.ledger.arrow import ARROW_SCHEMA, parquet_writer
from llm_audit.ledger.manifest import requests_files
from llm_audit.ledger.sealed import xxh3_of
from llm_audit.ledger.shared import Outcome, Step, in_process, perform
from llm_audit.ledger.shared.folder import is_whole
from llm_audit.ledger.store import Ledger
from llm_audit.tokens.fitted import add_sums, refit, text_sums, tokens_per_char
from llm_audit.vocabulary import UsageSource


def refit_ledger(ledger: Ledger, checksums: tuple[str, ...], executor: Executor | None) -> tuple[str, ...]:
    """Correct estimated counts by the rows of the same model that have both text and usage.

    Args:
        ledger: The ledger, whose files are written again.
        checksums: Of its files.
        executor: What runs the work; None for this process, which alone may reach the files.

    Returns:
        The checksums of the files afterwards.
    """
    sent = ledger.for_tasks().with_manifest(msgspec.structs.replace(ledger.manifest, inputs=[], reading_notes=[]))
    numbers = range(ledger.partitions)
    sums_of = partial(_text_sums, sent)
    sums = [*map(sums_of, numbers)] if executor is None else map_calls(executor, sums_of, numbers, label=_label)
    fitted = tokens_per_char(add_sums([found for found, _ in sums]))
    estimated = [number for number, (_, some) in enumerate(sums) if some]
    steps = [RefitStep(ledger=sent, number=number, fitted=fitted) for number in estimated]
    made = (in_process if executor is None else over_steps(executor))(perform, steps)
    after = {number: str(outcome.checksum) for number, outcome in zip(estimated, made, strict=True)}
    return tuple(after.get(number, checksum) for number, checksum in enumerate(checksums))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitStep(Step):
    """Correct a partition that has estimated counts."""

    ledger: Ledger
    number: int
    fitted: pl.DataFrame

    @property
    def uri(self) -> str:
        """Return the address of the ledger's folder."""
        return self.ledger.address

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the file of requests."""
        return (requests_files(self.ledger.partitions)[self.number],)

    def run(self) -> Outcome:
        """Write the file again."""
        folder = self.folder
        with folder.scratch() as scratch:
            partial_file = scratch / f".refit-{self.number:05d}"
            rows = refit(self.ledger.scan(self.number).collect(), self.fitted)
            with parquet_writer(partial_file) as writer:  # as the other partitions are written, to be read with them
                writer.write_table(rows.to_arrow().cast(ARROW_SCHEMA))
            checksum = xxh3_of(partial_file)
            folder.put(partial_file, self.targets[0])
        return Outcome(checksum=checksum)

    def is_done(self, outcome: Outcome) -> bool:
        """Return whether the file is there as it was written."""
        return outcome.checksum is not None and is_whole(self.folder, self.targets[0], outcome.checksum)


def _text_sums(ledger: Ledger, number: int) -> tuple[pl.DataFrame, bool]:
    any_estimated = (pl.col("usage_source") == UsageSource.ESTIMATED.value).any()
    return text_sums(ledger.scan(number)), bool(ledger.scan(number).select(any_estimated).collect().item())


def _label(number: int) -> str:
    return f"partition {number:,} of the ledger"
