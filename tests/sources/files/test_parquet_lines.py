import math
import struct
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.sources.files.container import decoded
from llm_audit.sources.files.lines import Lines
from llm_audit.sources.files.parquet import json_lines, parquet_pieces, parquet_rows


@pytest.fixture(autouse=True, params=[True, False], ids=["compiled", "python"])
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Test with compiled code, where it is built, and without."""
    if request.param and not json_lines.COMPILED:
        pytest.skip("not compiled")
    monkeypatch.setattr(json_lines, "COMPILED", request.param)
    return request.param


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", '"\\/', "\x00\x1f\x7f\r\n\t", "\u2028é🙂", "null", "{}"]
)
NAMES = st.lists(
    st.sampled_from(["a", "b", "model", "é", '"\\', "two words"]) | TEXT, min_size=1, max_size=4, unique=True
)
SCALARS = st.sampled_from(
    [
        (pa.string(), TEXT),
        (pa.large_string(), TEXT),
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.int8(), st.integers(-128, 127)),
        (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
        (pa.bool_(), st.booleans()),
        (pa.null(), st.none()),
    ]
)


def _list_of(inner):
    kind, values = inner
    return st.sampled_from([pa.list_(kind), pa.large_list(kind)]).map(
        lambda outer: (outer, st.lists(values | st.none(), max_size=3))
    )


def _object_of(names, inner):
    kind = pa.struct([(name, own) for name, (own, _) in zip(names, inner, strict=True)])
    values = st.fixed_dictionaries({name: some | st.none() for name, (_, some) in zip(names, inner, strict=True)})
    return kind, values


def _objects(inner):
    return NAMES.flatmap(lambda names: st.tuples(*[inner] * len(names)).map(lambda some: _object_of(names, some)))


KINDS = st.recursive(SCALARS, lambda inner: inner.flatmap(_list_of) | _objects(inner), max_leaves=4)


@st.composite
def tables(draw) -> pa.Table:
    names = draw(NAMES)
    kinds = [draw(KINDS) for _ in names]
    size = draw(st.integers(1, 12))
    columns = [
        pa.array(draw(st.lists(values | st.none(), min_size=size, max_size=size)), kind) for kind, values in kinds
    ]
    return pa.table(columns, names)


def is_printable(fields) -> bool:
    """Return whether all names in a schema are, and none is empty; others are not given to polars."""
    named = all(field.name and field.name.isprintable() for field in fields)
    return named and all(is_printable(kind) for kind in map(_item_of, fields) if pa.types.is_struct(kind))


def _item_of(field: pa.Field) -> pa.DataType:
    """Return the type of a field, or of what its lists hold, however deep."""
    kind = field.type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    return kind


def both(source) -> tuple[list, list, int]:
    """Return the rows of a Parquet file without lines and with them, and how many pieces were lines."""
    found, pieces = [], 0
    for number, piece in parquet_pieces(source):
        if isinstance(piece, bytes):
            pieces += 1
            found += decoded(Lines([piece], None, number - 1))
        else:
            found.append((number, piece))
    return list(parquet_rows(source)), found, pieces


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(), st.booleans(), st.sampled_from([1 << 24, 400]))
def test_lines_hold_the_values_of_the_rows(source_of, tmp_path: Path, table, packed, most) -> None:
    path = tmp_path / "t"
    pq.write_table(table, path, use_dictionary=packed, row_group_size=5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_lines, "MAX_LINES_BYTES", most)
        rows, found, pieces = both(source_of(path))
    assert repr(found) == repr(rows)  # which also tells 1 from 1.0, 0.0 from -0.0, and the order of keys
    assert [number for number, _ in found] == list(range(1, table.num_rows + 1))
    assert pieces or most == 400 or not is_printable(table.schema)


@pytest.mark.parametrize(
    ("column", "as_lines"),
    [
        (pa.array(["a", "b"]).dictionary_encode(), True),
        (pa.array([[{"role": "user", "content": "x"}], None]), True),
        (pa.array([0.5, -0.0]), True),
        (pa.array([-math.inf, math.nan]), False),
        (pa.array([[0.5, math.nan], [math.inf]]), False),
        (pa.array([0.1, 0.2], pa.float32()), False),
        (pa.array([1, 2], pa.timestamp("us", "UTC")), False),
        (pa.array([b"a", b"b"]), False),
        (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), False),
        (pa.array(["1.5", "2"]).cast(pa.decimal128(5, 2)), False),
        (pa.array([["a"], ["b"]], pa.list_(pa.string(), 1)), False),
        (pa.StructArray.from_arrays([pa.array([1, 2])] * 2, ["a", "a"]), False),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)  # fmt: skip
def test_values_that_json_cannot_state_are_rows(source_of, tmp_path: Path, column, as_lines) -> None:
    path = tmp_path / "t"
    pq.write_table(pa.table({"n": [1, 2], "a": column}), path)
    rows, found, pieces = both(source_of(path))
    assert repr(found) == repr(rows)
    assert pieces == as_lines


def test_texts_in_lists_are_read_across_row_groups(source_of, tmp_path: Path) -> None:
    path = tmp_path / "t"
    messages = [[{"role": "user", "content": f"{row % 3}"}] for row in range(50)]
    pq.write_table(pa.table({"messages": messages}), path, row_group_size=7)
    rows, found, _ = both(source_of(path))
    assert found == rows == [(number, {"messages": row}) for number, row in enumerate(messages, 1)]


def test_rows_whose_nulls_vary_keep_their_order(source_of, tmp_path: Path, compiled: bool) -> None:
    path = tmp_path / "t"
    columns = {f"c{bit}": [row if row >> bit & 1 else None for row in range(16)] for bit in range(4)}
    pq.write_table(pa.table(columns), path)
    rows, found, pieces = both(source_of(path))
    assert (found, pieces) == (rows, 1)
    assert found[:4] == [(1, {}), (2, {"c0": 1}), (3, {"c1": 2}), (4, {"c0": 3, "c1": 3})]
    columns["more"] = [1] * 15 + [None]
    pq.write_table(pa.table({**columns, "more": [None, *range(15)], "c": [1] * 16}), path)
    assert both(source_of(path))[2] == 1
    wide = {f"c{bit}": [row if row >> bit & 1 else None for row in range(32)] for bit in range(5)}
    pq.write_table(pa.table(wide), path)
    rows, found, pieces = both(source_of(path))
    assert (found, pieces) == (rows, int(compiled))


def test_a_row_without_a_line_is_alone(source_of, tmp_path: Path, compiled: bool) -> None:
    path = tmp_path / "t"
    pq.write_table(pa.table({"n": range(9), "x": [math.nan if n == 4 else n / 8 for n in range(9)]}), path)
    rows, found, pieces = both(source_of(path))
    assert repr(found) == repr(rows)
    assert pieces == (2 if compiled else 0)


def test_a_value_that_a_dictionary_repeats_is_written_within_the_limit(source_of, tmp_path: Path) -> None:
    path = tmp_path / "t"
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), pa.array(["x" * 2_000_000]))
    pq.write_table(pa.table({"a": column}), path, compression="zstd", dictionary_pagesize_limit=1 << 26)
    tracemalloc.start()
    assert sum(len(piece) for _, piece in parquet_pieces(source_of(path)) if isinstance(piece, bytes)) > 400_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


@pytest.mark.skipif(not json_lines.COMPILED, reason="not compiled")
@pytest.mark.parametrize(
    "changed",
    [
        {0: "text"},
        {2: -1},
        {2: 4},
        {3: 9},
        {4: b""},
        {5: b"\0" * 12},
        {5: struct.pack("4i", 0, 2, 1, 3)},
        {5: struct.pack("4i", 0, 1, 2, 4)},
        {7: ((),)},
    ],
)
def test_arrays_that_do_not_fit_their_buffers_are_refused(changed: dict[int, object]) -> None:
    from llm_audit.sources.files.parquet import _json

    def written(column: tuple) -> tuple[bytes, int]:
        return _json.write(("struct", b"", 0, 3, None, None, None, (column,)), 0, 100, 100)

    fits = ("string", b'"a":', 0, 3, b"\7", struct.pack("4i", 0, 1, 2, 3), b'x"z', ())
    assert written(fits) == (b'{"a":"x"}\n{"a":"\\""}\n{"a":"z"}\n', 3)
    with pytest.raises((ValueError, TypeError)):
        written(tuple(changed.get(place, value) for place, value in enumerate(fits)))


def test_a_text_that_is_no_utf8_is_read_as_without_lines(source_of, tmp_path: Path) -> None:
    path = tmp_path / "t"
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"]).buffers())
    pq.write_table(pa.table({"a": text}), path)
    rows, found, pieces = both(source_of(path))
    assert (found, pieces) == (rows, 0)


def test_texts_written_out_are_not_read_as_dictionaries(source_of, tmp_path: Path, monkeypatch) -> None:
    path, asked = tmp_path / "t", []
    opened = pq.ParquetFile

    def spied(file, **options):
        asked.extend(options.get("read_dictionary", ()))
        return opened(file, **options)

    monkeypatch.setattr(pq, "ParquetFile", spied)
    columns = {"a": ["x", "y"], "b": [{"c": "x"}, {"c": "x"}], "n": [1, 2], "raw": [b"x", b"y"]}
    pq.write_table(pa.table(columns), path, use_dictionary=["b.c", "n"])
    assert both(source_of(path))[0][0] == (1, {"a": "x", "b": {"c": "x"}, "n": 1, "raw": "x"})
    assert set(asked) == {"b.c"}
