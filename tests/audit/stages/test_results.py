from __future__ import annotations

import pickle
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from llm_audit.audit.rows import InputTimes
from llm_audit.audit.stages.results import read_result, write_result
from llm_audit.ledger.sealed import seal
from llm_audit.ledger.shared import DamagedError, open_folder

FRAME = pl.DataFrame(
    {
        "name": pl.Series(["a", None, "b"], dtype=pl.Categorical),
        "sum": pl.Series([2**100, None, -1], dtype=pl.Int128),
        "at": pl.Series([None, None, datetime(2026, 9, 1, tzinfo=ZoneInfo("UTC"))], dtype=pl.Datetime("us", "UTC")),
    }
)


def test_a_result_is_read_as_it_was_written(tmp_path):
    folder = open_folder(str(tmp_path))
    result = {
        "times": InputTimes(frame=FRAME),
        "array": np.arange(5, dtype=np.int64)[::2],
        "number": np.float64(0.5),
        "end": datetime(2026, 9, 1, tzinfo=ZoneInfo("UTC")),
        "large": 10**40,
        "set": frozenset({("a", None)}),
    }
    write_result(folder, "sums-000001", result)
    found = read_result(folder, "sums-000001")
    assert_frame_equal(found.pop("times").frame, result.pop("times").frame)
    assert found.pop("array").tolist() == result.pop("array").tolist()
    assert found == result


@pytest.mark.parametrize("kind", ["int8", "uint64", "int32", "float32", "float64", "bool"])
@pytest.mark.parametrize("count", [0, 1, 127, 5_000])
def test_an_array_is_read_as_it_was_written(tmp_path, kind, count):
    folder = open_folder(str(tmp_path))
    numbers = np.random.default_rng(count).integers(0, 2, count).astype(kind)
    repeated = np.broadcast_to(np.array(1, kind), count)
    write_result(folder, "reading-000001", {"one": numbers, "every other": numbers[::2], "repeated": repeated})
    found = read_result(folder, "reading-000001")
    for name, expected in {"one": numbers, "every other": numbers[::2], "repeated": repeated}.items():
        assert found[name].dtype == np.dtype(kind)
        assert found[name].tolist() == expected.tolist()
    assert found["repeated"].nbytes < 1 << 10 or not found["repeated"].strides[0]  # takes no memory again


def test_parts_that_readers_know_are_not_written(tmp_path):
    folder, known = open_folder(str(tmp_path)), (object(), FRAME)
    write_result(folder, "reading-000001", {"frame": FRAME, "number": 1}, known)
    found = read_result(folder, "reading-000001", known)
    assert found["frame"] is FRAME
    assert found["number"] == 1
    with pytest.raises(DamagedError, match="reading-000001"):
        read_result(folder, "reading-000001", known[:1])


def test_a_column_is_read_as_it_was_written(tmp_path):
    folder = open_folder(str(tmp_path))
    for column in FRAME:
        write_result(folder, "reading-000001", column)
        assert_series_equal(read_result(folder, "reading-000001"), column)


class Harm:
    def __reduce__(self):
        return print, ("harm",)


@pytest.mark.parametrize("content", [pickle.dumps(Harm()), pickle.dumps(write_result), b"", b"nonsense"])
def test_a_file_that_is_no_result_is_damaged_and_runs_nothing(tmp_path, capsys, content):
    folder = open_folder(str(tmp_path))
    folder.store("sums-000001", [seal("sums-000001", content)])
    with pytest.raises(DamagedError, match="sums-000001"):
        read_result(folder, "sums-000001")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:40] + b"?" + data[41:]])
def test_a_result_that_is_missing_or_changed_is_damaged(tmp_path, spoil):
    folder = open_folder(str(tmp_path))
    with pytest.raises(DamagedError, match="sums-000002"):
        read_result(folder, "sums-000002")
    write_result(folder, "sums-000002", [1, 2])
    (tmp_path / "sums-000002").write_bytes(spoil((tmp_path / "sums-000002").read_bytes()))
    with pytest.raises(DamagedError, match="sums-000002"):
        read_result(folder, "sums-000002")
