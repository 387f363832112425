"""Account for every entry of the parts: the manifest of their ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_audit.ledger.assembly.numbering import OffsetPart, ShardOffset
from llm_audit.ledger.manifest import EntryCount, LedgerInput, Manifest, Rejection, RejectionExample
from llm_audit.ledger.parts import MAX_EXAMPLES, ShardTally
from llm_audit.ledger.shared.steps import Counts

PARENT_SPAN = "parent_span"


def manifest_of(
    parts: Sequence[OffsetPart],
    inputs: Sequence[tuple[str, int, str]],
    counts: Counts,
    *,
    partitions: int,
    notes: Sequence[str],
    fingerprints: dict[str, str],
) -> Manifest:
    """Return the manifest of the ledger of all parts.

    Args:
        parts: The parts with their offsets, in order of inputs.
        inputs: Path, size in bytes and SHA-256 of each file.
        counts: What became of the rows of all parts.
        partitions: Files of requests.
        notes: Remarks on skipped files.
        fingerprints: Versions of the code, classifier and options.
    """
    paths = [path for path, _, _ in inputs]
    tallies = [(offset, tally) for part in parts for offset, tally in zip(part.offsets, part.part.shards, strict=True)]
    wrapped = {PARENT_SPAN: counts.parent_spans} if counts.parent_spans else {}
    not_calls = _sums([*(tally.not_calls for _, tally in tallies), wrapped])
    return Manifest(
        inputs=_inputs(tallies, inputs),
        read=sum(tally.entries for _, tally in tallies),
        rows=counts.rows,
        partitions=partitions,
        dated=counts.dated > 0,
        duplicates=counts.duplicates,
        not_provider_calls=[EntryCount(reason=reason, count=count) for reason, count in not_calls],
        rejected=_rejected(tallies, paths),
        notes=list(notes),
        reading_notes=_reading_notes(tallies, paths),
        fingerprints=fingerprints,
    )


def _inputs(
    tallies: Sequence[tuple[ShardOffset, ShardTally]], inputs: Sequence[tuple[str, int, str]]
) -> list[LedgerInput]:
    records = [0] * len(inputs)
    formats: list[list[dict[str, int]]] = [[] for _ in inputs]
    for offset, tally in tallies:
        records[offset.input] += tally.entries
        formats[offset.input].append(tally.formats)
    described = []
    for number, (path, size, sha) in enumerate(inputs):
        counts = dict(_sums(formats[number]))
        described.append(
            LedgerInput(
                path=path,
                sha256=sha,
                bytes=size,
                records=records[number],
                format=next(iter(counts), "unknown"),
                formats=counts,
            )
        )
    return described


def _rejected(tallies: Sequence[tuple[ShardOffset, ShardTally]], paths: Sequence[str]) -> list[Rejection]:
    counts = _sums({reason: rejections.count for reason, rejections in tally.rejected.items()} for _, tally in tallies)
    examples: dict[str, list[tuple[int, int]]] = {}
    for offset, tally in tallies:
        for reason, rejections in tally.rejected.items():
            places = examples.setdefault(reason, [])
            places.extend((offset.input, offset.lines_before + line) for line in rejections.lines)
    return [
        Rejection(
            reason=reason,
            count=count,
            examples=[
                RejectionExample(file=paths[number], line=line)
                for number, line in sorted(examples[reason])[:MAX_EXAMPLES]
            ],
        )
        for reason, count in counts
    ]


def _reading_notes(tallies: Sequence[tuple[ShardOffset, ShardTally]], paths: Sequence[str]) -> list[str]:
    """Return the remarks on what could not be read, by file and line, and the bytes passed over in each file."""
    notes: dict[tuple[int, str], int] = {}  # the first line of each remark on a file
    unread: dict[int, tuple[int, int]] = {}  # bytes and first line, by file
    for offset, tally in tallies:
        for line, note in tally.notes:
            notes.setdefault((offset.input, note), offset.lines_before + line)
        if tally.unread_bytes:
            size, line = unread.get(offset.input, (0, offset.lines_before + tally.unread_line))
            unread[offset.input] = (size + tally.unread_bytes, line)
    found = [(number, line, note) for (number, note), line in notes.items()]
    found += [
        (number, line, f"{size:,} bytes of damaged records were passed over, the first of them here")
        for number, (size, line) in unread.items()
    ]
    return [f"{paths[number]}:{line}: {note}" for number, line, note in sorted(found)]


def _sums(groups: Iterable[dict[str, int]]) -> list[tuple[str, int]]:
    """Add up counts by name, largest first, ties by name."""
    total: dict[str, int] = {}
    for counts in groups:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))
