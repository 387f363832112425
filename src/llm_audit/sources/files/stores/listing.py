"""Listing what a store holds below a prefix: folders of one level side by side, each then to its depth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from llm_audit.sources.files.stores.address import Address, Kind
from llm_audit.sources.files.stores.clients import client
from llm_audit.sources.files.stores.retry import tried, why

_THREADS = 16
_KEYS_PER_REQUEST = 1000
_DEEP_FROM = {Kind.S3: 2 * _THREADS, Kind.GCS: 0, Kind.AZURE: None}
"""Folders of a level from which each is listed to its depth. Arrow's client of Google's store shows no folders that
have no object of their own, so it lists all at once; that of Azure asks level by level in any case."""


@dataclass(slots=True)
class Listing:
    """The objects below a prefix, and what of it was not listed."""

    objects: list[Any] = field(default_factory=list)  # Arrow's descriptions, with path, size and time
    left_out: list[str] = field(default_factory=list)  # folders that are not wanted
    failed: dict[str, str] = field(default_factory=dict)  # folders that cannot be listed, and why
    requests: int = 0  # at least so many


def listing(address: Address, base: str, *, wanted: Callable[[str], bool] = lambda _: True) -> Listing:
    """List the objects at a path or below it; ``wanted`` says of a folder's address whether it is looked into.

    Raises:
        OSError: The path itself cannot be listed.
    """
    from pyarrow import fs

    found = Listing()
    if base != address.bucket and not address.key.endswith("/"):
        [info] = tried(lambda: client(address.store).get_file_info([base]), base, attempts=3)
        found.requests += 1
        if info.type == fs.FileType.File:
            found.objects.append(info)
            return found
        if info.type == fs.FileType.NotFound:
            return found
    level = [base]
    deep_from = _DEEP_FROM[address.store.kind]
    with ThreadPoolExecutor(_THREADS) as threads:
        while level:
            deep = deep_from is not None and len(level) >= deep_from
            answers = threads.map(lambda folder: _listed(address, folder, deep=deep), level)  # noqa: B023 - used at once
            following: list[str] = []
            for folder, answer in zip(level, answers, strict=True):
                if isinstance(answer, OSError):
                    if folder == base:
                        raise answer
                    found.failed[address.name(folder)] = why(answer)
                    continue
                found.requests += max(1, -(-len(answer) // _KEYS_PER_REQUEST))
                for info in answer:
                    if info.type == fs.FileType.File:
                        found.objects.append(info)
                    elif not deep and info.type == fs.FileType.Directory:
                        kept = wanted(address.name(info.path) + "/")
                        (following if kept else found.left_out).append(info.path)
            level = following
    return found


def _listed(address: Address, folder: str, *, deep: bool) -> list[Any] | OSError:
    from pyarrow import fs

    selector = fs.FileSelector(folder, recursive=deep)
    try:
        answer: list[Any] = tried(lambda: client(address.store).get_file_info(selector), folder, attempts=5)
    except FileNotFoundError:
        return OSError("it does not exist")
    except OSError as error:
        return error
    return answer
