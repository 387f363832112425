"""Rows that compiled code reads from lines are those that Python reads from them, and what is odd is left to Python."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.engines import part_writer, row_reader, worker
from llm_audit.engines.context import IngestConfig
from llm_audit.engines.row_reader import RowBatch
from llm_audit.sources.files.find import find
from llm_audit.sources.formats.plain.flat.typed import typed_reader
from llm_audit.sources.split import Shard

pytestmark = pytest.mark.skipif(not row_reader.COMPILED, reason="built without a C compiler")

PLAIN = {
    "timestamp": "2026-09-01T10:00:00.123Z",
    "request_id": "request-0001",
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why is the sky blue at noon?"},
    ],
    "prompt": None,
    "system": None,
    "stream": False,
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
    "input_tokens": None,
    "output_tokens": None,
    "metadata": {"team": "search", "env": "prod"},
    "team": None,
    "user": "ann",
    "trace_id": "0123456789abcdef",
    "session_id": None,
    "latency_ms": 12.5,
    "status": 200,
    "response": "The sky scatters blue light more than red light, which is why it looks blue by day.",
    "note": [{"a": [1.5e3, "b\\", {}]}],
}
BODY = {
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "flex",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Because."}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
}
WHOLE = [json.dumps(BODY), "\n " + json.dumps(BODY), BODY, '{"usage": 1}', " usage", '{"answer": "yes"}']
CODE = "x = y\n" * 150
LONG = "It was the best of times, it was the worst of times, and it was long. " * 50
TEXTS = st.lists(
    st.sampled_from(
        [
            "Why is the sky blue? ", "\n\n", "```", CODE, LONG, "é", "🙂\t", "\\", '"', "> ", "\n> ", "yes",
            "[redacted]", "Summarise the text below.\n\n", "title", "conversation", "Question: ", "Input: ",
            "<context>",
            "</p>", "# A", "\u3000", "Thanks.", "\x7f", "  ", "Explain ", "how it works, please?",
        ]
    ),
    min_size=1,
    max_size=6,
).map("".join)  # fmt: skip
ROLES = st.sampled_from(["user", "user", "user", "assistant", "system", "tool"])
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLES, "content": TEXTS}), max_size=4)
PROMPTS = MESSAGES | st.lists(
    st.fixed_dictionaries({"content": TEXTS, "role": st.just("user")}), min_size=1, max_size=1
)
IDS = st.sampled_from(
    [
        None,
        7,
        -7,
        1.5,
        True,
        "",
        " ",
        "none",
        "x",
        "request-0002",
        "chatcmpl-12345",
        " spaced-id-1 ",
        "r\xe9quest-01",
        {},
    ]
)
COUNTS = st.sampled_from([None, 0, 3, 12, 10**9, 10**9 + 1, -1, 1.5, "3", True])
USAGES = st.none() | st.fixed_dictionaries(
    {"prompt_tokens": COUNTS},
    optional={
        "completion_tokens": COUNTS,
        "total_tokens": COUNTS,
        "prompt_tokens_details": st.none() | st.fixed_dictionaries({}, optional={"cached_tokens": COUNTS}),
        "other": COUNTS,
    },
)
METADATA = st.sampled_from(
    [
        None,
        {},
        {"team": "a", "tags": ["x", "y"]},
        {"session": "metadata-session"},
        {"trace_id": 9},
        "a",
        [1],
        '{"team":"b"}',
    ]
)
STRANGE = st.sampled_from([None, True, 1, 1.5, 10**30, "", "\ud800", [], {}, [{}]])
VALUES = {
    "timestamp": st.sampled_from(
        ["2026-09-01T10:00:00Z", "2014-01-01T00:00:00Z", "2026-02-30T00:00:00Z", 1788000000, None]
    ),
    "request_id": IDS,
    "model": st.sampled_from(["gpt-4o", "m\u00f6del", "x" * 300, "", " ", None, 7]),
    "messages": PROMPTS,
    "prompt": st.none() | TEXTS | st.just('[{"role": "user", "content": "Why?"}]'),
    "system": st.none() | TEXTS,
    "stream": st.sampled_from([True, False, None, "yes", 0]),
    "usage": USAGES,
    "input_tokens": COUNTS,
    "output_tokens": COUNTS,
    "metadata": METADATA,
    "team": IDS,
    "user": IDS,
    "trace_id": IDS,
    "session_id": IDS,
    "latency_ms": st.sampled_from([None, 0, 12, -1, 10**12, 1.25, -0.0, "7", False]),
    "status": st.sampled_from([200, 404, 99, "200", "success", "failed", "odd", True, False, None, 1.5]),
    "response": st.none() | TEXTS | st.just([{"role": "assistant", "content": "Because."}]) | st.sampled_from(WHOLE),
    "note": STRANGE,
}
CHANGES = st.dictionaries(st.sampled_from(sorted(VALUES)), st.none(), max_size=4).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[name] | STRANGE for name in names})
)
DAMAGE = st.none() | st.tuples(
    st.floats(0, 0.999), st.sampled_from([b"", b"\xff", b'"', b"\\", b"}", b"\x00", b"\xed\xa0\x80"])
)


def written(record: object, *, escaped: bool = False) -> bytes:
    return json.dumps(record, ensure_ascii=escaped).encode(errors="surrogatepass")


def damaged(line: bytes, damage: tuple[float, bytes] | None) -> bytes:
    if damage is None:
        return line
    place = int(damage[0] * len(line))
    return line[:place] + damage[1] + line[place + 1 :]


def table_of(content: bytes, *, compiled: bool) -> pa.Table:
    """Return the rows of a log, with or without the compiled reader."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(part_writer, "COMPILED", compiled)
        folder = Path(name)
        path = folder / "log.jsonl"
        path.write_bytes(content)
        source = find([path], spool=folder).sources[0]
        task = worker.Task(
            bundle=(Shard(source, 0, len(content)),),
            config=IngestConfig(),
            run="test",
            work_key="",
            target=folder / "part",
        )
        part = worker.process(task)
        assert sum(tally.entries for tally in part.shards) >= part.rows
        return pq.read_table(task.target) if part.file else None


