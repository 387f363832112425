"""The manifest of a ledger: its inputs, and a count of every entry that is not a row of it."""

from __future__ import annotations

import msgspec

from llm_audit.ledger.columns import SCHEMA_VERSION

REQUESTS_FILE = "requests.parquet"
MANIFEST_FILE = "manifest.json"
CHECKSUMS_FILE = "ledger.sha256"
"""Names of the files in a ledger's folder; a ledger of several partitions has a requests file for each."""


class LedgerInput(msgspec.Struct, kw_only=True, frozen=True):
    """A file that was read."""

    path: str
    sha256: str
    bytes: int
    records: int  # all entries
    format: str  # of most of its records; "unknown" where none was recognised
    formats: dict[str, int]  # records by format


class RejectionExample(msgspec.Struct, kw_only=True, frozen=True):
    """The file and line of a rejected record."""

    file: str
    line: int


class Rejection(msgspec.Struct, kw_only=True, frozen=True):
    """Entries rejected for one reason, with the first examples in order of file and line."""

    reason: str
    count: int
    examples: list[RejectionExample]


class EntryCount(msgspec.Struct, kw_only=True, frozen=True):
    """A count of entries for one reason."""

    reason: str
    count: int


class Manifest(msgspec.Struct, kw_only=True, frozen=True):
    """Account of an ingest: every entry read is a row, a duplicate, no provider call, or rejected."""

    schema_version: int = SCHEMA_VERSION
    inputs: list[LedgerInput]  # by path; a row's ``input`` is an index into this list
    read: int
    rows: int
    partitions: int = 1  # files of requests; the requests of a conversation or trace are in one of them
    dated: bool = False  # whether a row has a time
    duplicates: int
    not_provider_calls: list[EntryCount]  # most first
    rejected: list[Rejection]  # most first
    notes: list[str]  # files that were skipped
    reading_notes: list[str] = []  # what of the files read could not be read
    fingerprints: dict[str, str]  # of the code, classifier and options


def requests_files(partitions: int) -> tuple[str, ...]:
    """Return the names of the files of requests of a ledger."""
    if partitions == 1:
        return (REQUESTS_FILE,)
    stem, _, suffix = REQUESTS_FILE.partition(".")
    return tuple(f"{stem}-{number:05d}.{suffix}" for number in range(partitions))


def encode_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as JSON, the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1) + b"\n"
