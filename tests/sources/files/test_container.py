import gzip
import json
import sqlite3
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files import tables
from llm_audit.sources.files.container import Container, items, sniff
from llm_audit.sources.files.parquet import bounds, parquet_rows, ranges

RECORDS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y\nz"}, {"a": 3, "b": '"é'}]
LINES = "".join(json.dumps(record) + "\n" for record in RECORDS)


@pytest.fixture
def read(source_of, tmp_path: Path):
    def both(content: bytes, name: str = "log") -> tuple[Container, list]:
        source = source_of(tmp_path / name, content)
        container = sniff(source)
        return container, list(items(source, container))

    return both


@pytest.mark.parametrize(
    ("text", "container", "lines"),
    [
        (LINES, Container.LINES, [1, 2, 3]),
        (LINES.replace("\n", "\r\n"), Container.LINES, [1, 2, 3]),
        ("\n\n" + LINES.rstrip(), Container.LINES, [3, 4, 5]),
        (json.dumps(RECORDS), Container.LINES, [1, 1, 1]),
        (json.dumps(RECORDS, indent=1), Container.VALUES, [2, 6, 10]),
        ("[\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]\n", Container.VALUES, [2, 3, 4]),
        ("\n".join(json.dumps(record, indent=4) for record in RECORDS), Container.VALUES, [1, 5, 9]),
        ("".join(map(json.dumps, RECORDS)), Container.LINES, [1, 1, 1]),
    ],
    ids=["lines", "crlf", "blank lines", "one-line array", "array", "array of lines", "pretty", "in a row"],
)
@pytest.mark.parametrize("encode", [str.encode, lambda text: gzip.compress(text.encode("utf-16"))], ids=["", "gz16"])
def test_json_is_read_whatever_its_layout(text, container, lines, encode, read) -> None:
    found, located = read(encode(text))
    assert found is container
    assert [record for _, record in located] == RECORDS
    assert [line for line, _ in located] == lines


def test_a_long_array_on_one_line_is_read_value_by_value(read) -> None:
    records = [{"n": n, "text": "x" * 100} for n in range(2000)]
    container, located = read(json.dumps(records).encode())
    assert container is Container.VALUES
    assert [record for _, record in located] == records


def test_a_first_line_that_is_broken_does_not_hide_the_lines_after_it(read) -> None:
    container, located = read(b'{"a": \n' + LINES.encode())
    assert container is Container.LINES
    assert located[0] == (1, Rejected(Reason.NOT_JSON))
    assert [record for _, record in located[1:]] == RECORDS


def test_csv_is_told_by_its_name_or_its_header(read) -> None:
    expected = [(2, {"a": "1", "b": "x,y"}), (3, {"a": "2", "c": "p\nq"}), (5, {"a": "3"})]
    assert read(b'a,b,c\n1,"x,y",\n2,,"p\nq"\n3\n', "log.csv") == (Container.CSV, expected)
    assert read(b'a\tb\tc\n1\t"x,y"\t\n2\t\t"p\nq"\n3\n') == (Container.CSV, expected)


def test_a_row_longer_than_the_header_is_rejected_and_its_neighbours_stay(read) -> None:
    _, located = read(b"a,b\n1,2\n1,2,3\n,,\n4,5\n", "log.csv")
    assert located == [(2, {"a": "1", "b": "2"}), (3, Rejected(Reason.BAD_SHAPE)), (5, {"a": "4", "b": "5"})]


