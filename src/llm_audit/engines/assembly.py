"""The last step of every ingest: the parts that were made become one ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.engines.context import IngestConfig
from llm_audit.engines.executors import Executor
from llm_audit.engines.executors.calls import map_calls
from llm_audit.engines.object_hashes import ranges_hashes, refuse_unreadable
from llm_audit.engines.table_sums import of_tables
from llm_audit.errors import IncompleteError
from llm_audit.ledger.parts import LedgerPart, ShardTally
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.databases import shown
from llm_audit.sources.files.find import STANDARD_INPUT
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Bundle, Shard

if TYPE_CHECKING:
    from llm_audit.ledger.assembly import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTarget:
    """Where a ledger goes.

    Attributes:
        holder: The folder.
        partitions: Files of requests; None for a number that bounds memory.
        workspace: A folder that an interrupted assembly goes on from; None for a temporary one.
    """

    holder: Workspace
    partitions: int | None = None
    workspace: Path | None = None


def tallies(work: Sequence[tuple[Bundle, LedgerPart]]) -> list[tuple[Shard, ShardTally]]:
    """Return the shards that were read, each with its tally."""
    return [pair for bundle, part in work for pair in zip(bundle, part.shards, strict=True)]


def assembled(
    work: Sequence[tuple[Bundle, LedgerPart]],
    *,
    given: Sequence[str | Path],
    sources: Sequence[Source],
    notes: Sequence[str],
    sha256: Callable[[Source], str],
    config: IngestConfig,
    target: LedgerTarget,
    executor: Executor,
) -> Ledger:
    """Return the ledger of all parts, in a temporary folder.

    Args:
        work: The bundles in the order of the sources, each with its part.
        given: The paths that the user gave.
        sources: The files.
        notes: Remarks on files that are left out.
        sha256: Returns the hash of a file that no task read as a whole.
        config: How the records were read.
        target: Where the ledger goes.
        executor: What runs the steps of a large ledger.

    Raises:
        IncompleteError: No entry was read.
    """
    from llm_audit.ledger.assembly import assemble, with_offsets

    read = tallies(work)
    if not sum(tally.entries for _, tally in read):
        raise IncompleteError(_nothing_to_audit(given, sources, notes))
    refuse_unreadable(read)
    ranged = ranges_hashes(read)
    described = of_tables(read) | {
        shard.source.name: (
            shard.source.size_bytes,
            ranged.get(shard.source.name) or tally.sha256 or sha256(shard.source),
        )
        for shard, tally in read
        if shard.source.table is None
    }
    numbers = {source.name: number for number, source in enumerate(sources)}
    manifest = assemble(
        with_offsets((part, [numbers[shard.source.name] for shard in bundle]) for bundle, part in work),
        inputs=[(source.name, *described[source.name]) for source in sources],
        target=target.holder.path,
        partitions=target.partitions,
        workspace=target.workspace,
        notes=notes,
        fingerprints=config.fingerprints(),
        run=partial(map_calls, executor, label=_step_label),
    )
    ledger = Ledger(target.holder.path, manifest, holder=target.holder)
    _refit(ledger)
    return ledger


def _step_label(step: Step) -> str:
    return f"the ledger's {step.target.name}"


def _refit(ledger: Ledger) -> None:
    """Correct estimated token counts by the rows of the same model that have both text and usage."""
    import polars as pl

    from llm_audit.tokens.fitted import add_sums, refit, text_sums, tokens_per_char
    from llm_audit.vocabulary import UsageSource

    any_estimated = (pl.col("usage_source") == UsageSource.ESTIMATED.value).any()
    estimated = [
        number for number in range(ledger.partitions) if ledger.scan(number).select(any_estimated).collect().item()
    ]
    if not estimated:
        return
    fitted = tokens_per_char(add_sums([text_sums(ledger.scan(number)) for number in range(ledger.partitions)]))
    for number in estimated:
        refit(ledger.scan(number).collect(), fitted).write_parquet(ledger.files[number])


def _nothing_to_audit(paths: Sequence[str | Path], sources: Sequence[Source], notes: Sequence[str]) -> str:
    given = ", ".join(shown(str(path)) for path in paths)
    if [source.name for source in sources] == [given]:
        named = "standard input" if given == STANDARD_INPUT else given
        return f"There is nothing to audit: {named} is empty. Give files or folders with log records."
    empty = "only an empty file" if len(sources) == 1 else f"only {len(sources)} empty files"
    content = empty if sources else "no log files"
    skipped = f" ({len(notes)} skipped: {notes[0]}…)" if notes else ""
    return f"There is nothing to audit: {given} contains {content}{skipped}. Give files or folders with log records."
