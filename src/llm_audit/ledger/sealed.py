"""Seal what the cache keeps with a checksum, and open it again only where it is unchanged.

The checksum covers the entry's name as well as its content, so that an entry in the place of another one is damage too.
It detects damage, not forgery: who can write the cache can seal what they like.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from xxhash import xxh3_128

_SEAL_BYTES = 33  # 32 hex digits and a line feed


class DamagedError(Exception):
    """What is kept is not what was written."""


def seal(name: str, content: bytes) -> bytes:
    """Return an entry's content behind its checksum."""
    return checksum(name, content) + content


def checksum(name: str, content: bytes | memoryview) -> bytes:
    """Return what ``seal`` puts before the content, which may be large: it is not copied."""
    state = xxh3_128(name.encode() + b"\0")
    state.update(content)
    return state.hexdigest().encode() + b"\n"


def unseal(name: str, data: bytes) -> bytes:
    """Return the content of a sealed entry.

    Raises:
        DamagedError: The entry, its checksum or its name has changed.
    """
    content = data[_SEAL_BYTES:]
    if data[:_SEAL_BYTES] != checksum(name, content):
        raise DamagedError(name)
    return content


def xxh3_of(path: Path) -> str:
    """Return the hash of a file, at the speed of memory.

    Raises:
        OSError: The file cannot be read.
    """
    state = xxh3_128()
    with path.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
