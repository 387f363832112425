from tests.sources.formats.fixture_files import not_calls, once, requests, tokens

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
