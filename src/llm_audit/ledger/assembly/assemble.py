"""Assemble a ledger from its parts: number the lines, merge duplicates, rebuild conversations and write the rows.

A small log is assembled in memory. A large one is cut into partitions, by steps that any executor can map: none of them
holds more than a part, a partition, or the keys of one bucket.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

import msgspec
from xxhash import xxh3_128_hexdigest

from llm_audit.errors import AuditError
from llm_audit.files import make_private_folder
from llm_audit.ledger.assembly.account import manifest_of
from llm_audit.ledger.assembly.cut import CutStep
from llm_audit.ledger.assembly.exchange import ExchangeStep
from llm_audit.ledger.assembly.keys import KeysStep
from llm_audit.ledger.assembly.link import LabelStep, LinkStep
from llm_audit.ledger.assembly.numbering import OffsetPart, PartRows, part_rows
from llm_audit.ledger.assembly.partition import PartitionStep, write_whole
from llm_audit.ledger.assembly.steps import Counts, Layout, Mapper, Step, in_process, perform
from llm_audit.ledger.columns import SCHEMA_VERSION
from llm_audit.ledger.manifest import Manifest, requests_files
from llm_audit.ledger.sealed import DamagedError

PARTITION_ROWS = 200_000
"""Rows a partition aims at, which bounds the memory of a process."""
MAX_ATTEMPTS = 3


def assemble(
    parts: Sequence[OffsetPart],
    *,
    inputs: Sequence[tuple[str, int, str]],
    target: Path,
    notes: Sequence[str],
    fingerprints: dict[str, str],
    partitions: int | None = None,
    workspace: Path | None = None,
    run: Mapper = in_process,
) -> Manifest:
    """Write the requests of all parts to the folder ``target`` and account for every entry.

    Args:
        parts: The parts with their offsets, in order of inputs.
        inputs: Path, size in bytes and SHA-256 of each file.
        target: The folder for the files of requests.
        notes: Remarks on skipped files.
        fingerprints: Versions of the code, classifier and options.
        partitions: Files of requests; None for a number that bounds memory.
        workspace: A folder that all executors see, for the steps' files; what is left there of an interrupted assembly
            of the same parts is used, and removed in the end. None for a temporary folder in ``target``.
        run: Applies a function to steps.

    Raises:
        AuditError: A file of the workspace was damaged again and again.
    """
    hashes = [sha for _, _, sha in inputs]
    filled = part_rows(parts, hashes)
    if partitions is None:
        partitions = -(-sum(part.part.rows for part in parts) // PARTITION_ROWS)
    partitions = max(partitions, 1)
    if partitions == 1:
        counts = write_whole(filled, target / requests_files(1)[0])
    else:
        if workspace is None:
            folder = Path(tempfile.mkdtemp(prefix="assembly-", dir=target))
        else:
            folder = workspace / f"assembly-{_identity(parts, inputs, partitions, fingerprints)}"
            make_private_folder(folder)
        layout = Layout(folder=folder, parts=len(filled), partitions=partitions)
        counts = _until_undamaged(filled, layout, target, run)
        shutil.rmtree(folder, ignore_errors=True)
    return manifest_of(parts, inputs, counts, partitions=partitions, notes=notes, fingerprints=fingerprints)


def _until_undamaged(parts: Sequence[PartRows], layout: Layout, target: Path, run: Mapper) -> Counts:
    """Run all steps; where a file turns out to be damaged, make it again."""
    damaged: Counter[Path] = Counter()
    while True:
        try:
            return _run_steps(parts, layout, target, run)
        except DamagedError as error:
            file = Path(str(error))
            damaged[file] += 1
            if damaged[file] >= MAX_ATTEMPTS:
                raise AuditError(
                    f"{file} was damaged {MAX_ATTEMPTS} times after it was written. Check the disk, or choose another "
                    "folder."
                ) from None
            file.unlink(missing_ok=True)


def _run_steps(parts: Sequence[PartRows], layout: Layout, target: Path, run: Mapper) -> Counts:
    def sums(steps: Iterable[Step]) -> Counts:
        total = Counts()
        for outcome in run(perform, list(steps)):
            total += outcome.counts
        return total

    buckets = range(layout.partitions)
    sums(KeysStep(layout=layout, number=number, part=part) for number, part in enumerate(parts))
    total = sums(ExchangeStep(layout=layout, number=bucket) for bucket in buckets)
    linked = sums(LinkStep(layout=layout, number=bucket, round=0) for bucket in buckets).edges > 0
    if linked:
        before = None
        for round_ in count(1, 2):
            stars = sums(LinkStep(layout=layout, number=bucket, round=round_) for bucket in buckets)
            if stars == before:  # nothing has changed since the last round
                break
            before = stars
            sums(LinkStep(layout=layout, number=bucket, round=round_ + 1) for bucket in buckets)
        sums(LabelStep(layout=layout, number=bucket, round=round_ - 1) for bucket in buckets)
    sums(CutStep(layout=layout, number=number, part=part, linked=linked) for number, part in enumerate(parts))
    files = requests_files(layout.partitions)
    return total + sums(
        PartitionStep(layout=layout, number=number, output=target / name) for number, name in enumerate(files)
    )


def _identity(
    parts: Sequence[OffsetPart],
    inputs: Sequence[tuple[str, int, str]],
    partitions: int,
    fingerprints: dict[str, str],
) -> str:
    """Return a hash of all that decides what the steps write."""
    contents = [(part.part.rows, [tally.content for tally in part.part.shards]) for part in parts]
    numbers = [[offset.input for offset in part.offsets] for part in parts]
    hashes = [sha for _, _, sha in inputs]
    described = (SCHEMA_VERSION, partitions, sorted(fingerprints.items()), hashes, contents, numbers)
    return xxh3_128_hexdigest(msgspec.json.encode(described))
