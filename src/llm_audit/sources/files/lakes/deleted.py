"""Rows that a table's log deletes inside its files: their places as roaring bitmaps, which pyroaring reads.

Delta's deletion vectors and those of Iceberg's version 3 hold the same bitmaps, in frames of their own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from uuid import UUID

from llm_audit.sources.files.lakes.table import Table

if TYPE_CHECKING:
    from pyroaring import BitMap64

_MAGIC = (1_681_511_377).to_bytes(4, "little")
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_UUID_LETTERS = 20


def places_of(deleted: bytes) -> BitMap64:
    """Return the places of deleted rows, from 0."""
    from pyroaring import BitMap64

    return BitMap64.deserialize(deleted)


def packed(places: Iterable[int]) -> bytes:
    """Return places as a roaring bitmap in its portable form."""
    from pyroaring import BitMap64

    return bytes(BitMap64(places).serialize())


def framed_places(frame: bytes) -> Iterable[int]:
    """Return the places of a bitmap in the frame of deletion vectors: its size, the bitmap, and its checksum.

    Raises:
        ValueError: It is damaged.
    """
    size = int.from_bytes(frame[:4], "big")
    content = frame[4 : 4 + size]
    if len(content) < size or zlib.crc32(content) != int.from_bytes(frame[4 + size : 8 + size], "big"):
        raise ValueError("a deletion vector is damaged")
    return _places(content)


def of_delta(vector: Mapping[str, Any], table: Table) -> bytes:
    """Return the rows that a deletion vector of a Delta table names.

    Raises:
        ValueError: It is damaged or of another kind, or the library is not installed.
        OSError: Its file cannot be read.
    """
    if find_spec("pyroaring") is None:
        raise ValueError("it deletes rows inside files by deletion vectors, which llm-audit[delta] reads")
    kind, text, size = vector["storageType"], str(vector["pathOrInlineDv"]), int(vector["sizeInBytes"])
    if kind == "i":
        places = list(_places(_from_z85(text)[:size]))
    elif kind == "u":
        folder, name = text[:-_UUID_LETTERS], UUID(bytes=_from_z85(text[-_UUID_LETTERS:]))
        content = table.read(f"{folder}/deletion_vector_{name}.bin".lstrip("/"))
        start = int(vector.get("offset") or 0)
        places = list(framed_places(content[start : start + size + 8]))
    else:
        raise ValueError(f"a deletion vector is outside the table's folder (storage type {kind})")
    if len(places) != int(vector["cardinality"]):
        raise ValueError("a deletion vector is damaged")
    return packed(places)


def vector_id(vector: Mapping[str, Any] | None) -> str:
    """Return what tells a deletion vector from others of the same file; empty for none."""
    return "" if not vector else f"{vector['storageType']}{vector['pathOrInlineDv']}@{vector.get('offset')}"


def _places(content: bytes) -> Iterable[int]:
    from pyroaring import BitMap64

    if content[:4] != _MAGIC:
        raise ValueError("a deletion vector is of a kind that is not read")
    found: Iterable[int] = BitMap64.deserialize(content[4:])
    return found


def _from_z85(text: str) -> bytes:
    if len(text) % 5:
        raise ValueError("a deletion vector is damaged")
    words = (text[place : place + 5] for place in range(0, len(text), 5))
    return b"".join(_number(word).to_bytes(4, "big") for word in words)


def _number(word: str) -> int:
    value = 0
    for letter in word:
        value = value * 85 + _Z85.index(letter)
    return value
