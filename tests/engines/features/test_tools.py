"""What the ledger keeps of tools: names and sizes, and which of those defined are called."""

from __future__ import annotations

import pytest

from llm_audit.engines.features.text import extract_text_features
from llm_audit.engines.features.tools import MAX_TOOLS_CHARS, offered
from llm_audit.sources.entry import Message, Request

SYSTEM = Message("system", "You help.")
ASK = Message("user", "Look it up.")
DEFINED = {"tools": ("search", "fetch", "web_search"), "tool_chars": (300, 200, 0)}


def features(*messages: Message, **other):
    return extract_text_features(Request(model="m", messages=list(messages or (SYSTEM, ASK)), **other))


def test_a_request_without_tools_has_none_of_their_columns():
    found = features()
    assert (found.tools_offered, found.tools_called, found.tools_chars, found.tool_failed) == (None,) * 4
    logged_by_name_alone = features(tools=("(names not logged)",), completion="Done.")
    assert (logged_by_name_alone.tools_offered, logged_by_name_alone.tools_called) == (None, None)


def test_defined_tools_are_kept_with_their_sizes_and_those_of_a_provider_are_not():
    found = features(**DEFINED)
    assert (found.tools_offered, found.tools_chars) == ("fetch=200,search=300", 500)


def test_calls_are_those_of_the_reply_and_of_earlier_ones_to_defined_tools():
    earlier = Message("assistant", "", calls="search({})", call_id="c1")
    code = 'fetch({"url":"u"})\nprint("secret")'
    assert features(**DEFINED, completion="Done.").tools_called == ""
    assert features(**DEFINED, completion_calls=code).tools_called == "fetch"
    found = features(SYSTEM, ASK, earlier, Message("tool", "r", call_id="c1"), **DEFINED, completion_calls=code)
    assert found.tools_called == "fetch,search"


def test_calls_are_unknown_where_the_reply_is():
    assert features(**DEFINED).tools_called is None
    assert features(**DEFINED, completion_call_id="c9").tools_called is None


def test_names_that_would_break_the_list_are_changed_alike_where_they_are_called():
    found = features(tools=("a,b=c d",), tool_chars=(10,), completion_calls="a,b=c d({})")
    assert (found.tools_offered, found.tools_called) == ("a_b_c_d=10", "a_b_c_d")


def test_a_long_list_ends_after_a_whole_pair_and_all_definitions_count():
    names = tuple(f"mcp__server__tool_number_{number:04}" for number in range(1_000))
    found = offered(Request(model="m", tools=names, tool_chars=(50,) * 1_000))
    assert found.text is not None
    assert MAX_TOOLS_CHARS - 40 < len(found.text) <= MAX_TOOLS_CHARS
    assert found.text.split(",") == [f"{name}=50" for name in names[: found.text.count(",") + 1]]
    assert found.chars == 50_000


def test_the_prefix_is_the_system_prompt_and_the_tools_to_the_letter():
    one, same = features(), features(SYSTEM, Message("user", "Another ask."))
    assert one.prefix_hash == same.prefix_hash is not None
    assert one.prefix_chars == len(SYSTEM.text)
    tools = features(**DEFINED)
    assert tools.prefix_chars == len(SYSTEM.text) + 500
    later = features(Message("system", "You help. It is 9:01."), ASK)
    earlier = features(Message("system", "You help. It is 9:00."), ASK)
    assert len({found.prefix_hash for found in (one, tools, later, earlier)}) == 4
    assert later.template_hash == earlier.template_hash
    assert (features(ASK).prefix_hash, features(ASK).prefix_chars) == (None, None)
    assert features(redacted=True).prefix_hash is None


@pytest.mark.parametrize(("failures", "expected"), [((True,), True), ((True, False), False), ((False,), False)])
def test_a_step_failed_where_all_its_results_say_so(failures, expected):
    results = [Message("tool", "r", call_id="c", failed=failed) for failed in failures]
    assert features(ASK, Message("assistant", "", calls="f({})"), *results).tool_failed is expected
