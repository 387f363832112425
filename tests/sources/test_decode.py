import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.decode import decode
from llm_audit.sources.entry import Reason, Rejected

NOT_JSON = [Rejected(Reason.NOT_JSON)]
NOT_AN_OBJECT = [Rejected(Reason.NOT_AN_OBJECT)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 1}\r', [{"a": 1}]),
        (b'{"a": 1, "a": 2}', [{"a": 2}]),
        (b'{"a": "12"}', [{"a": "12"}]),
        (b'{"a": 123456789012345678901234567890}', [{"a": 123456789012345678901234567890}]),
        (b'{"a": 1e999}', [{"a": math.inf}]),
        (b'{"a": "\xff"}', [{"a": "\ufffd"}]),
        (b'{"a": "\\ud800"}', [{"a": "?"}]),
        (b'{"a": 1}{"b": 2} {"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        (b'[{"a": 1}, 2]', [{"a": 1}, *NOT_AN_OBJECT]),
        (b"[]", NOT_AN_OBJECT),
        (b"null", NOT_AN_OBJECT),
        (b"12", NOT_AN_OBJECT),
        (b'"text"', NOT_AN_OBJECT),
        (b'{"a": 1},\r', [{"a": 1}]),
        (b'{"a": 1}, {"b": 2},', [{"a": 1}, {"b": 2}]),
        (b'{"a": 1},,', [{"a": 1}, *NOT_JSON]),
        (b'{"success": true, "data": [', []),
        (b"]}", []),
        (b"],", []),
        (b"[{", NOT_JSON),
        (b'{"a": 1', NOT_JSON),
        (b'{"a": 1} and more', [{"a": 1}, *NOT_JSON]),
        (b'{"a": 1}{"b": 2}{"c":', [{"a": 1}, {"b": 2}, *NOT_JSON]),
        (b"plain words", NOT_JSON),
        (b"\x00\x01\x02", NOT_JSON),
        (b'{"a":' * 100_000, NOT_JSON),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, NOT_JSON),
    ],
)
def test_each_line_gives_its_records_or_a_reason(raw: bytes, expected: list) -> None:
    assert list(decode(raw)) == expected


def test_a_number_that_is_none_is_kept_for_the_adapter_to_judge() -> None:
    [record] = decode(b'{"a": NaN, "b": -Infinity}')
    assert math.isnan(record["a"])
    assert record["b"] == -math.inf


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_at_least_one_entry(raw: bytes) -> None:
    found = list(decode(raw))
    frame = raw.rstrip().endswith((b"[", b"]", b"}", b","))  # a line that begins or ends a list holds none
    assert found or frame
    assert all(isinstance(item, dict | Rejected) for item in found)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.floats() | st.integers() | st.text(max_size=5), max_size=4))
def test_what_python_writes_is_read_back(record: dict) -> None:
    # repr compares NaN with itself
    assert repr(list(decode(json.dumps(record).encode(errors="surrogatepass")))) == repr([record])
