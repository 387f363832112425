import pytest

from llm_audit.sources.formats.dialects import Dialect, dialect_of
from llm_audit.sources.formats.pair_requests import request_of
from llm_audit.sources.records.pair import read_pair


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://api.openai.com/v1/chat/completions", Dialect.CHAT),
        ("https://api.openai.com/v1/embeddings", Dialect.CHAT),
        ("https://api.openai.com/v1/responses/resp_1/cancel", Dialect.RESPONSES),
        ("https://api.anthropic.com/v1/messages?beta=true", Dialect.ANTHROPIC),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/x/invoke", Dialect.BEDROCK),
        ("https://generativelanguage.googleapis.com/v1beta/models/g:countTokens", Dialect.GEMINI),
        ("https://generativelanguage.googleapis.com/v1beta/interactions", Dialect.GEMINI),
        ("https://proxy.example/gemini/v1beta/interactions", Dialect.GEMINI),
        ("https://openrouter.ai/api/v1/chat/completions", Dialect.OPENROUTER),
        ("http://localhost:11434/api/generate", Dialect.OLLAMA),
    ],
)
def test_the_url_tells_the_api_even_of_a_failed_call(url: str, dialect: Dialect) -> None:
    failed = read_pair({"request": {"uri": url, "body": {"model": "x"}}, "response": {"status": 500, "body": "oops"}})
    assert failed is not None
    assert dialect_of(failed) is dialect
    assert request_of(failed, provider=None).status == "error"


def test_a_path_of_ones_own_does_not_tell_the_api() -> None:
    body = {"object": "chat.completion", "model": "gpt-4o", "choices": []}
    pair = read_pair({"request": {"uri": "https://x.example/api/interactions", "body": {}}, "response": {"body": body}})
    assert pair is not None
    assert dialect_of(pair) is Dialect.CHAT
