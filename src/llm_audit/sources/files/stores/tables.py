"""Tables in an object store: which of the listed objects belong to the current version of a Delta table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

from llm_audit.errors import UsageError
from llm_audit.sources.files.lakes import DELTA_LOG, LiveFile, by_the_log, delta_files
from llm_audit.sources.files.lakes.iceberg import INSTALL, METADATA, METADATA_SUFFIX, has_reader, iceberg_files
from llm_audit.sources.files.stores.address import Address
from llm_audit.sources.files.stores.clients import client
from llm_audit.sources.files.stores.key_dates import KeyDates
from llm_audit.sources.files.stores.listing import Listing
from llm_audit.sources.files.stores.remote_file import RemoteFile
from llm_audit.sources.files.stores.retry import tried, why

_EXPORT = "Export its current version as Parquet files to another prefix, and give that."


@dataclass(frozen=True)
class _StoreTable:
    """The folder of a table in a store, as far as it was listed."""

    address: Address
    root: str
    found: Listing

    @property
    def name(self) -> str:
        """Return its address."""
        return self.address.name(self.root)

    @cached_property
    def paths(self) -> frozenset[str]:
        """Return the paths of its objects."""
        return frozenset(info.path for info in self.found.objects if info.path.startswith(f"{self.root}/"))

    def names(self, folder: str) -> list[str]:
        """Return the names of the objects in one of its folders."""
        prefix = f"{self.root}/{folder}/"
        inside = [path.removeprefix(prefix) for path in self.paths if path.startswith(prefix)]
        return [name for name in inside if "/" not in name]

    def read(self, name: str) -> bytes:
        """Return the content of an object."""
        with RemoteFile(self.address.store, f"{self.root}/{name}") as file:
            return file.read()

    def has(self, name: str) -> bool:
        """Return whether an object was listed, or lies in a folder that the period rules out."""
        path = f"{self.root}/{name}"
        return path in self.paths or any(path.startswith(f"{folder}/") for folder in self.found.left_out)


class StoreTables:
    """The tables among what was listed; the log of each is read once."""

    def __init__(self, address: Address, base: str, found: Listing, dates: KeyDates) -> None:
        self._address = address
        self._dates = dates
        self._stale: dict[str, int] = {}
        self._outside: dict[str, int] = {}
        self._live: dict[str, dict[str, LiveFile]] = {}
        self._ruled_out: dict[str, frozenset[str]] = {}
        for root in sorted(_delta_roots(found)):
            self._add(root, delta_files(_StoreTable(address, root, found)))
        for root in sorted(_iceberg_roots(found)):
            if not has_reader():
                raise UsageError(
                    f"{address.name(root)} is an Iceberg table, whose manifests say which of its files count. {INSTALL}"
                )
            self._add(root, *iceberg_files(_StoreTable(address, root, found), dates))
        if not self._live and any(info.path.endswith(".parquet") for info in found.objects):
            self._refuse_part_of_table(base)
        self._refuse_others(found)

    def live(self, path: str) -> LiveFile | None:
        """Return what a table's log says of an object, nothing of one in no table; None where it is not to be read."""
        root = self.root_of(path)
        if root is None:
            return LiveFile()
        inside = path.removeprefix(f"{root}/")
        if inside.startswith((f"{DELTA_LOG}/", f"{METADATA}/")):
            return None
        file = self._live[root].get(inside)
        if file is None:
            self._stale[root] = self._stale.get(root, 0) + 1
            return None
        if inside in self._ruled_out[root]:
            self._outside[root] = self._outside.get(root, 0) + 1
            return None
        return file

    def root_of(self, path: str) -> str | None:
        """Return the folder of the table that an object lies in."""
        return next((root for root in self._live if path.startswith(f"{root}/")), None)

    def notes(self) -> list[str]:
        """Return a note for each table on the objects left out."""
        return [
            f"{self._address.name(root)}: {count:,} object{'' if count == 1 else 's'} not read: not in the table's "
            "current version"
            for root, count in self._stale.items()
        ] + [by_the_log(self._address.name(root), count) for root, count in self._outside.items()]

    def _add(self, root: str, live: dict[str, LiveFile], ruled_out: frozenset[str] = frozenset()) -> None:
        self._live[root] = live
        self._ruled_out[root] = ruled_out.union(name for name, file in live.items() if file.is_outside(self._dates))

    def _refuse_part_of_table(self, base: str) -> None:
        """Refuse a folder inside a table, whose log is above what was listed."""
        above = []
        while "/" in base:
            base = os.path.dirname(base)  # noqa: PTH120 - a path of the store
            above.append(base)
        if not above:
            return
        logs = [f"{folder}/{DELTA_LOG}" for folder in above]
        try:
            infos = tried(lambda: client(self._address.store).get_file_info(logs), base)
        except OSError as error:  # which may be seen only with more permission than to read this folder
            if "denied" in why(error):
                return
            raise UsageError(f"Cannot list {self._address.name(base)}: {why(error)}. Run again.") from None
        for folder, info in zip(above, infos, strict=True):
            if info.type.name == "Directory":
                name = self._address.name(folder)
                raise UsageError(
                    f"What was given is a part of the Delta table {name}, whose log says which of its files count. "
                    f"Give {name} itself, with --since and --until for a part of it."
                )

    def _refuse_others(self, found: Listing) -> None:
        for info in found.objects:
            if "/.hoodie/" in info.path:
                table = self._address.name(info.path.partition("/.hoodie/")[0])
                raise UsageError(f"{table} is a Hudi table, whose log of live files is not read. {_EXPORT}")


def _iceberg_roots(found: Listing) -> set[str]:
    folders = {info.path.rpartition("/")[0] for info in found.objects if info.path.endswith(METADATA_SUFFIX)}
    return {folder.removesuffix(f"/{METADATA}") for folder in folders if folder.endswith(f"/{METADATA}")}


def _delta_roots(found: Listing) -> set[str]:
    mark = f"/{DELTA_LOG}/"
    return {info.path.partition(mark)[0] for info in found.objects if mark in info.path}
