"""Ingest on this machine: bundles of shards over processes, one a core, and the ledger of what they hand back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_audit.engines.pool import run_all
from llm_audit.engines.toolbox import Recipe
from llm_audit.engines.worker import sha256
from llm_audit.errors import IncompleteError
from llm_audit.ledger.reduce import place, reduce
from llm_audit.ledger.store import REQUESTS_FILE, Ledger
from llm_audit.ledger.tally import Part
from llm_audit.sources.find import find
from llm_audit.sources.split import Bundle, bundles
from llm_audit.sources.storage import Source

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How logs are read.

    Attributes:
        jobs: Processes; 0 is one a core.
        log_format: Read every record as this format.
        mapping: Ledger field to JSON path, for logs of no known format.
        cache: Keep parts of unchanged logs, and use those that are kept.
    """

    jobs: int = 0
    log_format: str | None = None
    mapping: Mapping[str, str] | None = None
    cache: bool = True


def ingest(
    paths: Sequence[str | Path], *, options: IngestOptions | None = None, progress: Progress | None = None
) -> Ledger:
    """Read logs into a ledger. The result is the same whatever the number of processes and the order of paths.

    Args:
        paths: Files, folders, globs, ``-`` for standard input, ``s3://bucket/prefix``.
        options: How logs are read.
        progress: Called in this process with bytes done and bytes in all.

    Raises:
        UsageError: A path does not exist, cannot be read, or a format is not known.
        IncompleteError: There is not one entry to read.
    """
    options = options or IngestOptions()
    recipe = Recipe(log_format=options.log_format, mapping=dict(options.mapping or {}))
    folder = TemporaryDirectory(prefix="llm-audit-", ignore_cleanup_errors=True)
    workspace = Path(folder.name)
    found = find(paths, spool=workspace)
    work = list(bundles(found.sources, recipe.formats()))
    parts = run_all(work, recipe, workspace, jobs=options.jobs or os.cpu_count() or 1, progress=progress)
    numbers = {source.name: number for number, source in enumerate(found.sources)}
    if not sum(tally.entries for part in parts for tally in part.shards):
        raise IncompleteError(_nothing(paths, found.sources, found.notes))
    hashes = _hashes(found.sources, work, parts)
    manifest = reduce(
        place(
            [(part, [numbers[shard.source.name] for shard in bundle]) for part, bundle in zip(parts, work, strict=True)]
        ),
        inputs=[(source.name, source.size_bytes, hashes[source.name]) for source in found.sources],
        target=workspace / REQUESTS_FILE,
        notes=found.notes,
        fingerprints=recipe.fingerprints(),
    )
    return Ledger(workspace, manifest, holder=folder)


def _hashes(sources: Sequence[Source], work: Sequence[Bundle], parts: Sequence[Part]) -> dict[str, str]:
    """SHA-256 by file: workers hash the files they read whole, this process those that were cut."""
    found = {
        shard.source.name: tally.sha256
        for bundle, part in zip(work, parts, strict=True)
        for shard, tally in zip(bundle, part.shards, strict=True)
        if tally.sha256 is not None
    }
    return {source.name: found.get(source.name) or sha256(source) for source in sources}


def _nothing(paths: Sequence[str | Path], sources: Sequence[Source], notes: Sequence[str]) -> str:
    given = ", ".join(map(str, paths))
    what = f"{len(sources)} empty files" if sources else "no files of logs"
    passed = f" ({len(notes)} passed over: {notes[0]}…)" if notes else ""
    return f"There is nothing to audit: {given} holds {what}{passed}. Give files or folders with log records."
