from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "mlflow/trace.json"


def test_spans_of_models_are_calls() -> None:
    (request,) = requests(PATH)
    assert tokens(request) == (700, 300, None, None, 100)  # OpenAI's counts include cached tokens
    assert (request.model, request.provider, request.latency_ms) == ("gpt-4o", "openai", 900.0)
    assert (request.trace, request.span, request.parent_span) == ("t", "a2", "a1")
    assert [message.text for message in request.messages or []] == ["hi"]


def test_spans_around_them_are_not() -> None:
    assert not_calls(PATH) == ["parent_span", "not_a_model_call"]
    assert rejections(PATH) == [("no_model", "mlflow.llm.model")]


def test_spans_alone_and_in_otlp() -> None:
    first, second = requests("mlflow/spans.jsonl")
    assert tokens(first) == (400, 600, None, None, 50)  # no provider is named, but the model is OpenAI's
    assert (tokens(second), second.trace) == ((10, 4000, 1000, None, 50), "tr-2")
    (exported,) = requests("otlp/mlflow.json")
    assert (exported.model, tokens(exported)) == ("gpt-4o", (1000, None, None, None, 50))
