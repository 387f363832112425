"""A request that compiled code makes of plain values is the one that Python makes of them."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError, Message
from llm_audit.sources.formats.plain.flat import typed
from llm_audit.sources.formats.plain.flat.fields import _PROVIDER_IDS
from llm_audit.sources.formats.plain.flat.object_reader import COMPILED, request_reader
from llm_audit.sources.records.column_names import Columns
from llm_audit.sources.records.disjoint import MAX_TOKENS
from llm_audit.sources.records.fields import _LONGEST_NOTHING
from llm_audit.sources.records.times import EARLIEST_US, LATEST_US

EPOCH = datetime.fromisoformat("1970-01-01")
as_builtins = msgspec.structs.asdict

TIMES = st.datetimes(EPOCH.replace(year=2014), EPOCH.replace(year=2101)).flatmap(
    lambda time: st.sampled_from(
        [
            time.isoformat() + "Z",
            time.isoformat(timespec="milliseconds") + "+00:00",
            time.isoformat(timespec="seconds") + "Z",
            time.isoformat(),
            time.isoformat() + "+02:00",
            time.isoformat(sep=" ") + "Z",
            "0" + time.isoformat()[1:] + "Z",
            time.timestamp(),
        ]
    )
)
WRITTEN_TIMES = st.from_regex(
    r"\A(19|20)[0-9]{2}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|\+00:00|z)\Z"
)
ODD = st.sampled_from([None, True, False, "", " ", "none", "undefined", "x", 7, -1, 1.5, float("inf"), 1 << 70, [], {}])
IDS = ODD | st.sampled_from(
    ["request-0001", " request-0001", "request-0001\n", "chatcmpl-123456", "msg_1", "r\xe9quest-01"]
)
NUMBERS = (
    ODD | st.integers(0, 40) | st.sampled_from([10**9, 10**9 + 1, 10**12 - 1, 10**12, 99, 100, 200, 399, 400, 599, 600])
)
SAID = st.sampled_from(["Hello", "[redacted]", " Hidden ", "***", "", "x" * 41]).map(lambda text: Message("user", text))
USAGES = st.builds(
    SimpleNamespace,
    prompt_tokens=NUMBERS,
    completion_tokens=NUMBERS,
    total_tokens=st.none() | NUMBERS,
    prompt_tokens_details=st.none() | st.builds(SimpleNamespace, cached_tokens=NUMBERS),
)
VALUES = st.builds(
    SimpleNamespace,
    model=st.sampled_from(["gpt-4o", "\u0444", " m", "", " ", None, 7]),
    time=TIMES | WRITTEN_TIMES | ODD,
    request_id=IDS,
    conversation=IDS,
    trace=IDS,
    stream=st.sampled_from([True, False, None, "yes", 1]),
    status=NUMBERS,
    latency_ms=NUMBERS,
    messages=st.none() | st.lists(SAID, max_size=3),
    prompt=st.sampled_from([None, None, "Hi"]),
    system=st.sampled_from([None, None, "Be brief.", 3]),
    usage=st.none() | USAGES,
    input=NUMBERS,
    output=NUMBERS,
    cached=st.none() | NUMBERS,
    total=st.none() | NUMBERS,
    completion=st.sampled_from([None, "Hi", "", {"content": "x"}]),
)
PLAIN = SimpleNamespace(
    model="gpt-4o", time="2026-09-01T10:00:00.123Z", request_id="request-0001", conversation=None, trace=None,
    stream=True, status=200, latency_ms=12, messages=[Message("user", "Hello")], prompt=None, system=None, usage=None,
    input=12, output=3, cached=4, total=15, completion=None,
)  # fmt: skip


def any_request(values: Any) -> Any:
    """What Python makes of values; None where it rejects or fails on them, as it may on values of impossible types."""
    try:
        return as_builtins(typed._any_request(values, Columns(time="time")))
    except (BadRecordError, AttributeError, TypeError, ValueError, OverflowError):
        return None


def agrees(values: Any) -> bool:
    """Whether values were plain; what is made of them then must be what Python makes of them."""
    found = request_reader()(values)
    assert found is None or as_builtins(found) == any_request(values)
    return found is not None


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_a_request_of_plain_values_is_what_python_makes_of_them(values):
    agrees(values)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_each_value_of_a_plain_record_may_be_any_other(data):
    some = data.draw(VALUES)
    names = data.draw(st.lists(st.sampled_from(sorted(vars(PLAIN))), min_size=1, max_size=2))
    agrees(SimpleNamespace(**vars(PLAIN) | {name: getattr(some, name) for name in names}))


@pytest.mark.skipif(not COMPILED, reason="built without a C compiler")
def test_usual_values_are_as_builtins():
    assert agrees(PLAIN)
    usage = SimpleNamespace(
        prompt_tokens=12,
        completion_tokens=None,
        total_tokens=None,
        prompt_tokens_details=SimpleNamespace(cached_tokens=4),
    )
    for changed in (
        {"usage": usage, "input": None, "output": None}, {"input": None, "output": None, "total": None},
        {"status": None}, {"status": 429}, {"time": None},
        {"trace": "none"}, {"request_id": "chatcmpl-123456"}, {"messages": []}, {"messages": [Message("user", "***")]},
        {"time": "2028-02-29T23:59:59Z"}, {"time": "2026-09-01T10:00:00.123456+00:00"}, {"completion": "Hi"},
    ):  # fmt: skip
        assert agrees(SimpleNamespace(**vars(PLAIN) | changed)), changed
    for changed in (
        {"time": "2027-02-29T23:59:59Z"}, {"time": "2026-09-01T10:00:00+02:00"}, {"time": 1756720800}, {"total": 16},
        {"cached": 13}, {"status": "200"}, {"latency_ms": "12"}, {"system": "x"}, {"model": " gpt"}, {"input": True},
        {"usage": usage}, {"usage": usage, "input": None},
    ):  # fmt: skip
        assert not agrees(SimpleNamespace(**vars(PLAIN) | changed)), changed


@pytest.mark.skipif(not COMPILED, reason="built without a C compiler")
def test_the_compiled_request_refuses_what_is_not_made_for_it():
    from llm_audit.sources.formats.plain.flat import _object

    for arguments in (((), PLAIN), ((None,) * 9,), ([None] * 9, PLAIN)):
        with pytest.raises(TypeError):
            _object.request(*arguments)
    with pytest.raises(AttributeError):
        request_reader()(None)


def test_no_word_for_nothing_is_longer_than_the_compiled_reader_takes_it_for():
    assert _LONGEST_NOTHING == 9
    assert _PROVIDER_IDS == ("chatcmpl-", "cmpl-", "resp_", "msg_", "gen-")
    assert (EARLIEST_US, LATEST_US, MAX_TOKENS) == (1_420_070_400_000_000, 4_102_444_800_000_000, 10**9)
