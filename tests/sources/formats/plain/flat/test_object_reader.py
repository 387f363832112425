import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.sources.formats.plain.flat import object_reader, typed
from llm_audit.sources.formats.plain.flat.object_reader import Kind, Value

pytestmark = pytest.mark.skipif(not object_reader.COMPILED, reason="built without a C compiler")

KEYS = (
    "time",
    "model",
    "request_id",
    "stream",
    "total_tokens",
    "messages",
    "usage",
    "metadata",
    "response",
    "extra key",
)
PLAIN = {
    "time": "2026-09-01T00:00:00Z",
    "model": "m",
    "request_id": None,
    "stream": True,
    "total_tokens": 10**9,
    "messages": [{"role": "user", "content": 'Why\n"so"\t\\ \u00e9\u20ac🙂\x7f?'}, {"content": "", "role": "tool"}],
    "usage": {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}},
    "metadata": {"team": "a}]", "more": [1, {"deep": [[]]}]},
    "response": "text",
    "extra key": [1.5, {"a": "\\"}],
}

# Texts in which what a reader of JSON may get wrong is likely, also past the sixteen bytes that are read at once.
ODD = st.sampled_from(["\\", '"', "\n", "\x00", "\x7f", "é", "🙂", "\u2028", "\ud83d", "x" * 15, "x" * 17])
TEXTS = st.lists(ODD | st.text(max_size=5), max_size=5).map("".join)
NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from([0, -0.0, 1e-320, 10**17, 10**18 - 1, 10**18, -(10**18), 2**64, 10**400])
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "developer", "us\u00e9r"])
MESSAGE = st.fixed_dictionaries({"role": ROLES, "content": TEXTS})
MESSAGES = st.lists(
    MESSAGE | st.fixed_dictionaries({"role": ROLES}, optional={"content": JSON, "name": TEXTS}), max_size=3
)
RECORDS = st.fixed_dictionaries(
    {key: st.just(value) | JSON for key, value in PLAIN.items()} | {"messages": MESSAGES | JSON}
)


def both(keys=KEYS):
    """The compiled reader and the decoder for records of some keys."""
    typed._typed_reader.cache_clear()
    compiled = typed._typed_reader(tuple(keys))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(object_reader, "COMPILED", False)
        typed._typed_reader.cache_clear()
        decoder = typed._typed_reader(tuple(keys))
    typed._typed_reader.cache_clear()
    return compiled.decode.__closure__[0].cell_contents, decoder.decode.__closure__[1].cell_contents


COMPILED, DECODE = both()


def check(line, compiled=COMPILED, decode=DECODE):
    """The compiled reader reads a line as the decoder does, or leaves it; return whether it read it."""
    found = compiled(line)
    if found is None:
        return False
    assert comparable(found) == comparable(decode(line))
    return True


def comparable(struct):
    values = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {
        name: repr(value if not isinstance(value, msgspec.Raw) else json.loads(bytes(value)))
        for name, value in values.items()
    }


def written(record, ascii_only, gap):
    text = json.dumps(record, ensure_ascii=ascii_only, separators=(f"{gap},{gap}", f"{gap}:{gap}"))
    return f"{gap}{text}{gap}".encode(errors="surrogatepass")


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("gap", ["", " ", "\r\n\t"])
def test_a_plain_line_is_read_as_by_the_decoder(ascii_only, gap):
    assert check(written(PLAIN, ascii_only, gap))
    assert check(written(dict(reversed(PLAIN.items())), ascii_only, gap))


@settings(max_examples=150, deadline=None)
@given(RECORDS, st.booleans(), st.sampled_from(["", " "]))
def test_any_line_of_json_is_read_as_by_the_decoder_or_left_to_it(record, ascii_only, gap):
    check(written(record, ascii_only, gap))


@settings(max_examples=150, deadline=None)
@given(
    RECORDS,
    st.integers(0),
    st.integers(0, 3),
    st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"{", b"]", b",", b"\\u12"]),
)
def test_a_damaged_line_is_read_as_by_the_decoder_or_left_to_it(record, place, removed, added):
    line = written(record, True, "")
    place %= len(line) + 1
    check(line[:place] + added + line[place + removed :])
    check(line[:place])


