"""Parts of a ledger in a workspace: made once, found again by the hash of what they are made of."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from llm_audit.engines.worker import BundleTask, Task, content_of, process
from llm_audit.errors import AuditError
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.sealed import DamagedError, xxh3_of
from llm_audit.ledger.shared.folder import (
    SharedFolder,
    fetch_whole,
    is_whole,
    open_folder,
    read_sealed,
    write_sealed,
)
from llm_audit.sources.files import storage
from llm_audit.sources.files.storage import Source
from llm_audit.sources.split import Shard

PARTS = "parts/"
"""Prefix of their files."""


class KeptPart(msgspec.Struct, frozen=True):
    """A part, and the checksum of its rows; None where it has none."""

    part: LedgerPart
    checksum: str | None


class PartTask(BundleTask, kw_only=True, frozen=True):
    """A bundle to make a part of, in a workspace.

    Attributes:
        workspace: The workspace's address.
        key: The part's name there.
    """

    workspace: str
    key: str


def make_part(task: PartTask) -> LedgerPart:
    """Return the part of a bundle: the one that the workspace holds, else a new one, stored there.

    Raises:
        UsageError: A file cannot be opened or fetched.
    """
    folder = open_folder(task.workspace)
    if (kept := kept_part(folder, task.key)) is not None:
        return kept
    with TemporaryDirectory(prefix="llm-audit-") as temporary:
        target = Path(temporary) / "part.parquet"
        part = process(Task(bundle=task.bundle, config=task.config, run=task.run, work_key=task.key, target=target))
        return store_part(folder, task.key, part)


def store_part(folder: SharedFolder, key: str, part: LedgerPart) -> LedgerPart:
    """Move a part's rows to a workspace, and name the part there by its key; return it as it is there."""
    checksum = None
    if part.file is not None:
        rows = Path(part.file)
        checksum = xxh3_of(rows)
        part = msgspec.structs.replace(part, file=f"{PARTS}{key}.{checksum}.parquet")
        folder.put(rows, str(part.file))
    write_sealed(folder, entry_name(key), msgspec.json.encode(KeptPart(part, checksum)))
    return part


def kept_part(folder: SharedFolder, key: str) -> LedgerPart | None:
    """Return the part that a workspace holds under a key; None where it holds none, or a damaged one."""
    content = read_sealed(folder, entry_name(key))
    if content is None:
        return None
    kept = msgspec.json.decode(content, type=KeptPart)
    if kept.part.file is None:
        return kept.part
    return kept.part if is_whole(folder, kept.part.file, kept.checksum or "") else None


def fetch_part(folder: SharedFolder, part: LedgerPart, local: Path) -> LedgerPart:
    """Return a part with its rows on this machine.

    Raises:
        AuditError: They are not what was written.
    """
    if part.file is None:
        return part
    checksum = part.file.removesuffix(".parquet").rpartition(".")[2]
    try:
        path = fetch_whole(folder, part.file, local, checksum)
    except DamagedError:
        raise AuditError(
            f"{folder.uri}/{part.file} is damaged or missing. Start again with the same workspace: it is made anew."
        ) from None
    return msgspec.structs.replace(part, file=str(path))


class HashTask(msgspec.Struct, frozen=True):
    """A file to hash, where no task reads all of it."""

    source: Source

    @property
    def size_bytes(self) -> int:
        """Return the bytes to read."""
        return self.source.size_bytes

    @property
    def label(self) -> str:
        """Return the file's name."""
        return self.source.name


def hash_file(task: HashTask) -> str:
    """Return the SHA-256 of a file."""
    return storage.sha256(task.source)


class ContentTask(msgspec.Struct, frozen=True):
    """A shard of which a part is kept, to see whether it still has the content that the part was made of."""

    shard: Shard

    @property
    def size_bytes(self) -> int:
        """Return the bytes to read."""
        return self.shard.size_bytes

    @property
    def label(self) -> str:
        """Return the file's name."""
        return self.shard.source.name


def shard_content(task: ContentTask) -> str:
    """Return the hash of a shard's bytes; empty where they cannot be read."""
    with TemporaryDirectory(prefix="llm-audit-") as temporary:
        return content_of(task.shard, Path(temporary))


def entry_name(key: str) -> str:
    """Return the name of the file that describes a part."""
    return f"{PARTS}{key}.json"
