"""Delimited text: a damaged row costs itself, whatever it does to the quotes."""

import csv
import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files import csv_rows as module
from llm_audit.sources.files.csv_rows import csv_rows

HEADER = ["id", "model", "prompt", "tokens"]


def written(rows: list[list[str]], delimiter: str = ",") -> str:
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return target.getvalue()


def read(text: str, size: int = 1 << 22) -> list:
    content = text.encode()
    return list(csv_rows(content[start : start + size] for start in range(0, len(content), size)))


CELLS = st.text(st.sampled_from('ab ,;\t"\n|'), min_size=1, max_size=8).map(lambda text: f"x{text}x")


@settings(deadline=None, max_examples=200)
@given(
    prompts=st.lists(CELLS, min_size=1, max_size=6),
    delimiter=st.sampled_from([",", "\t"]),
    size=st.sampled_from([1, 7, 10**6]),
)
def test_what_a_writer_writes_is_read_back(prompts: list[str], delimiter: str, size: int) -> None:
    rows = [[f"r{n}", "m", prompt, "7"] for n, prompt in enumerate(prompts)]
    found = [row for _, row in read(written([HEADER, *rows], delimiter), size)]
    assert found == [dict(zip(HEADER, row, strict=True)) for row in rows]


@settings(deadline=None, max_examples=300)
@given(
    bad=st.sampled_from(
        [
            'x,m,"never closed,7',
            'x,"m,never closed,7',
            'x,m,"a""b,7',
            'x,m,"two" quotes",7',
            "x,m,a,b,c,d,7",
        ]
    ),
    where=st.integers(0, 6),
    copies=st.integers(1, 3),
    quoted=st.booleans(),
    size=st.sampled_from([7, 10**6]),
)
def test_good_rows_beside_bad_ones_are_all_read(bad: str, where: int, copies: int, quoted: bool, size: int) -> None:
    rows = [[f"r{n}", "m", 'two\nlines, "quoted"' if quoted else "plain", "7"] for n in range(6)]
    lines = [written([row]) for row in rows]
    lines[where:where] = [bad + "\n"] * copies
    found = [row for _, row in read(written([HEADER]) + "".join(lines), size)]
    good = [row for row in found if isinstance(row, dict) and row.get("id", "").startswith("r")]
    assert good == [dict(zip(HEADER, row, strict=True)) for row in rows]
    assert len(found) == 6 + copies


def test_a_row_that_swallows_others_is_rejected_with_its_bytes() -> None:
    found = read('a,b,c\n1,"x,2\n3,y,4\n5,"z",6\n')
    assert found == [
        (2, Rejected(Reason.BAD_SHAPE, unread_bytes=7)),
        (3, {"a": "3", "b": "y", "c": "4"}),
        (4, {"a": "5", "b": "z", "c": "6"}),
    ]


@pytest.mark.parametrize("text", ["a,b\r1,2\r3,4\r", "a,b\r\n1,2\r\n3,4", "a,b\r1,2\n3,4\n"])
def test_carriage_returns_end_lines_too(text: str) -> None:
    assert [row for _, row in read(text)] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_header_that_cannot_be_read_is_one_entry() -> None:
    [(line, found)] = read('"a,b\n1,2\n')
    assert (line, found.reason) == (1, Reason.BAD_SHAPE)


def test_a_cell_over_the_limit_is_rejected_and_the_next_row_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1000)
    found = read("a,b\n1,2\n3," + "x" * 5000 + "\n5,6\n", 100)
    assert [getattr(row, "reason", row) for _, row in found] == [
        {"a": "1", "b": "2"},
        Reason.TOO_LONG,
        {"a": "5", "b": "6"},
    ]


def test_long_runs_of_blank_lines_take_no_time_and_keep_the_numbers() -> None:
    started = time.perf_counter()
    found = read("a,b\n1,2\n" + "\n" * 20_000_000 + "3,4\n" + " \r\n" * 1_000_000 + "5,6")
    assert found == [(2, {"a": "1", "b": "2"}), (20_000_003, {"a": "3", "b": "4"}), (21_000_004, {"a": "5", "b": "6"})]
    assert time.perf_counter() - started < 5


def test_many_unclosed_quotes_take_time_in_proportion_to_their_number() -> None:
    found = read("a,b\n" + '1,"x""\n' * 20_000 + "2,y\n")
    assert len(found) == 20_001
    assert found[-1] == (20_002, {"a": "2", "b": "y"})
