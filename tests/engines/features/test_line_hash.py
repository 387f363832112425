import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.formats.fixture_files import FIXTURES, read, requests

from llm_audit.engines import IngestOptions, ingest
from llm_audit.engines.features import line_hash
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.features.line_hash import MAX_CHARS, MIN_CHARS, longest_line_hash
from llm_audit.engines.features.text import extract_text_features
from llm_audit.sources.entry import Message, Request

PLAN = "First count the rows of each file, then compare the sums with those that the invoice states."
FORMS = [line_hash.line_hash, longest_line_hash]


PIECES = st.sampled_from(["", "a" * 70, "\u010a" * 70, "🙂 b" * 40, "a  b\t", " \u00a0\u2003", "\n", "x \t y" * 20])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.text(max_size=20) | PIECES, max_size=12).map("".join))
def test_the_compiled_form_and_the_python_form_agree(text: str) -> None:
    assert longest_line_hash(text) == line_hash.line_hash(text)


def test_a_text_that_is_none_is_refused() -> None:
    for form, text in itertools.product(FORMS, (b"text" * 20, None)):
        with pytest.raises(TypeError):
            form(text)
    with pytest.raises(UnicodeEncodeError):
        longest_line_hash("\ud800" * MIN_CHARS)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        PLAN,
        f"\t{PLAN}  \r\n",
        PLAN.replace(" ", "  \t"),
        PLAN.replace(" then", "\tthen"),
        f"You are a worker. Here is the plan:\n{PLAN}\nDo its first step only.",
        f"{PLAN}\n{PLAN[::-1]}",  # the first of two as long
        f"{PLAN}\n" + "x\n" * MAX_CHARS + "y" * 1000,  # longer, but too far down
    ],
)
def test_a_text_is_known_by_its_longest_line(text: str, form) -> None:
    assert form(text) == hash64(PLAN)


@pytest.mark.parametrize("text", ["", "Yes.", "x" * (MIN_CHARS - 1), "x" + " " * 80 + "x", "Thank you.\n" * 100])
def test_a_text_of_short_lines_is_not_known(text: str) -> None:
    assert longest_line_hash(text) is None


def test_the_shortest_line_that_is_known() -> None:
    assert longest_line_hash("x" * MIN_CHARS) == hash64("x" * MIN_CHARS)


def of(*messages: Message, **other) -> Request:
    return Request(model="m", messages=list(messages), **other)


def test_a_prompt_quotes_in_the_user_messages_that_end_it() -> None:
    user, assistant = Message("user", PLAN), Message("assistant", PLAN)
    system, tool, short = Message("system", PLAN), Message("tool", PLAN), Message("user", "Go on.")
    assert extract_text_features(of(user)).quoted_hash == hash64(PLAN)
    assert extract_text_features(of(system, user, short)).quoted_hash == hash64(PLAN)
    assert extract_text_features(of(user, assistant, short)).quoted_hash is None
    assert extract_text_features(of(system, short)).quoted_hash is None
    assert extract_text_features(of(short, assistant, tool)).quoted_hash is None
    assert extract_text_features(of(user, assistant)).quoted_hash is None


def test_a_reply_is_known_by_its_text_and_not_where_the_text_was_removed() -> None:
    assert extract_text_features(of(completion=f"Plan:\n\n{PLAN}")).reply_hash == hash64(PLAN)
    assert extract_text_features(Request(model="m", completion=PLAN)).reply_hash == hash64(PLAN)
    assert extract_text_features(of()).reply_hash is None
    removed = extract_text_features(of(Message("user", PLAN), completion=PLAN, redacted=True))
    assert removed.reply_hash is removed.quoted_hash is None


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("openai-chat/pairs.jsonl", 1),
        ("anthropic-messages/pairs.jsonl", 6),
        ("claude-code/subagent_sidechain_rows.jsonl", 1),
        ("langfuse/ui_observations.jsonl", 4),
        ("otel/otel_genai_client_span_tool_calls.attributes.json", 1),
        ("gemini/pairs.jsonl", 4),
        ("bedrock-converse/pairs.jsonl", 2),
    ],
)
def test_replies_of_the_main_formats_are_known(path: str, known: int) -> None:
    found = requests(path)
    long = [any(len(line.strip()) >= MIN_CHARS for line in (request.completion or "").split("\n")) for request in found]
    assert [extract_text_features(request).reply_hash is not None for request in found] == long
    assert sum(long) == known


def test_replies_that_litellm_logs_are_known(tmp_path) -> None:
    text = (FIXTURES / "litellm/standard_logging_payload.json").read_text()
    assert text.count('"content": "hi"') == 1
    (tmp_path / "log.json").write_text(text.replace('"content": "hi"', f'"content": "{PLAN}"'))
    ((_, entry),) = read(tmp_path / "log.json")
    assert isinstance(entry, Request)
    assert extract_text_features(entry).reply_hash == hash64(PLAN)


def test_repeats_of_a_call_keep_its_text(tmp_path) -> None:
    """A transcript writes each block of a reply on a row of its own; the fullest row, here a call, has no text."""
    rows = [
        {
            "type": "assistant",
            "sessionId": "s",
            "requestId": "req_1",
            "timestamp": f"2026-09-01T00:00:0{number}Z",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-sonnet-4-5",
                "content": [block],
                "usage": {"input_tokens": 5, "output_tokens": 1 + number},
            },
        }
        for number, block in enumerate(
            [{"type": "text", "text": PLAN}, {"type": "tool_use", "id": "c1", "name": "Bash", "input": {}}]
        )
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ledger = ingest([tmp_path / "log.jsonl"], options=IngestOptions(jobs=1, cache=False))
    assert ledger.frame.select("output_tokens", "reply_hash").rows() == [(2, hash64(PLAN))]
