"""The place of one request in a ledger, which is looked for partition by partition."""

from __future__ import annotations

import contextlib

import msgspec
import polars as pl
from xxhash import xxh3_64_intdigest

from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger

_ORDER = ("input", "line", "entry")


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """A request's partition and key, and the templates of the requests that it shares a conversation or trace with."""

    partition: int
    key: int
    templates: frozenset[int]


def find(ledger: Ledger, request: str) -> Place:
    """Return the place of the first request that is called so.

    Args:
        ledger: The ledger it is in.
        request: The id the log gives it, ``request_key`` as a number or in hexadecimal, or ``file:line``.

    Raises:
        UsageError: No request is called that.
    """
    wanted = _named(ledger, request)
    found = [
        (row, partition)
        for partition in range(ledger.partitions)
        for row in ledger.scan(partition).filter(wanted).select(*_ORDER, "request_key").head(1).collect().iter_rows()
    ]
    if not found:
        raise UsageError(
            f"There is no request {request!r}. Give the id that the log has, its request_key or file:line."
        )
    (*_, key), partition = min(found)
    return Place(partition=partition, key=key, templates=_templates(ledger, partition, key))


def _named(ledger: Ledger, request: str) -> pl.Expr:
    keys = [xxh3_64_intdigest(request.encode())]
    if request.isdigit():
        keys.append(int(request))
    with contextlib.suppress(ValueError):
        keys.append(int(request, 16))
    wanted = pl.lit(value=False)
    for key in keys:
        if key < 2**64:
            same = pl.lit(key, dtype=pl.UInt64)
            wanted |= (pl.col("request_id") == same).fill_null(value=False) | (pl.col("request_key") == same)
    file, _, line = request.rpartition(":")
    if file and line.isdigit():
        inputs = [number for number, item in enumerate(ledger.manifest.inputs) if item.path.endswith(file)]
        wanted |= pl.col("input").is_in(inputs) & (pl.col("line") == int(line))
    return wanted


def _templates(ledger: Ledger, partition: int, key: int) -> frozenset[int]:
    """Return the templates of all requests that conversations and traces connect with one."""
    groups = ("conversation", "trace")
    rows = ledger.scan(partition).select("request_key", "template_hash", *groups).collect()
    connected = rows["request_key"] == key
    reached = 0
    while (count := int(connected.sum())) > reached:
        reached = count
        for name in groups:
            known = rows.filter(connected)[name].drop_nulls().unique()
            connected |= rows[name].is_in(known.implode()).fill_null(value=False)
    return frozenset(rows.filter(connected)["template_hash"].drop_nulls())
