from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "agno/runs.jsonl"


def test_the_metrics_of_a_run_are_its_usage() -> None:
    request = requests(PATH)[0]
    assert (request.model, request.provider, request.app, request.user) == ("gpt-4o", "openai", "Web", "ada")
    assert tokens(request) == (400, 600, None, None, 100)  # 600 of 1000 were cached
    assert (request.usage.reasoning_tokens, request.stated_cost_pico, request.latency_ms) == (40, 10**10, 2500.0)
    assert [message.text for message in request.messages or []] == ["Hi"]


def test_each_model_of_a_run_is_read_at_its_own_name() -> None:
    claude, memory = requests(PATH)[1:3]
    assert (claude.model, memory.model) == ("claude-sonnet-4-5", "gpt-4o-mini")
    assert tokens(claude) == (1000, 900, None, None, 100)  # Anthropic's input leaves cached tokens out
    assert tokens(memory) == (500, None, None, None, 30)
    assert claude.tags == memory.tags == ("aggregated",)
    assert claude.messages is None


def test_lists_of_the_first_version_are_a_call_each() -> None:
    first, second = requests(PATH)[3:]
    assert (tokens(first), tokens(second)) == ((100, None, None, None, 10), (50, None, None, None, 20))
    assert first.merge_key != second.merge_key


def test_a_run_without_a_model_is_rejected() -> None:
    assert rejections(PATH) == [("no_model", "model")]
    assert not_calls(PATH) == []
