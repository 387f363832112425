import pytest
from tests.sources.formats.fixture_files import not_calls, requests, tokens

BULK = "langsmith/bulk_export.jsonl"


@pytest.mark.parametrize(
    ("name", "model", "expected", "reasoning", "latency_ms"),
    [
        ("langsmith_js_wrap_openai_reasoning", "o1-mini-2024-09-12", (43, 0, None, None, 1901), 960, 10439.0),
        ("langsmith_js_wrap_openai_stream", "gpt-4o-mini-2024-07-18", (9, 0, None, None, 9), 0, 854.0),
        ("langsmith_py_wrap_openai_", "gpt-4o-mini-2024-07-18", (9, 0, None, None, 9), 0, 1118.333),
    ],
)
def test_the_halves_an_sdk_posts_are_one_call(name, model, expected, reasoning, latency_ms) -> None:
    (request,) = requests(f"langsmith/{name}.json")
    assert (request.model, tokens(request)) == (model, expected)
    assert (request.usage.reasoning_tokens, request.latency_ms) == (reasoning, latency_ms)
    assert request.completion is not None
    assert request.messages is not None


def test_bulk_rows_settle_by_vendor_only_where_it_tells() -> None:
    plain, anthropic, openai = requests(BULK)
    assert tokens(plain) == (1500, None, None, None, 60)
    assert (tokens(anthropic), anthropic.usage.ambiguous_tokens) == ((900, 600, 0, None, 40), 600)
    assert tokens(openai) == (300, 600, None, None, 40)  # 900 - 600
    assert openai.status == "error"
    assert not_calls(BULK) == ["parent_span", "not_a_model_call"]


def test_place_payer_and_langchains_messages() -> None:
    request = requests(BULK)[0]
    assert (request.span, request.parent_span, request.trace, request.conversation) == ("r1", "r0", "tr", "th-1")
    assert (request.team, request.app, request.stated_cost_pico) == ("care", "support", 5_100_000_000)
    assert [(message.role, message.text) for message in request.messages or []] == [
        ("system", "Be brief."),
        ("user", "Where is my order?"),
    ]
    assert request.completion == "On its way."


def test_usage_is_found_wherever_langchain_puts_it() -> None:
    found = requests("langsmith/langchain_runs.jsonl")
    assert [tokens(request) for request in found] == [
        (10, 4000, 1000, None, 50),  # Anthropic's own, in llm_output
        (400, 600, None, None, 50),  # OpenAI's own
        (600, 400, None, None, 560),  # in the message: 1560 = 1000 + 560, thoughts included
        (10, 4000, 0, None, 50),  # Bedrock: 4060 = 10 + 4000 + 50
        (400, 600, None, None, 50),  # in the metadata of a traced function
        (400, 600, None, None, 50),  # in the run itself
    ]
    assert [request.usage.reasoning_tokens for request in found] == [None, 10, 500, None, None, 10]


def test_runs_exported_without_their_order_are_runs() -> None:
    (run,) = requests("langsmith/chosen_columns.jsonl")
    assert (run.model, run.provider, tokens(run)) == ("gpt-4o", "openai", (100, None, None, None, 20))
    assert not_calls("langsmith/chosen_columns.jsonl") == ["parent_span"]
