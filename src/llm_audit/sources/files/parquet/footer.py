"""The footer of a Parquet file: where each column lies, how it is written, and what it unpacks to.

Arrow states the same, but where sums in a damaged footer contradict each other, asking it ends the whole process (as of
pyarrow 26). So these few fields are read here, by the numbers that parquet.thrift of Apache Parquet gives them, from
Thrift's compact protocol.
"""

from __future__ import annotations

from typing import Any, BinaryIO, TypeVar

import msgspec

T = TypeVar("T")

_TAIL_BYTES = 8  # the length of the footer, and the magic after it
_DEEPEST = 32
_LONGEST_VARINT = 10
_BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 3, 7, 8, 9, 10, 11, 12
_TRUE, _FALSE = 1, 2
_WHOLE = frozenset({4, 5, 6})  # of 16, 32 and 64 bits
_DOUBLE_BYTES = 8
_LONG_LIST = 15

_ROW_GROUPS = 4  # of the file
_COLUMNS = 1  # of a row group
_META_DATA = 3  # of a column
_ENCODINGS, _PATH, _UNPACKED, _PACKED, _DATA_PAGE, _DICTIONARY_PAGE = 2, 3, 6, 7, 9, 11  # of its metadata


class Chunk(msgspec.Struct, frozen=True):
    """A column of a row group.

    Attributes:
        path: Its name, with those of the fields that hold it.
        encodings: How its pages are written, by the numbers of parquet.thrift.
        first_byte: Where it begins in the file.
        packed_bytes: What it takes there.
        unpacked_bytes: What its pages unpack to.
    """

    path: str
    encodings: frozenset[int]
    first_byte: int
    packed_bytes: int
    unpacked_bytes: int


def read_chunks(file: BinaryIO, *, groups: int, columns: int) -> list[list[Chunk]]:
    """Return the columns of each row group of a Parquet file.

    Args:
        file: The file.
        groups: How many row groups Arrow finds in it.
        columns: How many columns Arrow finds in each.

    Raises:
        ValueError: The footer is damaged.
    """
    tail = file.seek(0, 2) - _TAIL_BYTES
    file.seek(max(tail, 0))
    length = int.from_bytes(file.read(_TAIL_BYTES)[:4], "little")
    if not 0 < length <= tail:
        raise ValueError("the length of the footer")
    file.seek(tail - length)
    described = _Compact(file.read(length)).struct()
    found = [
        [_chunk(_field(column, _META_DATA, dict)) for column in _field(group, _COLUMNS, list)]
        for group in _field(described, _ROW_GROUPS, list)
    ]
    if [len(chunks) for chunks in found] != [columns] * groups:
        raise ValueError("another number of columns than in the schema")
    return found


def _chunk(described: dict[int, Any]) -> Chunk:
    first = _field(described, _DATA_PAGE, int)
    if _DICTIONARY_PAGE in described:
        first = min(first, _field(described, _DICTIONARY_PAGE, int))
    packed = _field(described, _PACKED, int)
    if first < 0 or packed < 0:
        raise ValueError("a place before the file")
    names = [name.decode() for name in _field(described, _PATH, list) if isinstance(name, bytes)]
    encodings = frozenset(code for code in _field(described, _ENCODINGS, list) if isinstance(code, int))
    return Chunk(".".join(names), encodings, first, packed, _field(described, _UNPACKED, int))


def _field(held: Any, number: int, kind: type[T]) -> T:
    found = held.get(number) if isinstance(held, dict) else None
    if not isinstance(found, kind):
        raise ValueError(f"field {number} is no {kind.__name__}")  # noqa: TRY004 - of the file, as all damage
    return found


class _Compact:
    """Values of Thrift's compact protocol; any that is cut or has an unknown type is a ValueError."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a struct by their numbers."""
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        fields: dict[int, Any] = {}
        field = 0
        while header := self._byte():
            step, kind = header >> 4, header & 15
            field = field + step if step else self._whole()
            fields[field] = kind == _TRUE if kind in {_TRUE, _FALSE} else self._value(kind, depth + 1)
        return fields

    def _value(self, kind: int, depth: int) -> Any:  # noqa: PLR0911 - a type a branch
        if kind in _WHOLE:
            return self._whole()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind == _STRUCT:
            return self.struct(depth)
        if kind in {_LIST, _SET}:
            return self._list(depth)
        if kind in {_BYTE, _TRUE, _FALSE}:
            return self._byte()
        if kind == _DOUBLE:
            return self._take(_DOUBLE_BYTES)
        if kind == _MAP:
            return self._map(depth)
        raise ValueError(f"unknown type {kind}")

    def _list(self, depth: int) -> list[Any]:
        header = self._byte()
        count, kind = header >> 4, header & 15
        if count == _LONG_LIST:
            count = self._varint()
        return [self._value(kind, depth) for _ in range(self._possible(count))]

    def _map(self, depth: int) -> list[tuple[Any, Any]]:
        count = self._possible(self._varint())
        kinds = self._byte() if count else 0
        return [(self._value(kinds >> 4, depth), self._value(kinds & 15, depth)) for _ in range(count)]

    def _possible(self, count: int) -> int:
        """Return a number of values, each of which takes a byte at least."""
        if count > len(self._data) - self._at:
            raise ValueError("more values than bytes")
        return count

    def _whole(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _varint(self) -> int:
        value = 0
        for place in range(_LONGEST_VARINT):
            byte = self._byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise ValueError("a number of more than 64 bits")

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise ValueError("cut short")
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ValueError("cut short")
        found, self._at = self._data[self._at : end], end
        return found
