"""The usage that Anthropic itself writes is read as any other names are."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError, Usage
from llm_audit.sources.records import usage as readers
from llm_audit.sources.records.tokens import anthropic

COUNTS = st.none() | st.integers(0, 40) | st.sampled_from([10**9, 10**9 + 1, -1, True, 1.0, 1.5, "7", "x", [], {}])
WORDS = st.sampled_from([None, "standard", "priority", "fast", "us", "moon", '{"output_tokens": 3}', "", 7, [], {}])
SPLIT = st.dictionaries(
    st.sampled_from(["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "ephemeral_2h_input_tokens"]), COUNTS
)
TOOLS = st.dictionaries(st.sampled_from(["web_search_requests", "web_fetch_requests", "other_tokens"]), COUNTS)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": COUNTS,
        "output_tokens": COUNTS,
        "cache_read_input_tokens": COUNTS,
        "cache_creation_input_tokens": COUNTS,
        "cache_creation": SPLIT | COUNTS,
        "server_tool_use": TOOLS | COUNTS,
        "service_tier": WORDS,
        "inference_geo": WORDS,
        "speed": WORDS,
        "iterations": st.sampled_from([None, [], [{"type": "message", "input_tokens": 3}], {}, "[]"]),
        "total_tokens": st.integers(0, 40),
    },
)


def read(usage: dict) -> Usage | str:
    try:
        return readers.of_anthropic(usage)
    except BadRecordError as error:
        return error.note


@settings(max_examples=1000, deadline=None)
@given(USAGE)
@example({"input_tokens": 3, "output_tokens": 0, "cache_creation_input_tokens": 9, "cache_read_input_tokens": 0})
@example({"output_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 9, "ephemeral_5m_input_tokens": 2}})
def test_plain_usage_is_read_as_any_names_are(usage):
    found = read(usage)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(readers, "plain_anthropic_usage", lambda _usage: None)
        assert read(usage) == found


@settings(max_examples=1000, deadline=None)
@given(USAGE | COUNTS | WORDS)
@example({"input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 9}, "cache_creation_input_tokens": 4})
@example({"output_tokens": 3, "iterations": [{}], "speed": "fast", "server_tool_use": {"web_search_requests": 2}})
@example({"input_tokens": None, "output_tokens": 3, "cache_read_input_tokens": 1 << 80})
def test_compiled_code_reads_plain_usage_as_python_does(usage):
    assert repr(anthropic.plain_anthropic_usage(usage)) == repr(anthropic.plain_anthropic_usage_in_python(usage))


def test_what_anthropic_writes_today_is_plain():
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 11,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 5},
        "output_tokens": 13,
        "service_tier": "standard",
        "inference_geo": "not_available",
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "iterations": [],
        "speed": "standard",
    }
    found = readers.plain_anthropic_usage(usage)
    assert found is not None
    assert (found.input_tokens, found.cache_read_tokens, found.output_tokens) == (3, 11, 13)
    assert (found.cache_write_5m_tokens, found.cache_write_1h_tokens, found.tool_calls_billed) == (2, 5, 1)
