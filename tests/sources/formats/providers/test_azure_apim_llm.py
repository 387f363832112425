from tests.sources.formats.fixture_files import not_calls, once, rejections, requests, tokens


def test_rows_of_one_call_merge_into_the_one_with_the_counts() -> None:
    found = requests("azure-apim-llm/rows.jsonl")
    assert len(found) == 2
    (call,) = once(found)
    assert (tokens(call), call.completion) == ((12, None, None, None, 9), "hello")
    assert not_calls("azure-apim-llm/rows.jsonl") == ["metadata"]
    assert rejections("azure-apim-llm/rows.jsonl") == [("bad_tokens", "PromptTokens")]
