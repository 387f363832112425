"""Hash identifiers and texts: 64-bit xxh3 of their UTF-8."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest


def hash64(text: str, seed: int = 0) -> int:
    """Return the hash of a text, as in the ledger's identifiers."""
    return xxh3_64_intdigest(text.encode(), seed)
