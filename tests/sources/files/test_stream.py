import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from llm_audit.sources.files.stream import BrokenStreamError, blocks, head

TEXT = b"".join(b'{"n": %d, "text": "%032x"}\n' % (n, n * n) for n in range(20_000))


@pytest.fixture
def plain(source_of, tmp_path: Path) -> Callable[[bytes], bytes]:
    return lambda content: b"".join(blocks(source_of(tmp_path / "x", content)))


@pytest.fixture
def until_break(source_of, tmp_path: Path) -> Callable[[bytes], bytes]:
    def read(content: bytes) -> bytes:
        found: list[bytes] = []
        with pytest.raises(BrokenStreamError):
            found.extend(blocks(source_of(tmp_path / "x", content)))
        return b"".join(found)

    return read


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda data: pa.compress(data, "zstd", asbytes=True)], ids=["gzip", "zstd"]
)
def test_every_member_or_frame_is_read(pack, plain) -> None:
    assert plain(pack(TEXT) + pack(b"") + pack(TEXT[:999])) == TEXT + TEXT[:999]


def test_zeros_after_the_last_gzip_member_are_padding(plain) -> None:
    assert plain(gzip.compress(TEXT) + b"\0" * 1000) == TEXT


def test_what_comes_before_a_cut_gzip_is_kept(until_break) -> None:
    packed = gzip.compress(TEXT)
    cut = packed[: len(packed) // 2]
    assert until_break(cut) == zlib.decompressobj(31).decompress(cut)


def test_what_comes_before_a_cut_zstd_frame_is_kept(until_break) -> None:
    packed = pa.compress(TEXT, "zstd", asbytes=True)
    found = until_break(packed[: len(packed) // 2])
    assert TEXT.startswith(found)
    assert len(found) > len(TEXT) // 4


def test_garbage_after_a_gzip_member_is_a_break(until_break) -> None:
    assert until_break(gzip.compress(TEXT) + b"garbage") == TEXT


@pytest.mark.parametrize(
    "content",
    [
        '{"a": "é"}\n'.encode("utf-8-sig"),
        '{"a": "é"}\n'.encode("utf-16"),
        b"\xfe\xff" + '{"a": "é"}\n'.encode("utf-16-be"),
        '{"a": "é"}\n'.encode("utf-16-le"),
        '{"a": "é"}\n'.encode("utf-16-be"),
        gzip.compress('{"a": "é"}\n'.encode("utf-16"), mtime=0),
    ],
)
def test_text_comes_out_as_utf_8_without_a_mark(content: bytes, plain) -> None:
    assert plain(content).decode() == '{"a": "é"}\n'


def test_the_head_is_bounded_and_needs_no_end(source_of, tmp_path: Path) -> None:
    packed = gzip.compress(TEXT)
    assert head(source_of(tmp_path / "x", packed)) == TEXT[: 1 << 16]
    assert TEXT.startswith(head(source_of(tmp_path / "y", packed[:2000])))
