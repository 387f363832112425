"""The folder of a table, on this machine or in a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import msgspec


class Table(Protocol):
    """A table's folder."""

    @property
    def name(self) -> str:
        """Return its name, as reports show it."""

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in one of its folders."""

    def read(self, name: str) -> bytes:
        """Return the content of a file, by its path inside the table."""

    def has(self, name: str) -> bool:
        """Return whether it has a file."""


class LocalTable(msgspec.Struct, frozen=True):
    """A table on this machine."""

    name: str

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in one of its folders."""
        return os.listdir(Path(self.name, folder))  # noqa: PTH208

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return Path(self.name, name).read_bytes()

    def has(self, name: str) -> bool:
        """Return whether it has a file."""
        return Path(self.name, name).is_file()
