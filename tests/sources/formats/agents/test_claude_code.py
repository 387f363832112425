import copy
import json
import random

import pytest
from genai_prices import extract_usage
from tests.sources.formats.fixture_files import FIXTURES, not_calls, once, requests, tokens

from llm_audit.sources.entry import BadRecordError, Request
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


VALUES = (
    None, "", " ", "none", "text", "user", "assistant", "tool", "standard", "priority", "fast", "us", "msg_1",
    "<synthetic>", 0, 7, -1, 10**10, 1.5, True, False, [], {}, [1], {"a": 1}, [{"type": "text", "text": "x"}],
    [{"type": "message"}, {"type": "x", "model": "m", "input_tokens": 2, "output_tokens": 3}],
    [{"type": "tool_result", "tool_use_id": "t", "content": "x"}], '{"input_tokens": 3}', "2026-01-01T00:00:00Z",
    "compact_boundary", {"role": "user", "content": "hi"}, {"$oid": "x"},
)  # fmt: skip
NAMES = (
    "message", "usage", "model", "id", "content", "role", "type", "sessionId", "session_id", "data", "agentId",
    "isSidechain", "subtype", "timestamp", "cwd", "uuid", "requestId", "costUSD", "inputTokens", "stop_reason",
    "iterations", "service_tier", "speed", "inference_geo", "input_tokens", "is_error", "tool_use_id", "name", "input",
)  # fmt: skip


def _objects(value: object) -> list[dict[str, object]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [found for item in inner for found in _objects(item)]


def _session(seed: int) -> list[dict[str, object]]:
    """Return rows of all sessions, some with fields spoilt."""
    chance = random.Random(seed)
    lines = [line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text().splitlines()]
    rows = [json.loads(line) for line in lines]
    for row in rows:
        for _ in range(chance.choice((0, 0, 1, 2))):
            place = chance.choice(_objects(row))
            name = chance.choice([*place] if place and chance.random() < 0.6 else NAMES)
            if chance.random() < 0.3:
                place.pop(name, None)
            else:
                place[name] = copy.deepcopy(chance.choice(VALUES))
    return rows


def _read(rows: list[dict[str, object]]) -> list[object]:
    context, found = Context("sessions.jsonl"), list[object]()
    context.state = {}
    for row in rows:
        try:
            found += claude_code.FORMAT.entries(row, context)
        except BadRecordError as error:
            found.append((error.reason, error.field_name, error.note))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_plain_rows_are_read_by_compiled_code_as_in_python(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _session(seed)
    found = _read(rows)
    assert any(isinstance(entry, Request) for entry in found)
    monkeypatch.setattr(claude_code, "_plain_row", lambda _row: None)
    assert found == _read(rows)


def test_all_rows_of_real_sessions_but_notes_are_plain() -> None:
    fields = pytest.importorskip("llm_audit.sources.records._fields", reason="built without a C compiler")
    for name in ("short_session", "subagent_sidechain_rows", "tool_heavy_assistant_rows"):
        rows = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
        assert [row for row in rows if fields.session_row(row) is None] == [row for row in rows if "subtype" in row]
