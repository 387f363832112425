import json
from pathlib import Path

from tests.sources.formats.fixture_files import not_calls, once, rejections, requests, tokens

CHANGES, CHAT = "vscode-chat/changes.jsonl", "vscode-chat/chat.json"


def test_a_request_is_what_its_last_change_left() -> None:
    first, chosen, unanswered = once(requests(CHANGES))
    assert (first.model, first.provider, first.conversation) == ("gpt-4.1", "github-copilot", "s1")
    assert tokens(first) == (3991, None, None, None, 618)
    assert (chosen.model, chosen.model_requested, tokens(chosen)) == ("gpt-5-mini", "auto", (10, None, None, None, 5))
    assert (unanswered.model, unanswered.provider, unanswered.messages) == ("gpt-5", "openai", None)
    assert tokens(unanswered) == (None,) * 5
    assert not_calls(CHANGES) == ["metadata", "metadata"]


def test_an_exported_chat_counts_in_the_results_of_its_requests() -> None:
    counted, unknown = requests(CHAT)
    assert (tokens(counted), counted.latency_ms) == ((100, None, None, None, 20), 1000.0)
    assert counted.tags == ("last-call-only",)
    assert tokens(unknown) == (None,) * 5


def test_changes_of_a_request_without_an_id_are_not_one_request_each(tmp_path: Path) -> None:
    log = tmp_path / "changes.jsonl"
    request = {"modelId": "copilot/gpt-4.1", "timestamp": 1790935200000}
    changes = [["requests"], [request]], [["requests", 0, "promptTokens"], 10], [["requests", 0, "outputTokens"], 5]
    lines = [{"kind": 1, "k": place, "v": value} for place, value in changes]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert rejections(log) == [("bad_shape", "requestId")] * 3
