"""The plan of an ingest: the files, how they are cut into bundles, and how their records are read.

It is made of the logs alone, so that every machine that is given the same paths makes the same plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from xxhash import xxh3_128_hexdigest

from llm_audit.engines.context import IngestConfig, code_fingerprint
from llm_audit.errors import UsageError
from llm_audit.ledger.shared.folder import SharedFolder, read_sealed, write_sealed
from llm_audit.sources.databases import EVERYTHING, Selection
from llm_audit.sources.files.find import STANDARD_INPUT, Found, find
from llm_audit.sources.files.limits import SHARD_BYTES
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Bundle, Shard, bundles

PLAN = "plan.json"
"""Name of its file."""
_LARGEST_BUNDLE_BYTES = 1 << 30
_BUNDLES = 1_000
"""Number of bundles up to which they stay small; a larger log has larger bundles, and then more of them."""


class Range(msgspec.Struct, frozen=True):
    """A shard: the place of its source among the sources, and its first byte and the one after its last."""

    source: int
    start: int
    end: int | None


class Plan(msgspec.Struct, frozen=True):
    """What an ingest reads.

    Attributes:
        code: The fingerprint of the code that made it.
        config: How records are read and judged.
        sources: The files.
        notes: Remarks on files that are left out.
        bundles: The shards of each bundle, in the order of the sources.
    """

    code: str
    config: IngestConfig
    sources: tuple[Source, ...]
    notes: tuple[str, ...]
    bundles: tuple[tuple[Range, ...], ...]

    def bundle(self, number: int) -> Bundle:
        """Return the shards of a bundle."""
        return tuple(Shard(self.sources[part.source], part.start, part.end) for part in self.bundles[number])

    def ranged(self) -> list[Source]:
        """Return the files on this machine that are read in ranges, so that no task hashes them."""
        numbers = {part.source for bundle in self.bundles for part in bundle if part.end is not None}
        found = [self.sources[number] for number in sorted(numbers)]
        return [source for source in found if not source.remote and not source.database]

    def key(self, number: int) -> str:
        """Return a hash of everything that decides the part of a bundle."""
        words = [self.code, self.config.fingerprint()]
        for part in self.bundles[number]:
            source = self.sources[part.source]
            state = source.name, source.size_bytes, source.modified_ns, source.identity, source.version
            words.append(repr((state, part.start, part.end, source.columns, source.deleted)))
        return xxh3_128_hexdigest("\0".join(words).encode())

    def without_tables(self) -> Plan:
        """Return the plan without what is asked of databases, which names users and may hold passwords."""
        return msgspec.structs.replace(self, sources=tuple(replace(source, table=None) for source in self.sources))


def make_plan(
    paths: Sequence[str | Path],
    config: IngestConfig,
    *,
    selection: Selection = EVERYTHING,
    before: Plan | None = None,
) -> Plan:
    """Return the plan for logs.

    Args:
        paths: The logs.
        config: How they are read and judged.
        selection: What of a database is read.
        before: The plan that the workspace has. Tables are cut as they were then, since they may have grown.

    Raises:
        UsageError: A path does not exist or cannot be read, or is standard input, which other processes cannot read.
    """
    listed = find_again(paths, option="--workspace", selection=selection)
    found = [_as_before(source, before) for source in listed.sources]
    cut = list(bundles(found, () if config.forced() else config.formats()))
    read = {shard.source.name: shard.source for bundle in cut for shard in bundle}  # with sizes as objects state them
    sources = tuple(read.get(source.name, source) for source in found)
    numbers = {source.name: number for number, source in enumerate(sources)}
    size = bundle_bytes(sum(source.size_bytes for source in sources))
    return Plan(
        code=code_fingerprint(),
        config=config,
        sources=sources,
        notes=listed.notes,
        bundles=tuple(
            tuple(Range(numbers[shard.source.name], shard.start, shard.end) for shard in bundle)
            for bundle in joined(cut, size)
        ),
    )


def _as_before(source: Source, before: Plan | None) -> Source:
    """Return a table in the ranges of a plan that has it; any other source as it is."""
    if source.table is None:
        return source
    if source.table.address.password is not None:
        raise UsageError(
            f"{source.name} is read by tasks that may run on other machines, to which no password is sent. Leave it "
            "out of the address, and set it where each of them looks for it, such as in PGPASSWORD or ~/.pgpass."
        )
    if before is None or source not in before.sources:
        return source
    number = before.sources.index(source)
    ranges = [
        (part.start, part.end)
        for bundle in before.bundles
        for part in bundle
        if part.source == number and part.end is not None
    ]
    return replace(source, table=msgspec.structs.replace(source.table, ranges=tuple(ranges)))


def find_again(paths: Sequence[str | Path], *, option: str, selection: Selection = EVERYTHING) -> Found:
    """List logs that can be read at any time, by any process.

    Raises:
        UsageError: A path does not exist or cannot be read, or is a stream, which can be read only once.
    """
    if STANDARD_INPUT in map(str, paths):
        raise UsageError(f"Standard input cannot be read with {option}. Give files, folders or s3://bucket/prefix.")
    with TemporaryDirectory(prefix="llm-audit-") as spool:
        found = find(paths, spool=Path(spool), selection=selection)
        if any(Path(source.path).is_relative_to(spool) for source in found.sources):
            raise UsageError(f"A pipe cannot be read with {option}. Give files, folders or s3://bucket/prefix.")
    return found


def bundle_bytes(total_bytes: int) -> int:
    """Return the size of the bundles of a log: small ones as long as they are not too many."""
    return min(max(total_bytes // _BUNDLES, SHARD_BYTES), _LARGEST_BUNDLE_BYTES)


def joined(cut: Sequence[Bundle], size_bytes: int) -> list[Bundle]:
    """Return neighbouring bundles joined as long as they have at most so many bytes."""
    ends = [0]
    held = 0
    for number, bundle in enumerate(cut):
        own = sum(shard.size_bytes for shard in bundle)
        if held and (held + own > size_bytes or bundle[0].source.database):  # whose size is a guess
            ends.append(number)
            held = 0
        held += own
    return [tuple(shard for bundle in cut[start:end] for shard in bundle) for start, end in pairwise([*ends, len(cut)])]


def store_plan(folder: SharedFolder, plan: Plan) -> None:
    """Keep the plan in a workspace, which is then that of these logs.

    Raises:
        UsageError: The workspace has another plan, or a name of a file cannot be written.
    """
    try:
        content = msgspec.json.encode(plan.without_tables())
    except UnicodeEncodeError:
        raise UsageError("The name of a file is not UTF-8, which a workspace cannot hold. Rename it.") from None
    kept = read_sealed(folder, PLAN)
    if kept is None:
        write_sealed(folder, PLAN, content)
    elif kept != content:
        raise UsageError(
            f"The workspace {folder.uri} was begun with other logs, options or code, or the logs have changed since. "
            "Choose another workspace, or remove it."
        )


def stored_plan(folder: SharedFolder) -> Plan | None:
    """Return the plan of a workspace; None where it has none that can be read."""
    kept = read_sealed(folder, PLAN)
    with suppress(msgspec.MsgspecError):
        return None if kept is None else msgspec.json.decode(kept, type=Plan)
    return None


def read_plan(folder: SharedFolder) -> Plan:
    """Return the plan of a workspace.

    Raises:
        UsageError: It has none, a damaged one, or one that other code made.
    """
    if read_sealed(folder, PLAN) is None:
        raise UsageError(
            f"{folder.uri} holds no readable plan. Begin with `llm-audit ingest PATH… --workspace {folder.uri}`."
        )
    plan = stored_plan(folder)
    if plan is None or plan.code != code_fingerprint():
        raise UsageError(
            f"The workspace {folder.uri} was begun with another version of llm-audit. Use that one, or begin again in "
            "another workspace."
        )
    return plan


class Part(msgspec.Struct, frozen=True):
    """A share of a plan's bundles: the ``number``-th of ``count``, from 1."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Return the share that a text such as ``3/8`` names.

        Raises:
            UsageError: It names none.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        number, count = (int(digits) for digits in found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(f"--shard {text!r} is not of the form 3/8, the third of eight.")
        return cls(number, count)

    def of(self, bundle_count: int) -> range:
        """Return the numbers of its bundles."""
        return range(self.number - 1, bundle_count, self.count)
