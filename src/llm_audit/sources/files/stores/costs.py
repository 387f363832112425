"""What reading objects takes: requests, and their list prices."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from llm_audit.sources.files.limits import BLOCK_BYTES, FETCH_BYTES, SHARD_BYTES
from llm_audit.sources.files.stores.address import Kind


class Prices(NamedTuple):
    """List prices in US dollars, of standard storage in a region of the United States."""

    list_per_1000: Decimal
    get_per_1000: Decimal  # HEAD as well
    internet_per_gb: Decimal  # nothing within the region


PRICES = {
    Kind.S3: Prices(Decimal("0.005"), Decimal("0.0004"), Decimal("0.09")),
    Kind.GCS: Prices(Decimal("0.005"), Decimal("0.0004"), Decimal("0.12")),
    Kind.AZURE: Prices(Decimal("0.005"), Decimal("0.0004"), Decimal("0.087")),
}


def requests_to_read(kind: Kind, size_bytes: int, *, by_ranges: bool) -> int:
    """Return how many requests an object takes: one to open it, of Google's store two, and one a block.

    A large object of plain lines is opened to see its beginning, to learn its size, and for each of its ranges.
    """
    to_open = 2 if kind is Kind.GCS else 1
    if not by_ranges or size_bytes <= SHARD_BYTES:
        return to_open + -(-size_bytes // FETCH_BYTES)
    ranges = -(-size_bytes // SHARD_BYTES)
    blocks = -(-size_bytes // BLOCK_BYTES) + ranges - 1  # and the end of the last line of each range but the last
    return to_open * (ranges + 2) + 1 + blocks


def requests_cost(kind: Kind, *, listings: int, reads: int) -> Decimal:
    """Return the list price of requests in US dollars."""
    prices = PRICES[kind]
    return (listings * prices.list_per_1000 + reads * prices.get_per_1000) / 1000


def transfer_cost(kind: Kind, size_bytes: int) -> Decimal:
    """Return the list price of sending bytes over the internet, in US dollars."""
    return PRICES[kind].internet_per_gb * size_bytes / 10**9
