"""The objects behind an address: a prefix listed, a pattern matched, what is no log passed over."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.sources.files.named import partition_columns
from llm_audit.sources.files.storage import Source
from llm_audit.sources.files.stores.address import Address, parse
from llm_audit.sources.files.stores.key_dates import KeyDates, outside_period
from llm_audit.sources.files.stores.listing import Listing, listing
from llm_audit.sources.files.stores.retry import why
from llm_audit.sources.files.stores.tables import StoreTables
from llm_audit.sources.files.walk import skip_reason

_WILDCARD = re.compile(r"[*?\[]")


def objects(path: str, notes: list[str], dates: KeyDates) -> Iterator[Source]:
    """Yield the objects behind an address. What is passed over by its name or cannot be listed gets a note.

    Raises:
        UsageError: The address cannot be listed, or there is nothing behind it.
    """
    address, base, found = listed(path, dates)
    pattern = f"{address.bucket}/{address.key}" if _WILDCARD.search(address.key) else None
    notes += [f"{folder} was not read: it cannot be listed: {reason}" for folder, reason in found.failed.items()]
    if found.left_out:
        notes.append(outside_period(path, len(found.left_out), "folder"))
    tables = StoreTables(address, base, found, dates)
    matched = False
    for info in found.objects:
        if pattern is not None and not fnmatch.fnmatchcase(info.path, pattern):
            continue
        matched = True
        name = address.name(info.path)
        inside = info.path.removeprefix(base).split("/")
        if (live := tables.live(info.path)) is None:
            continue
        if reason := any(part.startswith(".") for part in inside) or skip_reason(inside[-1], folder=False):
            notes.append(f"{name} was not read: {'hidden' if reason is True else reason}")
            continue
        source = source_of(address, info)
        columns = tuple({**dict(source.columns), **dict(live.columns)}.items())
        yield replace(source, columns=columns, lake=tables.root_of(info.path) is not None, deleted=live.deleted)
    notes += tables.notes()
    if not matched and not found.left_out:
        if found.failed:
            folder, reason = next(iter(found.failed.items()))
            raise UsageError(f"Cannot list {folder}: {reason}. Check that you may list it.")
        raise UsageError(f"{path} holds no objects. Check the bucket and the prefix.")


def listed(path: str, dates: KeyDates) -> tuple[Address, str, Listing]:
    """Return an address, the path in its store below which it was listed, and what is there.

    Raises:
        UsageError: It cannot be listed.
    """
    address = parse(path)
    key = address.key.rstrip("/")
    wildcard = _WILDCARD.search(key)
    folder = key[: wildcard.start()].rpartition("/")[0] if wildcard else key
    base = f"{address.bucket}/{folder}".rstrip("/")
    try:
        found = listing(address, base, wanted=lambda name: not dates.rules_out(name))
    except OSError as error:
        raise UsageError(
            f"Cannot list {path}: {why(error)}. Check the bucket, the region, the endpoint and the credentials."
        ) from None
    return address, base, found


def source_of(address: Address, info: Any) -> Source:
    """Return an object of a listing as a source."""
    name = address.name(info.path)
    return Source(
        name=name,
        path=info.path,
        size_bytes=info.size or 0,
        modified_ns=info.mtime_ns or 0,
        identity=f"{address.store.place} {info.path}",
        columns=partition_columns(name),
        store=address.store,
    )
