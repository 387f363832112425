"""The file of a calibration: its fields and their types, which anyone may have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from llm_audit.classify.hashing import BUCKETS, HASH_VERSION
from llm_audit.errors import UsageError

FORMAT: Final = 3

_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Bucket = Annotated[int, Meta(ge=0, lt=BUCKETS)]
_Number = Annotated[float, Meta(ge=-1e15, le=1e15)]


class SavedPosterior(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``Posterior`` as JSON; ``factor`` row by row up to the diagonal."""

    names: list[str]
    mean: list[_Number]
    factor: list[list[_Number]]
    verdicts: list[_Count]
    template_sd: _Number


class SavedCalibration(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``Calibration`` as JSON; ``most`` is None where it has no bound."""

    format: int
    hash_version: int
    classifier: str
    outcomes: _Count
    buckets: list[_Bucket]
    weights: list[_Number]
    shift: dict[str, _Number]
    shift_sd: dict[str, _Number]
    most: _Number | None
    before: _Number
    after: _Number
    posterior: SavedPosterior | None


class _Version(msgspec.Struct, frozen=True):
    format: int
    hash_version: int


def read_calibration(path: Path) -> SavedCalibration:
    """Read a calibration's file.

    Raises:
        UsageError: It cannot be read, or is no calibration of this version; the message has the path of the field.
    """
    try:
        data = path.read_bytes()
        version = msgspec.json.decode(data, type=_Version)
        if (version.format, version.hash_version) != (FORMAT, HASH_VERSION):
            raise UsageError(f"{path} is of another version. Run calibrate again.")
        saved = msgspec.json.decode(data, type=SavedCalibration)
        _check_lengths(saved)
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}. Make it with llm-audit calibrate.") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not a calibration: {error}. Make it with llm-audit calibrate.") from None
    return saved


def _check_lengths(saved: SavedCalibration) -> None:
    if len(saved.buckets) != len(saved.weights):
        raise ValueError("there is not one weight for each bucket - at `$.weights`")
    if saved.shift.keys() != saved.shift_sd.keys():
        raise ValueError("its models are not those of `$.shift` - at `$.shift_sd`")
    posterior = saved.posterior
    if posterior is None:
        return
    count = len(posterior.names)
    if not len(posterior.mean) == len(posterior.factor) == len(posterior.verdicts) == count:
        raise ValueError("the parts differ in length - at `$.posterior`")
    if any(len(row) != at + 1 for at, row in enumerate(posterior.factor)):
        raise ValueError("a row does not end at the diagonal - at `$.posterior.factor`")
