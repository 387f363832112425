"""The last step of every ingest: the parts that were made become one ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from llm_audit.engines.context import IngestConfig
from llm_audit.engines.executors import Executor
from llm_audit.engines.remote_inputs import ranges_hashes, refuse_unreadable, table_hashes
from llm_audit.engines.steps import STEPS, over_steps
from llm_audit.errors import IncompleteError
from llm_audit.ledger.manifest import Manifest, requests_files
from llm_audit.ledger.parts import LedgerPart, ShardTally
from llm_audit.ledger.remote import RECORD, RemoteLedger
from llm_audit.ledger.shared import open_folder, read_sealed, write_sealed
from llm_audit.ledger.store import Ledger
from llm_audit.ledger.workspace import Workspace
from llm_audit.sources.databases import shown
from llm_audit.sources.files.find import STANDARD_INPUT
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Bundle, Shard

LEDGER = "ledger"
"""The folder of a workspace for a large ledger."""


class LedgerTarget(msgspec.Struct, kw_only=True, frozen=True):
    """Where a ledger goes.

    Attributes:
        holder: A folder of this machine, for one without a workspace, and for a small one.
        partitions: Files of requests; None for a number that bounds memory.
        workspace: The address of the folder that the parts are in, and what an interrupted assembly goes on from; None
            for parts that are files of this machine.
        resumable: Whether a large ledger stays in the workspace too.
        keep: Returns what keeps a ledger in the workspace alive.
    """

    holder: Workspace
    partitions: int | None = None
    workspace: str | None = None
    resumable: bool = False
    keep: Callable[[], object] = object


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What says of a ledger in a workspace that it is complete."""

    identity: str
    manifest: Manifest
    checksums: tuple[str, ...]


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
    from llm_audit.ledger.assembly import assemble, identity_of, partitions_of, with_offsets

    read = tallies(work)
    if not sum(tally.entries for _, tally in read):
        raise IncompleteError(_nothing_to_audit(given, sources, notes))
    refuse_unreadable(read)
    ranged = ranges_hashes(read)
    described = table_hashes(read) | {
        shard.source.name: (
            shard.source.size_bytes,
            ranged.get(shard.source.name) or tally.sha256 or sha256(shard.source),
        )
        for shard, tally in read
        if not shard.source.database
    }
    numbers = {source.name: number for number, source in enumerate(sources)}
    parts = with_offsets((part, [numbers[shard.source.name] for shard in bundle]) for bundle, part in work)
    inputs = [(source.name, *described[source.name]) for source in sources]
    partitions, fingerprints = target.partitions or partitions_of(parts), config.fingerprints()
    place = f"{target.workspace}/{LEDGER}" if target.resumable and partitions > 1 else None
    if place is not None and (kept := _kept(place, identity_of(parts, inputs, partitions, fingerprints), target)):
        return kept.with_notes(notes)
    executor.release()  # what reading the log took up; the processes of these steps stay for the audit's
    made = assemble(
        parts,
        inputs=inputs,
        target=place or target.holder.path,
        partitions=partitions,
        parts_in=target.workspace,
        workspace=None if target.workspace is None else f"{target.workspace}/{STEPS}",
        notes=notes,
        fingerprints=fingerprints,
        run=over_steps(executor),
    )
    if place is None:
        ledger = Ledger(target.holder.path, made.manifest, holder=target.holder)
    else:
        ledger = _ledger(place, made.manifest, made.checksums, target)
    checksums = made.checksums
    if made.estimated:
        from llm_audit.engines.refit import refit_ledger

        checksums = refit_ledger(ledger, checksums, executor if partitions > 1 else None)
    if place is None:
        return ledger
    record = _Record(identity=made.identity, manifest=made.manifest, checksums=checksums)
    write_sealed(open_folder(place, checked=False), RECORD, msgspec.json.encode(record))
    return _ledger(place, made.manifest, checksums, target)


def _kept(place: str, identity: str, target: LedgerTarget) -> Ledger | None:
    """Return the ledger that a workspace holds, where it is that of the same parts and its files are there."""
    folder = open_folder(place, checked=False)
    content = read_sealed(folder, RECORD)
    if content is None:
        return None
    record = msgspec.json.decode(content, type=_Record)
    there = record.identity == identity and all(map(folder.has, requests_files(len(record.checksums))))
    return _ledger(place, record.manifest, record.checksums, target) if there else None


def _ledger(place: str, manifest: Manifest, checksums: tuple[str, ...], target: LedgerTarget) -> Ledger:
    path = open_folder(place, checked=False).path
    if path is not None:
        return Ledger(path, manifest, holder=target.keep())
    return RemoteLedger(place, manifest, checksums=checksums, holder=target.keep())


def _nothing_to_audit(paths: Sequence[str | Path], sources: Sequence[Source], notes: Sequence[str]) -> str:
    given = ", ".join(shown(str(path)) for path in paths)
    if [source.name for source in sources] == [given]:
        named = "standard input" if given == STANDARD_INPUT else given
        return f"There is nothing to audit: {named} is empty. Give files or folders with log records."
    empty = "only an empty file" if len(sources) == 1 else f"only {len(sources)} empty files"
    content = empty if sources else "no log files"
    skipped = f" ({len(notes)} skipped: {notes[0]}…)" if notes else ""
    return f"There is nothing to audit: {given} contains {content}{skipped}. Give files or folders with log records."
