from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_openai_compatible_pairs() -> None:
    found = requests("ollama/openai_compat_pairs.jsonl")
    assert [tokens(request) for request in found] == [(172, None, None, None, 88), (134, None, None, None, 122)]
    assert {(request.provider, request.model) for request in found} == {("ollama", "gpt-oss:20b")}
    assert found[0].merge_key == "chatcmpl-887@1776298282000000|gpt-oss:20b|ok"  # three digits alone would collide


def test_native_bodies_and_streams() -> None:
    bare, streamed = requests("ollama/native.jsonl")
    assert (tokens(bare), bare.latency_ms) == ((20, 6, None, None, 290), 1500.0)
    assert (bare.time_us, bare.merge_key) == (1_767_607_200_123_456, None)
    assert (tokens(streamed), streamed.completion) == ((11, None, None, None, 3), "Hello")
    assert not_calls("ollama/native.jsonl") == ["metadata"]
