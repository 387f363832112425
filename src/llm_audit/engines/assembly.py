"""The last step of every ingest: the parts that were made become one ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from llm_audit.engines.context import IngestConfig
from llm_audit.errors import IncompleteError
from llm_audit.ledger.manifest import REQUESTS_FILE
from llm_audit.ledger.parts import LedgerPart, ShardTally
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.files.find import STANDARD_INPUT
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Bundle, Shard


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
    holder: Workspace,
) -> Ledger:
    """Return the ledger of all parts, in a temporary folder.

    Args:
        work: The bundles in the order of the sources, each with its part.
        given: The paths that the user gave.
        sources: The files.
        notes: Remarks on files that are left out.
        sha256: Returns the hash of a file that no task read as a whole.
        config: How the records were read.
        holder: The folder.

    Raises:
        IncompleteError: No entry was read.
    """
    from llm_audit.ledger.assemble import assemble, with_offsets

    read = tallies(work)
    if not sum(tally.entries for _, tally in read):
        raise IncompleteError(_nothing_to_audit(given, sources, notes))
    hashes = {shard.source.name: tally.sha256 or sha256(shard.source) for shard, tally in read}
    numbers = {source.name: number for number, source in enumerate(sources)}
    manifest = assemble(
        with_offsets((part, [numbers[shard.source.name] for shard in bundle]) for bundle, part in work),
        inputs=[(source.name, source.size_bytes, hashes[source.name]) for source in sources],
        target=holder.path / REQUESTS_FILE,
        notes=notes,
        fingerprints=config.fingerprints(),
    )
    _refit(holder.path / REQUESTS_FILE)
    return Ledger(holder.path, manifest, holder=holder)


def _refit(path: Path) -> None:
    """Correct estimated token counts by the rows of the same model that have both text and usage."""
    import polars as pl

    from llm_audit.ledger.schema import SCHEMA
    from llm_audit.tokens.fitted import refit
    from llm_audit.vocabulary import UsageSource

    requests = pl.scan_parquet(path, glob=False).cast(SCHEMA)
    estimated = pl.col("usage_source") == UsageSource.ESTIMATED.value
    if requests.select(estimated.any()).collect().item():
        refit(requests.collect()).write_parquet(path)


def _nothing_to_audit(paths: Sequence[str | Path], sources: Sequence[Source], notes: Sequence[str]) -> str:
    given = ", ".join(map(str, paths))
    if [source.name for source in sources] == [given]:
        named = "standard input" if given == STANDARD_INPUT else given
        return f"There is nothing to audit: {named} is empty. Give files or folders with log records."
    empty = "only an empty file" if len(sources) == 1 else f"only {len(sources)} empty files"
    content = empty if sources else "no log files"
    skipped = f" ({len(notes)} skipped: {notes[0]}…)" if notes else ""
    return f"There is nothing to audit: {given} contains {content}{skipped}. Give files or folders with log records."