def test_rows_before_the_break_of_a_packed_csv_are_kept(read) -> None:
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,%032x\n" % (n, n**9) for n in range(20_000)))
    _, located = read(packed[: len(packed) // 2], "log.csv.gz")
    *rows, (last_line, last) = located
    assert last == Rejected(Reason.TRUNCATED)
    assert [row["a"] for _, row in rows] == [str(n) for n in range(len(rows))]
    assert last_line == len(rows) + 2


def test_values_that_json_lacks_are_converted_wherever_a_parquet_row_nests_them(tmp_path: Path, source_of) -> None:
    columns = {
        "plain": pa.array([[{"role": "user", "n": None}]]),
        "bytes": pa.array([[{"in": b"x\xff"}]]),
        "amount": pa.array([{"usd": Decimal("0.10")}]),
        "map": pa.array([[[("k", 1)]]], pa.list_(pa.map_(pa.string(), pa.int64()))),
        "fixed": pa.array([[b"a", b"b"]], pa.list_(pa.binary(), 2)),
        "many": pa.array([[b"a"]], pa.large_list(pa.large_binary())),
    }
    pq.write_table(pa.table(columns), tmp_path / "t")
    (row,) = (row for _, row in parquet_rows(source_of(tmp_path / "t", (tmp_path / "t").read_bytes())))
    assert row == {
        "plain": [{"role": "user", "n": None}],
        "bytes": [{"in": "x\ufffd"}],
        "amount": {"usd": "0.10"},
        "map": [{"k": 1}],
        "fixed": ["a", "b"],
        "many": ["a"],
    }


def test_parquet_rows_leave_out_nulls_and_number_from_one(read, tmp_path: Path) -> None:
    table = pa.table(
        {
            "model": ["m", None, "n"],
            "cost": pa.array(["0.5", None, "1.25"]).cast(pa.decimal128(10, 2)),
            "tags": pa.array([[("team", "a")], None, []], pa.map_(pa.string(), pa.string())),
            "raw": [b"x\xff", None, b""],
        }
    )
    pq.write_table(table, tmp_path / "t")
    container, located = read((tmp_path / "t").read_bytes(), "log.parquet")
    assert container is Container.PARQUET
    assert located == [
        (1, {"model": "m", "cost": "0.50", "tags": {"team": "a"}, "raw": "x\ufffd"}),
        (2, {}),
        (3, {"model": "n", "cost": "1.25", "tags": [], "raw": ""}),
    ]


def test_a_cut_parquet_file_is_one_entry(read, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": list(range(1000))}), tmp_path / "t")
    assert read((tmp_path / "t").read_bytes()[:500])[1] == [(1, Rejected(Reason.TRUNCATED))]


def test_the_responses_of_a_sqlite_database_are_rows(read, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("CREATE TABLE responses (id TEXT, model TEXT, input_tokens INTEGER)")
        database.executemany("INSERT INTO responses VALUES (?, ?, ?)", [("r1", "m", 3), ("r2", "n", None)])
    database.close()
    container, located = read((tmp_path / "db").read_bytes(), "logs.db")
    assert container is Container.SQLITE
    assert located == [(1, {"id": "r1", "model": "m", "input_tokens": 3}), (2, {"id": "r2", "model": "n"})]


def test_another_sqlite_database_is_of_unknown_format(read, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("CREATE TABLE other (id TEXT)")
    database.close()
    ((number, rejected),) = read((tmp_path / "db").read_bytes())[1]
    assert (number, rejected.reason) == (1, Reason.UNKNOWN_FORMAT)
    assert "sqlite://PATH#TABLE" in rejected.note


def test_a_binary_file_is_one_entry_and_an_empty_one_none(read) -> None:
    assert read(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") == (Container.BINARY, [(1, Rejected(Reason.BINARY))])
    assert read(b"\0\1\2") == (Container.BINARY, [(1, Rejected(Reason.BINARY))])
    assert read(b"") == (Container.EMPTY, [])
    assert read(b"\n \n") == (Container.EMPTY, [])
    assert read(gzip.compress(b""))[1] == []


def test_compressed_data_that_gives_nothing_is_one_entry(read) -> None:
    assert read(gzip.compress(LINES.encode())[:12])[1] == [(1, Rejected(Reason.TRUNCATED))]


def test_a_line_of_zeros_among_good_ones_costs_itself_only(read) -> None:
    container, located = read(LINES.encode() + b"\0\0\0\n" + LINES.encode())
    assert container is Container.LINES
    assert [item for _, item in located] == [*RECORDS, Rejected(Reason.NOT_JSON), *RECORDS]


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_lines_cut_short_are_an_entry_each(copies: int, read) -> None:
    assert read(b"\n".join([b'{"a": 1, "b": "x'] * copies))[1] == [
        (line, Rejected(Reason.NOT_JSON)) for line in range(1, copies + 1)
    ]


def test_a_printed_object_cut_short_is_truncated(read) -> None:
    assert read(b'{\n  "a": 1,\n  "b": "x')[1] == [(1, Rejected(Reason.TRUNCATED, unread_bytes=21))]


BANNER = "Starting proxy, version 1, on port 8080\n"


@pytest.mark.parametrize("banner", [BANNER, "[INFO] one, two, three\n", "a;b;c;d\n", BANNER * 3])
@pytest.mark.parametrize("name", ["log", "log.jsonl", "log.csv", "log.txt.gz"])
def test_a_banner_before_json_lines_makes_them_no_table(banner: str, name: str, read) -> None:
    container, located = read((banner + LINES).encode(), name)
    assert container is Container.LINES
    assert [item for _, item in located if isinstance(item, dict)] == RECORDS
    assert sum(isinstance(item, Rejected) for _, item in located) == banner.count("\n")


def test_json_lines_inside_the_cells_of_a_table_leave_it_a_table(read) -> None:
    text = "a,b,c\n" + "".join(f'1,2,"{{}}\n{{""n"": {n}}}\n{{""m"": 1}}"\n' for n in range(9))
    container, located = read(text.encode())
    assert container is Container.CSV
    assert len(located) == 9


@pytest.mark.parametrize("cut", [5, 9, 14])
def test_a_record_written_into_the_middle_of_another_is_read(cut: int, read) -> None:
    lines = LINES.splitlines()
    broken = lines[0][:cut] + lines[1]
    _, located = read(f"{lines[2]}\n{broken}\n{lines[0]}\n".encode())
    assert [item for _, item in located if isinstance(item, dict)] == [RECORDS[2], RECORDS[1], RECORDS[0]]
    assert [line for line, item in located if isinstance(item, Rejected)] == [2]


def test_blank_lines_by_the_million_are_counted_and_passed_over(read) -> None:
    container, located = read(b"\n" * 30_000_000 + b'{"a": 1}\n' + b" \r\n" * 1_000_000 + b'{"a": 2}\n')
    assert container is Container.LINES
    assert located == [(30_000_001, {"a": 1}), (31_000_002, {"a": 2})]


def test_a_locked_database_is_named_as_such(source_of, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "logs.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE responses (id TEXT)")
        database.execute("INSERT INTO responses VALUES ('r1')")
    database.close()
    monkeypatch.setattr(tables, "_LOCK_SECONDS", 0.01)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    [(_, entry)] = items(source_of(path), Container.SQLITE)
    writer.rollback()
    writer.close()
    assert entry.reason is Reason.UNREADABLE
    assert "locked" in entry.note


def test_a_value_repeated_by_a_dictionary_is_held_once(source_of, tmp_path: Path) -> None:
    value = "x" * 2_000_000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array([value]))
    nested = pa.StructArray.from_arrays([column], ["text"])
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"a": column, "b": nested}), path, compression="zstd", dictionary_pagesize_limit=1 << 26)
    assert path.stat().st_size < 5_000
    tracemalloc.start()
    rows = sum(row == {"a": value, "b": {"text": value}} for _, row in items(source_of(path), Container.PARQUET))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 300
    assert peak < 40_000_000


def test_a_row_over_the_limit_and_a_column_that_unpacks_too_far_are_refused(
    source_of, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "large.parquet"
    pq.write_table(pa.table({"a": ["x", "y" * 100_000, "z"]}), path)
    monkeypatch.setattr(bounds, "MAX_DECODED_BYTES", 1000)
    monkeypatch.setattr(bounds, "MAX_RECORD_BYTES", 10_000)
    assert [getattr(row, "reason", row) for _, row in items(source_of(path), Container.PARQUET)] == [
        {"a": "x"},
        Reason.TOO_LONG,
        {"a": "z"},
    ]
    monkeypatch.setattr(ranges, "MAX_DECODED_BYTES", 1000)
    monkeypatch.setattr(ranges, "MAX_EXPANSION", 1)
    [(_, entry)] = items(source_of(path), Container.PARQUET)
    assert entry.reason is Reason.UNREADABLE
    assert "the column a unpacks" in entry.note
