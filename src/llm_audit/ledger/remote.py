"""A ledger whose files are in an object store: a process fetches the partition that it reads, and no other."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128_hexdigest

from llm_audit.errors import AuditError
from llm_audit.ledger.manifest import Manifest, encode_manifest, requests_files
from llm_audit.ledger.sealed import DamagedError
from llm_audit.ledger.shared.folder import fetch_whole, open_folder
from llm_audit.ledger.store import Ledger, scanned
from llm_audit.ledger.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

RECORD = "ledger.json"
"""Name of the file, beside those of requests, that says that they are complete."""

_near = threading.local()  # the partition that a thread has read last


class RemoteLedger(Ledger):
    """A ledger in a folder of an object store."""

    def __init__(self, uri: str, manifest: Manifest, *, checksums: tuple[str, ...], holder: object = None) -> None:
        """Name the ledger's folder, and the checksums of its files of requests."""
        self._uri = uri
        self._checksums = checksums
        super().__init__(Path(uri), manifest, holder=holder)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what another process makes the same ledger of."""
        return _remote_ledger, (self._uri, self.manifest, self._checksums)

    @property
    def address(self) -> str:
        """Return the address of its folder."""
        return self._uri

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files of requests, one a partition, all of them copied to this machine."""
        return self._copies[1]

    @cached_property
    def _copies(self) -> tuple[Workspace, tuple[Path, ...]]:
        holder = Workspace()
        return holder, tuple(self._fetched(number, holder.path) for number in range(self.partitions))

    def for_tasks(self) -> Ledger:
        """Return the ledger as tasks carry it."""
        return RemoteLedger(self._uri, self.manifest, checksums=self._checksums)

    def with_manifest(self, manifest: Manifest) -> Ledger:
        """Return the same requests with another manifest."""
        return RemoteLedger(self._uri, manifest, checksums=self._checksums, holder=self._holder)

    def fingerprint(self) -> str:
        """Return a hash of the requests and the manifest."""
        requests = xxh3_128_hexdigest("".join(self._checksums).encode())
        return f"{requests}{xxh3_128_hexdigest(encode_manifest(self.manifest))}"

    def scan(self, partition: int | None = None) -> pl.LazyFrame:
        """Return the requests, as ``Ledger.scan``; a thread keeps a copy of the partition that it has read last."""
        return super().scan() if partition is None else scanned([self.file(partition)])

    def file(self, partition: int) -> Path:
        """Return the path of a partition's file on this machine, which is gone when the thread asks for another one."""
        key = (self._uri, self._checksums[partition])
        if getattr(_near, "key", None) != key:
            _near.key = None
            _near.holder = holder = Workspace()
            _near.file = self._fetched(partition, holder.path)
            _near.key = key
        path: Path = _near.file
        return path

    def _fetched(self, number: int, local: Path) -> Path:
        folder, name = open_folder(self._uri, checked=False), requests_files(self.partitions)[number]
        try:
            return fetch_whole(folder, name, local, self._checksums[number])
        except DamagedError:
            folder.remove(RECORD)
            raise AuditError(
                f"{self._uri}/{name} is damaged or missing. Start again with the same workspace: it is made anew."
            ) from None


def _remote_ledger(uri: str, manifest: Manifest, checksums: tuple[str, ...]) -> RemoteLedger:
    return RemoteLedger(uri, manifest, checksums=checksums)
