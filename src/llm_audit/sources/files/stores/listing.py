"""Listing what a store holds below a prefix: folders of one level side by side, each then to its depth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import msgspec

from llm_audit.sources.files.stores.address import Address, Kind
from llm_audit.sources.files.stores.clients import client
from llm_audit.sources.files.stores.retry import tried, why

_THREADS = 16
_KEYS_PER_REQUEST = 1000
_DEEP_FROM = {Kind.S3: 2 * _THREADS, Kind.GCS: 0, Kind.AZURE: None}
"""Folders of a level from which each is listed to its depth. Arrow's client of Google's store shows no folders that
have no object of their own, so it lists all at once; that of Azure asks level by level in any case."""

Wanted = Callable[[str], bool]
"""Whether a folder, by its address, is looked into."""


class Listing(msgspec.Struct):
    """The objects below a prefix, and what of it was not listed."""

    objects: list[Any] = msgspec.field(default_factory=list)  # Arrow's descriptions, with path, size and time
    left_out: list[str] = msgspec.field(default_factory=list)  # folders that are not wanted
    failed: dict[str, str] = msgspec.field(default_factory=dict)  # folders that cannot be listed, and why
    requests: int = 0  # at least so many

    def add(self, address: Address, folder: str, answer: list[Any] | OSError, wanted: Wanted | None) -> list[str]:
        """Take in what a folder holds; return the folders in it that are to be listed: none without ``wanted``."""
        if isinstance(answer, OSError):
            self.failed[address.name(folder)] = why(answer)
            return []
        self.requests += max(1, -(-len(answer) // _KEYS_PER_REQUEST))
        self.objects += filter(_is_object, answer)
        inside = [info.path for info in answer if _is_folder(info)] if wanted is not None else []
        kept = [path for path in inside if wanted is not None and wanted(f"{address.name(path)}/")]
        self.left_out += sorted({*inside} - {*kept})
        return kept


def listing(address: Address, base: str, *, wanted: Wanted = lambda _: True) -> Listing:
    """List the objects at a path or below it, without the folders that are not wanted.

    Raises:
        OSError: The path itself cannot be listed.
    """
    found = Listing()
    if base != address.bucket and not address.key.endswith("/"):
        found.requests += 1
        [info] = tried(lambda: client(address.store).get_file_info([base]), base, attempts=3)
        if not _is_folder(info):
            found.objects += [info] if _is_object(info) else []
            return found
    level = [base]
    deep_from = _DEEP_FROM[address.store.kind]
    with ThreadPoolExecutor(_THREADS) as threads:
        while level:
            deep = deep_from is not None and len(level) >= deep_from
            answers = list(threads.map(_listed, repeat(address), level, repeat(deep)))
            if isinstance(answers[0], OSError) and level == [base]:
                raise answers[0]
            level = [
                inside
                for folder, answer in zip(level, answers, strict=True)
                for inside in found.add(address, folder, answer, None if deep else wanted)
            ]
    return found


def _listed(address: Address, folder: str, deep: bool) -> list[Any] | OSError:  # noqa: FBT001 - for map
    from pyarrow import fs

    selector = fs.FileSelector(folder, recursive=deep)
    try:
        answer: list[Any] = tried(lambda: client(address.store).get_file_info(selector), folder, attempts=5)
    except FileNotFoundError:
        return OSError("it does not exist")
    except OSError as error:
        return error
    return answer


def _is_object(info: Any) -> bool:
    return bool(info.is_file)


def _is_folder(info: Any) -> bool:
    from pyarrow import fs

    return bool(info.type == fs.FileType.Directory)
