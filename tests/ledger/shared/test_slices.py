from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.ledger.sealed import DamagedError
from llm_audit.ledger.shared import open_folder
from llm_audit.ledger.shared.slices import compact_dictionaries, read_slice, write_slices

TABLES = [
    pa.table({"key": pa.array([1, 2, None], pa.uint64()), "name": pa.array(["a", None, "b"]).dictionary_encode()}),
    None,
    pa.table({"key": pa.array([], pa.uint64())}),
    pa.table({"key": pa.array(range(1000), pa.uint64())}),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_slices(open_folder(str(tmp_path)), "rows-000001", TABLES)
    return tmp_path / "rows-000001"


def test_a_reader_gets_its_own_table(path: Path) -> None:
    assert read_slice(open_folder(str(path.parent)), path.name, 0).equals(TABLES[0])
    assert read_slice(open_folder(str(path.parent)), path.name, 1) is None
    assert read_slice(open_folder(str(path.parent)), path.name, 2) is None
    assert read_slice(open_folder(str(path.parent)), path.name, 3).equals(TABLES[3])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_same_tables_are_the_same_bytes(path: Path) -> None:
    before = path.read_bytes()
    write_slices(open_folder(str(path.parent)), path.name, TABLES)
    assert path.read_bytes() == before


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_every_bit_counts_for_one_reader_at_least(path: Path, place: float, bit: int) -> None:
    filled = [TABLES[0], TABLES[3]]
    write_slices(open_folder(str(path.parent)), path.name, filled)
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    spoilt[int(place * len(spoilt))] ^= 1 << bit
    path.write_bytes(spoilt)
    damaged = 0
    for number, table in enumerate(filled):
        try:
            found = read_slice(open_folder(str(path.parent)), path.name, number)
        except DamagedError:
            damaged += 1
        else:
            assert found.equals(table)
    path.write_bytes(whole)
    assert damaged >= 1


@pytest.mark.parametrize("left", [0, 31, 130, 200])
def test_a_file_that_is_cut_short_is_damaged(path: Path, left: int) -> None:
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DamagedError):
        read_slice(open_folder(str(path.parent)), path.name, 3)


def test_a_missing_file_and_one_under_another_name_are_damaged(path: Path) -> None:
    path.rename(path.with_name("rows-000002"))
    with pytest.raises(DamagedError, match="rows-000001"):
        read_slice(open_folder(str(path.parent)), path.name, 0)
    with pytest.raises(DamagedError, match="rows-000002"):
        read_slice(open_folder(str(path.parent)), "rows-000002", 0)


@given(st.lists(st.sampled_from([None, "a", "b", "c", "d"]), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_a_compact_dictionary_has_the_words_of_its_rows_and_no_other(
    words: list[str | None], first: int, count: int
) -> None:
    column = pa.array(words, pa.string()).dictionary_encode()
    part = compact_dictionaries(pa.table({"word": column, "row": pa.array(range(len(words)))}).slice(first, count))
    assert part["word"].to_pylist() == words[first : first + count]
    assert set(part["word"].chunk(0).dictionary.to_pylist()) == set(words[first : first + count]) - {None}
    assert part["row"].to_pylist() == list(range(len(words)))[first : first + count]