@pytest.mark.parametrize(
    "odd",
    [
        {"model": "\ud800"},
        {"model": "\udc00\ud800"},
        {"model": {}},
        {"model": 10**19},
        {"total_tokens": -1},
        {"total_tokens": 10**9 + 1},
        {"total_tokens": 1.0},
        {"total_tokens": True},
        {"total_tokens": "1"},
        {"usage": False},
        {"usage": {"prompt_tokens": "5"}},
        {"usage": {"prompt_tokens": 5, "cost": 1}},
        {"messages": "Why?"},
        {"messages": [{"role": "critic", "content": ""}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "role ": "user"}]},
        {"messages": [{"role": "user", "content": "", "name": "x"}]},
        {"messages": [{"role": "user"}]},
        {"another": 1},
    ],
)
def test_an_odd_line_is_left_to_the_decoder(odd):
    assert not check(written(PLAIN | odd, True, ""))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"model": "m"', b'"model": "m", "model": "n"'),
        (b'"model"', b'"mod\\u0065l"'),
        (b"true", b"True"),
        (b"true", b"truex"),
        (b"true", b"01"),
        (b"true", b"-"),
        (b"true", b"-0"),
        (b"true", b"1."),
        (b"true", b".5"),
        (b"true", b"1e"),
        (b"true", b"1e999"),
        (b"true", b"NaN"),
        (b"true", b"Infinity"),
        (b'"text"', b'"te\nxt"'),
        (b'"text"', b'"te\\xt"'),
        (b'"text"', b'"te\\u12"'),
        (b'"text"', b'"te\xff"'),
        (b'"text"', b'"te\xed\xa0\x80"'),
        (b'"text"', b'{"a": 1]'),
        (b'"text"', b"[" * 100_000),
        (b'"text"}', b'"text"} {}'),
        (b'"text"}', b'"text",}'),
        (b'"text"}', b'"text"'),
    ],
)
def test_what_is_no_plain_json_is_left_to_the_decoder(before, after):
    record = {key: value for key, value in PLAIN.items() if key != "extra key"}
    line = json.dumps({**record, "response": "text"}).encode()
    compiled, decode = both(tuple(record))
    assert check(line, compiled, decode)
    damaged = line.replace(before, after)
    assert damaged != line
    assert not check(damaged, compiled, decode)


@pytest.mark.parametrize(
    "number", ["0", "-7", "1.5", "-2.5E-3", "1e5", "0.1", "123456789012345678", "2.2250738585072011e-308"]
)
def test_numbers_are_read_as_by_the_decoder(number):
    assert check(json.dumps(PLAIN).replace("true", number).encode())


def test_the_lines_of_all_fixtures_are_read_as_by_their_decoder_or_left_to_it():
    read = 0
    for path in sorted(FIXTURES.rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and typed._typed_reader(tuple(record)) is not None:
                read += check(line, *both(tuple(record)))
    assert read > 8


@pytest.mark.parametrize("key", ['a"b', "a\\b", "é", "a\nb"])
def test_a_key_that_may_be_escaped_has_no_compiled_reader(key):
    assert object_reader.object_reader(tuple, {key: Value(Kind.SCALAR)}) is None
    assert object_reader.object_reader(tuple, {}) is None
    assert object_reader.object_reader(tuple, {f"k{n}": Value(Kind.SCALAR) for n in range(65)}) is None


def test_the_compiled_reader_refuses_what_is_no_plan():
    from llm_audit.sources.formats.plain.flat import _object

    for arguments in (
        (list, (), ()),
        (list, (b'a"',), ()),
        (list, ("a",), (Value(Kind.SCALAR),)),
        (list, (b'a"',), ((9, None),)),
        (list, (b'a"',), ((0,),)),
    ):
        with pytest.raises((TypeError, ValueError)):
            _object.prepare(*arguments)
    plan = _object.prepare(lambda value: value, (b'a"',), (Value(Kind.SCALAR),))
    assert _object.read(plan, b'{"a": 1}') == 1
    for arguments in ((plan, "{}"), (plan,), (b"", b"{}")):
        with pytest.raises((TypeError, ValueError)):
            _object.read(*arguments)


def test_what_the_makers_raise_for_a_lack_of_memory_is_no_oddity():
    def fail(*_):
        raise MemoryError

    reader = object_reader.object_reader(fail, {"a": Value(Kind.SCALAR)})
    with pytest.raises(MemoryError):
        reader(b'{"a": 1}')
    nested = object_reader.object_reader(lambda value: value, {"a": Value(Kind.NESTED, fail)})
    with pytest.raises(MemoryError):
        nested(b'{"a": {}}')