def taken(record: object, line: bytes | None = None) -> int:
    """Return how many of two lines the compiled reader reads, the second of which is the first again."""
    reader = typed_reader(PLAIN)
    assert reader is not None
    assert reader.rows is not None
    line = written(record) if line is None else line
    return RowBatch(9).take(reader.rows, line + b"\n" + line + b"\n", 0, (0, 0, 1), room=(9, 9999))[1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CHANGES, st.booleans(), DAMAGE), min_size=1, max_size=25))
def test_compiled_code_and_python_read_the_same_rows(changes) -> None:
    lines = [written(PLAIN)] * 3
    for change, escaped, damage in changes:
        lines.append(damaged(written({**PLAIN, **change}, escaped=escaped), damage))
    content = b"\n".join([*lines, written(PLAIN)]) + b"\n"
    assert table_of(content, compiled=True).equals(table_of(content, compiled=False))


def test_a_plain_line_is_read_by_compiled_code() -> None:
    assert taken(PLAIN) == 2
    assert taken(None, written(PLAIN, escaped=True).replace(b": ", b" :\t") + b" \r") == 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"content": "Pourquoi le ciel est-il bleu en été\u2009?", "role": "user"}]},
        {"messages": [{"role": "user", "content": f"Find the fault here:\n\n```python\n{CODE}"}]},
        {"messages": [{"role": "user", "content": f"Summarise it:\n\n{LONG}"}], "response": None},
        {"messages": [{"role": "user", "content": f"Write tests for this:\n\n{LONG}"}]},
        {"messages": [{"role": "user", "content": f"> quoted\n\nWrite tests for this, please. {LONG}"}]},
        {"messages": None, "prompt": "Why is the sky blue, and not green?"},
        {"usage": None, "input_tokens": 4, "output_tokens": 5},
        {"usage": {"prompt_tokens": 3, "total_tokens": 3}},
        {"usage": {"prompt_tokens": 0}, "status": 429},
        {"status": "success", "metadata": {"session": "in-metadata-1"}},
        {"request_id": 7, "trace_id": None, "team": "none", "stream": None, "latency_ms": None, "timestamp": None},
        {"note": {"deep": [[[{"\u00e9": "🙂"}]]]}},
    ],
    ids=str,
)  # fmt: skip
def test_usual_values_are_plain(change) -> None:
    assert taken({**PLAIN, **change}) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "yes"}]},  # a follow-up
        {"response": WHOLE[0]},
        {"response": WHOLE[1]},
        {"messages": [{"role": "user", "content": "[redacted]"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]},
        {"messages": [{"role": "user", "content": "Why is it?"}, {"role": "user", "content": "And why is it not?"}]},
        {"messages": [{"role": "user", "content": "Why is it?"}, {"role": "assistant", "content": "Because."}]},
        {"messages": [{"role": "user", "content": "Write a title for this conversation."}]},
        {"messages": [], "prompt": None},
        {"prompt": "Why is the sky blue?"},  # beside messages
        {"usage": None},
        {"usage": {"prompt_tokens": 3, "total_tokens": 4}},
        {"usage": {"prompt_tokens": 0, "completion_tokens": 0}},  # of a call that did not fail
        {"usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}},
        {"input_tokens": 4},  # beside a usage
        {"output_tokens": 3},
        {"timestamp": "yesterday"},
        {"model": ""},
        {"status": [200]},
        {"more": 1},
        {"note": 10**30},
    ],
    ids=str,
)
def test_odd_values_are_left_to_python(change) -> None:
    assert taken({**PLAIN, **change}) == 0


