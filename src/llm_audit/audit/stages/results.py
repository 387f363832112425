"""Results of tasks as files: only what results are made of is read from one, so that a file cannot run code."""

from __future__ import annotations

import io
import pickle
from dataclasses import is_dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
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


def write_result(folder: SharedFolder, name: str, result: object) -> None:
    """Write a result under a name."""
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(result)
    content = file.getbuffer()
    folder.store(name, [checksum(name, content), content])


def read_result(folder: SharedFolder, name: str) -> Any:
    """Return the result under a name.

    Raises:
        DamagedError: It is missing, or is not what was written; the message is its name.
    """
    content = read_sealed(folder, name)
    if content is None:
        raise DamagedError(name)
    try:
        return _Unpickler(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, EOFError):
        raise DamagedError(name) from None


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        """Return how to make a value again of plain ones, where its own way would name more than results need."""
        if isinstance(value, pl.DataFrame):
            content = value.serialize()
            return _frame, (_CODEC.compress(content, asbytes=True), len(content))
        if isinstance(value, ZoneInfo):
            return ZoneInfo, (value.key,)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return what a result is made of.

        Raises:
            UnpicklingError: It is something else.
        """
        if (module, name) == (__name__, _frame.__name__):
            return _frame
        found = super().find_class(module, name) if module.startswith(_OWN) or name in _ARRAYS.get(module, ()) else None
        if found is None or (module.startswith(_OWN) and not _is_record(found)):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a result")
        return found


def _is_record(found: object) -> bool:
    return isinstance(found, type) and (is_dataclass(found) or issubclass(found, msgspec.Struct))


def _frame(content: bytes, size_bytes: int) -> pl.DataFrame:
    return pl.DataFrame.deserialize(io.BytesIO(_CODEC.decompress(content, size_bytes, asbytes=True)))
