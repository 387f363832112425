"""The hash of identifiers and texts: xxh3 of their UTF-8, 64 bits."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest


def hash64(text: str, seed: int = 0) -> int:
    """Hash a text, as the ledger's identifiers are hashed."""
    return xxh3_64_intdigest(text.encode(), seed)
