"""A folder in an object store, whose client answers as each provider's does."""

from __future__ import annotations

from typing import Any

import pytest
from pyarrow import fs

from llm_audit.ledger.shared.object_folder import ObjectFolder
from llm_audit.sources.files.stores import clients


class Store:
    """A store in which one folder is, and whose client does not say of another that no file is there."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def get_file_info(self, names: list[str]) -> list[Any]:
        kinds = {"scratch/run/steps": fs.FileType.Directory, "scratch/run": fs.FileType.Directory}
        return [fs.FileInfo(name, kinds.get(name, fs.FileType.NotFound)) for name in names]

    def delete_dir(self, name: str) -> None:
        if name != "scratch/run/steps":
            raise OSError(f"No such directory: {name}")
        self.removed.append(name)


def test_a_folder_that_is_not_there_is_removed_without_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    monkeypatch.setattr(clients, "client", lambda _: store)
    folder = ObjectFolder("gs://scratch/run", checked=True)
    folder.remove("parts/")
    assert store.removed == []
    folder.remove("steps/")
    assert store.removed == ["scratch/run/steps"]