def test_what_is_no_plain_json_is_left_to_python() -> None:
    line = written(PLAIN)
    for odd in (
        line[:-1],
        line + b"}",
        line[1:],
        b"",
        b"{}",
        line.replace(b"ann", b"\xff"),
        line.replace(b"ann", b"\x01"),
    ):
        assert taken(None, odd) == 0
    assert taken(None, line.replace(b'"note"', b'"user"')) == 0
    assert taken(None, line.replace(b"[{", b"[" * 40 + b"{").replace(b"}]", b"}" + b"]" * 40)) == 0


def test_a_batch_ends_where_there_is_no_more_room() -> None:
    reader = typed_reader(PLAIN)
    assert reader is not None
    assert reader.rows is not None
    batch, line = RowBatch(3), written(PLAIN) + b"\n"
    assert batch.take(reader.rows, line * 9, 0, (0, 0, 1), room=(2, 9999)) == (2 * len(line), 2)
    assert batch.take(reader.rows, line * 9, 0, (0, 0, 1), room=(1, 1)) == (len(line), 1)
    assert batch.take(reader.rows, line * 9, 0, (0, 0, 1), room=(0, 99)) == (0, 0)
    assert (batch.rows, batch.ask_chars) == (3, 3 * len("Why is the sky blue at noon?"))
    asks, places = batch.asks()
    assert (asks, places.tolist()) == ([b"Why is the sky blue at noon?"], [0, 0, 0])


def test_after_many_odd_lines_not_every_line_is_tried() -> None:
    reader = typed_reader(PLAIN)
    assert reader is not None
    assert reader.rows is not None
    batch, line = RowBatch(9), written(PLAIN) + b"\n"
    for _ in range(9):
        batch.take(reader.rows, b"{}\n", 0, (0, 0, 1), room=(1, 99))
    tries = [batch.take(reader.rows, line, 0, (0, 0, 1), room=(1, 99))[1] for _ in range(20)]
    assert tries == [0] * 16 + [1] * 4


def test_the_compiled_reader_refuses_what_it_cannot_use() -> None:
    from llm_audit.classify.text.select import ASK_PLAN
    from llm_audit.engines import _rows

    functions = (lambda *_: None, str, lambda *_: 1, lambda _: False, 9)
    for arguments in (
        (), ((b'a"',), ("model",), ASK_PLAN), ((b'a"',), (), ASK_PLAN, *functions), ((), (), ASK_PLAN, *functions),
        (("a",), ("model",), ASK_PLAN, *functions), ((b'a"',), ("none",), ASK_PLAN, *functions),
        ((b'a"',), ("model",), None, *functions), ((b'a"',) * 65, ("other",) * 65, ASK_PLAN, *functions),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            _rows.prepare(*arguments)
    plan = _rows.prepare((b'a"',), ("model",), ASK_PLAN, *functions)
    size = len(_rows.COLUMNS)
    batch = (bytearray(8 * size), bytearray(size), ({},) * 6, {}, [])
    assert _rows.read(plan, batch, b'{"a": "m"}\n', 0, 0, 1, 0, 1, 0, 9) == (0, 0, 9)
    for wrong in (
        (plan, batch, b"", 0), (None, batch, b"", 0, 0, 1, 0, 1, 0, 9), (plan, (), b"", 0, 0, 1, 0, 1, 0, 9),
        (plan, (bytearray(8), *batch[1:]), b"", 0, 0, 1, 0, 1, 0, 9), (plan, batch, "", 0, 0, 1, 0, 1, 0, 9),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            _rows.read(*wrong)
    for position in ((-1, 0, 1), (0, -1, 1), (0, 0, 2), (99, 0, 1)):
        start, row, last = position
        assert _rows.read(plan, batch, b"{}\n", start, row, last, 0, 1, 0, 9)[1] == 0
