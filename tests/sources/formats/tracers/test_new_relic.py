from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "new-relic/events.json"


def test_a_summary_is_a_call() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (1000, None, None, None, 100)
    assert (request.model, request.model_requested, request.provider) == ("gpt-4o-2024-08-06", "gpt-4o", "openai")
    assert (request.time_us, request.latency_ms, request.app) == (1_793_613_600_000_000, 900.0, "shop")


def test_embeddings_and_cached_tokens() -> None:
    _, embedding, cached = requests(PATH)
    assert (embedding.operation, tokens(embedding)) == ("embedding", (12, None, None, None, 0))
    assert (cached.status, tokens(cached)) == ("error", (1000, 5000, 60, None, 100))  # cached exceed the input


def test_messages_are_no_calls() -> None:
    assert not_calls(PATH) == ["metadata"]
    assert rejections(PATH) == [("no_model", "request.model")]
