from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import Reason, Rejected
from llm_audit.sources.files import lines as module
from llm_audit.sources.files.lines import Lines, range_blocks
from llm_audit.sources.files.stream import BrokenStreamError

CONTENT = st.lists(st.sampled_from([b"", b" ", b"a", b"bcd", b"\r", b"x" * 40]), max_size=30).flatmap(
    lambda lines: st.sampled_from([b"\n".join(lines), b"\n".join(lines) + b"\n"])
)


def expected(content: bytes) -> list[tuple[int, bytes]]:
    return [(n, line) for n, line in enumerate(content.split(b"\n"), 1) if line.strip()]


@settings(deadline=None)
@given(content=CONTENT, size=st.integers(1, 60))
def test_lines_do_not_depend_on_blocks(content: bytes, size: int) -> None:
    found = Lines(iter([content[start : start + size] for start in range(0, len(content), size)]))
    assert list(found) == expected(content)
    assert found.count == content.count(b"\n")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT, cut=st.integers(1, 50), block=st.integers(1, 30))
def test_ranges_hold_each_line_once(content: bytes, cut: int, block: int, source_of, tmp_path: Path) -> None:
    source = source_of(tmp_path / "log", content)
    found, base = [], 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block)
        for start in range(0, len(content), cut):
            lines = Lines(range_blocks(source, start, min(start + cut, len(content))))
            found += [(base + number, raw) for number, raw in lines]
            base += lines.count
    assert found == expected(content)


def test_a_mark_at_the_beginning_of_a_cut_file_is_blank(source_of, tmp_path: Path) -> None:
    source = source_of(tmp_path / "log", b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n')
    assert [raw.strip() for _, raw in Lines(range_blocks(source, 0, source.size_bytes))] == [b'{"a": 1}', b'{"a": 2}']


def test_a_line_over_the_limit_is_one_entry_and_its_neighbours_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 10)
    blocks = iter([b"good\n" + b"x" * 8, b"x" * 8, b"x" * 8, b"x\nfine\n", b"y" * 11])
    too_long = Rejected(Reason.TOO_LONG)
    assert list(Lines(blocks)) == [(1, b"good"), (2, too_long), (3, b"fine"), (4, too_long)]


def test_a_break_ends_the_lines_with_one_entry() -> None:
    def broken():
        yield b"one\ntwo\nthr"
        raise BrokenStreamError

    assert list(Lines(broken())) == [(1, b"one"), (2, b"two"), (3, Rejected(Reason.TRUNCATED))]
