import json

import pytest
from genai_prices import extract_usage
from tests.sources.formats.fixture_files import FIXTURES, not_calls, once, requests, tokens

from llm_audit.sources.entry import Request
from llm_audit.sources.formats.agents import claude_code
from llm_audit.sources.formats.interface import Context

FOLDER = FIXTURES / "claude-code"


def test_the_rows_of_one_reply_are_one_call() -> None:
    found = requests("claude-code/short_session.jsonl")
    assert len(found) == 5
    (call,) = once(found)
    assert tokens(call) == (3, 11515, 0, 13835, 13)
    assert [message.text for message in call.messages or []] == ["mix phx.server doesnt seem to start"]
    assert not_calls("claude-code/short_session.jsonl") == ["metadata"] * 10


def test_the_fullest_row_of_each_reply_is_kept() -> None:
    kept = once(requests("claude-code/tool_heavy_assistant_rows.jsonl"))
    assert [tokens(call) for call in kept] == [
        (3, 17915, 0, 7883, 27),
        (1, 25798, 0, 208, 1),
        (3, 18014, 0, 8490, 11),
        (47, 26504, 0, 1115, 173),  # its first row says 25
    ]


def test_subagents_are_conversations_of_their_own_with_placeholders_for_output() -> None:
    found = requests("claude-code/subagent_sidechain_rows.jsonl")
    (call,) = once(found)
    assert (len(found), tokens(call)) == (6, (3, 0, 18042, 0, 3))
    assert call.conversation == "fa812bfe-b295-4cca-9c2f-fdf01028cb46:aa84377"
    assert call.trace == "fa812bfe-b295-4cca-9c2f-fdf01028cb46"
    assert call.tags == ("sidechain", "placeholder-output")


def test_early_versions_wrote_counts_and_cost_beside_the_message() -> None:
    first, second = requests("claude-code/legacy_flat_costUSD.jsonl")
    assert [tokens(first), tokens(second)] == [(200, 50, 100, None, 100), (150, None, None, None, 80)]
    assert [first.stated_cost_pico, second.stated_cost_pico] == [50_000_000_000, 30_000_000_000]


def test_the_fixture_of_ccusage() -> None:
    found = requests("claude-code/ccusage_fixture.jsonl")
    assert [tokens(call) for call in found] == [
        (100, 10, 25, None, 50),
        (200, 20, 50, None, 75),
        (300, 40, 0, None, 125),
    ]
    assert [call.service_tier for call in found] == ["standard", "fast", "standard"]
    assert sum(call.stated_cost_pico or 0 for call in found) == 1_020_000_000_000


def test_snapshots_and_side_questions_are_counted_once() -> None:
    kept = once(requests("claude-code/repeats.jsonl"))
    assert [(call.conversation, tokens(call)) for call in kept] == [
        ("s-1", (3, 22137, 2285, 0, 385)),
        ("s-1", (4, 24422, 120, 0, 60)),  # copied by the side question under another request id
        ("s-1:btw1", (9, 24500, 0, 0, 30)),  # its own answer
    ]
    assert not_calls("claude-code/repeats.jsonl") == ["metadata"] * 4  # two asks, an error's text, a summary


def test_resumed_sessions_are_counted_once_and_a_gateways_recurring_ids_are_not_merged() -> None:
    first, again = requests("claude-code/repeats.jsonl"), requests("claude-code/resumed.jsonl")
    both = once([*first, *again])
    assert len(both) == 3 + 2 + 1
    gateway = [call for call in both if call.model == "kimi-k2.5"]
    assert [(call.conversation, call.usage.input_tokens) for call in gateway] == [("g-1", 500), ("g-2", 500)]
    subagent = both[-1]
    assert (subagent.conversation, tokens(subagent)) == ("s-2:ag1", (2, 900, 0, 0, 12))


def test_every_row_of_a_reply_has_the_prompt_that_came_before_it() -> None:
    first, second, third = requests("claude-code/repeats.jsonl")[:3]
    assert first.messages == second.messages
    assert [message.text for message in first.messages or []] == ["Why is the build slow?"]
    assert [message.role for message in third.messages or []] == ["user", "assistant", "assistant", "tool"]
    assert (second.completion_call_id, third.app) == ("toolu_1", "shop")


def test_calls_that_another_model_answered_inside_a_reply_are_counted_beside_it() -> None:
    usage = {"input_tokens": 10, "output_tokens": 5}
    advice = {"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 700, "output_tokens": 90}
    message = {
        "id": "msg_01q",
        "model": "claude-haiku-4-5",
        "role": "assistant",
        "content": [],
        "usage": {**usage, "iterations": [{"type": "message", **usage}, advice]},
    }
    row = {"type": "assistant", "sessionId": "s", "uuid": "u", "requestId": "r", "message": message}
    call, advisor = (entry for entry in claude_code.FORMAT.entries(row, Context("x")) if isinstance(entry, Request))
    assert [(call.model, tokens(call)[0]), (advisor.model, tokens(advisor)[0])] == [
        ("claude-haiku-4-5", 10),
        ("claude-opus-4-6", 700),
    ]
    assert advisor.merge_key != call.merge_key
    assert advisor.conversation == "s"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_counts_agree_with_genai_prices(path) -> None:
    context = Context("x")
    for row in map(json.loads, path.read_text().splitlines()):
        for entry in claude_code.FORMAT.entries(row, context):
            body = row.get("message") or {}
            if isinstance(entry, Request) and "usage" in body and entry.model.startswith("claude"):
                usage = extract_usage(body, provider_id="anthropic").usage
                given = sum(count or 0 for count in tokens(entry)[:4])
                assert given == usage.input_tokens  # genai-prices counts cached input too
                assert (entry.usage.cache_read_tokens or 0) == (usage.cache_read_tokens or 0)
                assert entry.usage.output_tokens == usage.output_tokens
