"""Results of tasks as files: only what results are made of is read from one, so that a file cannot run code."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from llm_audit.ledger.shared import DamagedError, SharedFolder, checksum, read_sealed

_ARRAYS = {
    "numpy": {"dtype", "ndarray"},
    "numpy._core.multiarray": {"scalar", "_reconstruct"},
    "numpy._core.numeric": {"_frombuffer"},
    "numpy.core.multiarray": {"scalar", "_reconstruct"},
    "numpy.core.numeric": {"_frombuffer"},
    "datetime": {"date", "datetime", "timedelta", "timezone"},
    "zoneinfo": {"ZoneInfo"},
    "msgspec._utils": {"rebuild"},
}
_OWN = "llm_audit."
_CODEC = pa.Codec("lz4")  # names repeat in tables, which would take the memory of a file each while they are written
_LARGE = 1 << 10
"""Bytes of an array that is compressed."""


def write_result(folder: SharedFolder, name: str, result: object, known: Sequence[object] = ()) -> None:
    """Write a result under a name, without those parts of it that its readers know."""
    file = io.BytesIO()
    _Pickler(file, known).dump(result)
    content = file.getbuffer()
    folder.store(name, [checksum(name, content), content])


def read_result(folder: SharedFolder, name: str, known: Sequence[object] = ()) -> Any:
    """Return the result under a name.

    Args:
        folder: Where it was written.
        name: Its name.
        known: The parts that it was written without, in the same order.

    Raises:
        DamagedError: It is missing, or is not what was written; the message is its name.
    """
    content = read_sealed(folder, name)
    if content is None:
        raise DamagedError(name)
    try:
        return _Unpickler(io.BytesIO(content), known).load()
    except (pickle.UnpicklingError, EOFError):
        raise DamagedError(name) from None


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, known: Sequence[object]) -> None:
        super().__init__(file, protocol=5)
        self._known = known  # held, so that nothing else gets their addresses
        self._place = {id(part): place for place, part in enumerate(known)}

    def persistent_id(self, value: object) -> int | None:
        """Return the place of a part that readers know."""
        return self._place.get(id(value))

    def reducer_override(self, value: object) -> Any:
        """Return how to make a value again of plain ones, where its own way would name more than results need."""
        if isinstance(value, pl.DataFrame):
            content = value.serialize()
            return _frame, (_CODEC.compress(content, asbytes=True), len(content))
        if isinstance(value, pl.Series):
            return _series, (value.to_frame(),)
        if isinstance(value, np.ndarray) and value.ndim == 1 and value.nbytes >= _LARGE and value.dtype.kind in "biuf":
            if not value.strides[0]:
                return _repeated, (value[:1].copy(), len(value))
            numbers = np.ascontiguousarray(value).view(np.uint8)
            return _array, (_CODEC.compress(numbers, asbytes=True), value.dtype.str, len(value))
        if isinstance(value, ZoneInfo):
            return ZoneInfo, (value.key,)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: Sequence[object]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, place: Any) -> object:
        """Return a part that was not written.

        Raises:
            UnpicklingError: There is none at its place.
        """
        if isinstance(place, int) and 0 <= place < len(self._known):
            return self._known[place]
        raise pickle.UnpicklingError(f"{place} is no part of a result that is known")

    def find_class(self, module: str, name: str) -> Any:
        """Return what a result is made of.

        Raises:
            UnpicklingError: It is something else.
        """
        if module == __name__ and name in _MADE_BY:
            return _MADE_BY[name]
        found = super().find_class(module, name) if module.startswith(_OWN) or name in _ARRAYS.get(module, ()) else None
        if found is None or (module.startswith(_OWN) and not _is_record(found)):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a result")
        return found


def _is_record(found: object) -> bool:
    return isinstance(found, type) and (is_dataclass(found) or issubclass(found, msgspec.Struct))


def _frame(content: bytes, size_bytes: int) -> pl.DataFrame:
    return pl.DataFrame.deserialize(io.BytesIO(_CODEC.decompress(content, size_bytes, asbytes=True)))


def _series(frame: pl.DataFrame) -> pl.Series:
    return frame.to_series()


def _array(content: bytes, kind: str, count: int) -> npt.NDArray[Any]:
    numbers = np.dtype(kind)
    return np.frombuffer(_CODEC.decompress(content, count * numbers.itemsize), numbers)


def _repeated(value: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    return np.broadcast_to(value, count)


_MADE_BY = {function.__name__: function for function in (_frame, _series, _array, _repeated)}
"""The functions that a file may name."""
