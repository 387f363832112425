from tests.sources.formats.fixture_files import not_calls, requests, tokens

PATH = "braintrust/project_logs.jsonl"


def test_spans_of_type_llm_are_calls_and_counts_are_inclusive() -> None:
    openai, anthropic = requests(PATH)
    assert (tokens(openai), openai.usage.reasoning_tokens) == ((208, 1792, 0, None, 100), 64)
    assert (tokens(anthropic), anthropic.status) == ((10, 60, 30, None, 50), "error")
    assert not_calls(PATH) == ["parent_span", "not_a_model_call"]


def test_fields() -> None:
    request = requests(PATH)[0]
    assert (request.trace, request.span, request.parent_span, request.conversation) == ("s0", "s1", "s0", "c-1")
    assert (request.team, request.tags, request.stated_cost_pico) == ("books", (), 3_770_000_000)
    assert (request.time_us, request.latency_ms) == (1_769_932_800_500_000, 1250.0)
    assert (request.tools, request.max_output_tokens, request.completion) == (("find",), 40, "Jane Austen.")
    assert [message.role for message in request.messages or []] == ["system", "user"]


def test_cache_writes_by_lifetime() -> None:
    assert [tokens(request) for request in requests("braintrust/lifetimes.jsonl")] == [
        (10, 4000, 800, 200, 50),  # 5010 with what was read and written
        (400, 600, None, None, 500),
    ]
