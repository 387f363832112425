"""Assemble a ledger from its parts: number the lines, merge duplicates, rebuild conversations and write the rows.

A small log is assembled in memory. A large one is cut into partitions, by steps that any executor can map: none of them
holds more than a part, a partition, or the keys of one bucket.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from itertools import accumulate, count, groupby
from pathlib import Path

import msgspec
from xxhash import xxh3_128_hexdigest

from llm_audit.ledger.assembly.account import manifest_of
from llm_audit.ledger.assembly.cut import CutStep
from llm_audit.ledger.assembly.exchange import CandidatesStep, ExchangeStep, RepeatsStep
from llm_audit.ledger.assembly.keys import KeysStep
from llm_audit.ledger.assembly.layout import Layout
from llm_audit.ledger.assembly.link import LabelStep, LinkStep
from llm_audit.ledger.assembly.numbering import OffsetPart, PartRows, part_rows, rows_at_hand
from llm_audit.ledger.assembly.partition import PartitionStep, write_whole
from llm_audit.ledger.columns import SCHEMA_VERSION
from llm_audit.ledger.manifest import Manifest, requests_files
from llm_audit.ledger.shared.folder import open_folder
from llm_audit.ledger.shared.relay import FAN, Relay
from llm_audit.ledger.shared.steps import Counts, Mapper, Outcome, Step, in_process, perform, until_undamaged

PARTITION_ROWS = 65_000
"""Rows a partition aims at, which bounds the memory of a process."""

GROUP_ROWS, BUCKET_GROUPS = 65_000, 4
"""Rows of small parts that a step reads together, and how many groups' keys one bucket holds on average."""


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger that was assembled.

    Attributes:
        manifest: Its manifest.
        checksums: Of its files, where there are several.
        estimated: Requests whose tokens the log does not state.
        identity: A hash of all that decides its files.
    """

    manifest: Manifest
    checksums: tuple[str, ...]
    estimated: int
    identity: str


def assemble(
    parts: Sequence[OffsetPart],
    *,
    inputs: Sequence[tuple[str, int, str]],
    target: Path | str,
    notes: Sequence[str],
    fingerprints: dict[str, str],
    partitions: int | None = None,
    parts_in: str | None = None,
    workspace: Path | str | None = None,
    run: Mapper = in_process,
    fan: int = FAN,
    group_rows: int = GROUP_ROWS,
) -> Assembled:
    """Write the requests of all parts to the folder ``target`` and account for every entry.

    Args:
        parts: The parts with their offsets, in order of inputs.
        inputs: Path, size in bytes and SHA-256 of each file.
        target: The folder for the files of requests, or its address where there are several files.
        notes: Remarks on skipped files.
        fingerprints: Versions of the code, classifier and options.
        partitions: Files of requests; None for a number that bounds memory.
        parts_in: The address of the workspace whose files the parts are; None for files of this machine.
        workspace: A folder that all executors see, for the steps' files; what is left there of an interrupted assembly
            of the same parts is used, and removed in the end. None for a temporary folder in ``target``.
        run: Applies a function to steps.
        fan: See ``relay.FAN``.
        group_rows: Rows of parts that a step reads together, at least.

    Raises:
        AuditError: A file of the workspace was damaged again and again.
    """
    filled = part_rows(parts, [sha for _, _, sha in inputs], workspace=parts_in)
    partitions = partitions_of(parts) if partitions is None else max(partitions, 1)
    identity = identity_of(parts, inputs, partitions, fingerprints)
    checksums: tuple[str, ...] = ()
    if partitions == 1:
        counts = _whole(filled, Path(target) / requests_files(1)[0])
    else:
        if workspace is None:
            uri = tempfile.mkdtemp(prefix="assembly-", dir=target)
        else:
            uri = f"{workspace}/assembly-{identity}"
        rows = [part.part.rows for part in parts if part.part.file is not None]
        groups = grouped(filled, rows, group_rows)
        layout = Layout(
            uri=uri,
            groups=len(groups),
            buckets=-(-len(groups) // BUCKET_GROUPS),
            partitions=partitions,
            fan=fan,
        )
        counts, checksums = until_undamaged(uri, lambda: _run_steps(groups, layout, str(target), run))
        if workspace is None:
            shutil.rmtree(uri, ignore_errors=True)
        else:
            open_folder(str(workspace), checked=False).remove(f"assembly-{identity}/")
    manifest = manifest_of(parts, inputs, counts, partitions=partitions, notes=notes, fingerprints=fingerprints)
    return Assembled(manifest=manifest, checksums=checksums, estimated=counts.estimated, identity=identity)


def partitions_of(parts: Sequence[OffsetPart]) -> int:
    """Return a number of partitions that bounds the memory of a process."""
    return max(-(-sum(part.part.rows for part in parts) // PARTITION_ROWS), 1)


def identity_of(
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


def _whole(parts: Sequence[PartRows], target: Path) -> Counts:
    """Write the ledger of a few parts, all of which are brought to this machine first."""
    if not any(part.workspace for part in parts):
        return write_whole(parts, target)
    with tempfile.TemporaryDirectory(prefix="llm-audit-") as local:
        near = []
        for number, part in enumerate(parts):
            path = Path(local) / f"part-{number}.parquet"
            with rows_at_hand(part) as rows:
                shutil.copyfile(rows, path)
            near.append(_at(part, path))
        return write_whole(near, target)


def _at(part: PartRows, path: Path) -> PartRows:
    return PartRows(file=str(path), workspace=None, offsets=part.offsets, inputs=part.inputs)


def grouped(parts: Sequence[PartRows], rows: Sequence[int], group_rows: int) -> list[tuple[PartRows, ...]]:
    """Return parts that follow each other in groups of about equal rows.

    Args:
        parts: The parts.
        rows: Rows of each.
        group_rows: About as many rows a group has, or fewer.
    """
    wanted = -(-sum(rows) // group_rows)
    numbers = [(end - 1) * wanted // sum(rows) for end in accumulate(rows)]
    return [
        tuple(part for _, part in group)
        for _, group in groupby(zip(numbers, parts, strict=True), key=lambda pair: pair[0])
    ]


def _run_steps(
    groups: Sequence[tuple[PartRows, ...]], layout: Layout, ledger: str, run: Mapper
) -> tuple[Counts, tuple[str, ...]]:
    def outcomes(steps: Iterable[Step]) -> list[Outcome]:
        return list(run(perform, list(steps)))

    def sums(steps: Iterable[Step], *relays: Relay) -> Counts:
        """Run steps, and those that carry their rows on."""
        found = outcomes(steps)
        for relay in relays:
            for level in relay.steps():
                outcomes(level)
        return sum((outcome.counts for outcome in found), Counts())

    buckets, numbered = range(layout.buckets), list(enumerate(groups))
    sums(
        (KeysStep(layout=layout, number=number, parts=parts) for number, parts in numbered),
        *(layout.merges, layout.links),
    )
    total = Counts()
    repeated = sums(RepeatsStep(layout=layout, number=bucket) for bucket in buckets).repeated > 0
    if repeated:
        sums((), layout.repeated)
        candidates = (CandidatesStep(layout=layout, number=number, parts=parts) for number, parts in numbered)
        sums(candidates, layout.candidates)
        total = sums((ExchangeStep(layout=layout, number=bucket) for bucket in buckets), layout.duplicates)

    def link(round_: int) -> Counts:
        return sums((LinkStep(layout=layout, number=bucket, round=round_) for bucket in buckets), layout.edges(round_))

    linked = link(0).edges > 0
    if linked:
        before = None
        for round_ in count(1, 2):
            stars = link(round_)
            if stars == before:  # nothing has changed since the last round
                break
            before = stars
            link(round_ + 1)
        sums((), layout.owners)
        sums((LabelStep(layout=layout, number=bucket, round=round_ - 1) for bucket in buckets), layout.labels)
    sums(
        (
            CutStep(layout=layout, number=number, parts=parts, repeated=repeated, linked=linked)
            for number, parts in numbered
        ),
        layout.rows,
    )
    found = outcomes(PartitionStep(layout=layout, number=number, ledger=ledger) for number in range(layout.partitions))
    total += sum((outcome.counts for outcome in found), Counts())
    return total, tuple(str(outcome.checksum) for outcome in found)
