import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import requests, tokens

from llm_audit.sources.records.bedrock import model_of_arn
from llm_audit.sources.records.usage import of_bedrock


@pytest.mark.parametrize(
    ("arn", "model"),
    [
        ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0", "meta.llama3-8b-instruct-v1:0"),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/abc", "provisioned-model/abc"),
    ],
)
def test_models_in_arns(arn: str, model: str) -> None:
    assert model_of_arn(arn) == model


STREAMED = {"inputTokens": 4995, "outputTokens": 19, "cacheWriteInputTokens": 4993, "totalTokens": 10007}
WHOLE = {"inputTokens": 2, "outputTokens": 19, "cacheWriteInputTokens": 4993, "totalTokens": 5014}


@pytest.mark.parametrize(
    ("model", "call", "expected"),
    [
        ("openai.gpt-5.6", ("ConverseStream", STREAMED), 2),
        ("us.openai.gpt-5.6", ("ConverseStream", STREAMED), 2),
        ("openai.gpt-5.6", ("Converse", WHOLE), 2),
        ("openai.gpt-5.6", ("ConverseStream", WHOLE), 2),
        ("openai.gpt-5.6", ("Converse", STREAMED), 4995),
        ("us.anthropic.claude-sonnet-4-6", ("ConverseStream", STREAMED), 4995),
    ],
)
@pytest.mark.parametrize("pair", [False, True])
def test_streams_of_openais_models_count_cached_tokens_twice(
    model: str, call: tuple[str, dict[str, int]], expected: int, pair: bool, tmp_path: Path
) -> None:
    operation, usage = call
    body = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "usage": usage}
    path = "converse-stream" if operation == "ConverseStream" else "converse"
    url = f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/{path}"
    record = {"schemaType": "ModelInvocationLog", "modelId": model, "operation": operation}
    record |= {"timestamp": "2026-09-07T10:00:00Z", "input": {}, "output": {"outputBodyJson": body}}
    log = tmp_path / "log.jsonl"
    log.write_text(
        json.dumps({"request": {"url": url, "body": {"messages": []}}, "response": body} if pair else record)
    )
    (request,) = requests(log)
    assert tokens(request) == (expected, None, 4993, None, 19)


def test_lifetimes_of_writes_are_read_and_not_named_as_unread() -> None:
    counts = {"inputTokens": 10, "outputTokens": 50, "cacheReadInputTokens": 2000, "cacheWriteInputTokens": 3000}
    details = [{"ttl": "1h", "inputTokens": 2000}, {"ttl": "5m", "inputTokens": 1000}]
    usage = of_bedrock({**counts, "totalTokens": 5060, "cacheDetails": details})
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens, usage.cache_read_tokens) == (1000, 2000, 2000)
    assert (usage.input_tokens, usage.output_tokens, usage.unread_counts) == (10, 50, None)
