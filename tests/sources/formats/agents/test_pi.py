import json
from pathlib import Path

from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "pi/session.jsonl"


def test_counts_are_disjoint() -> None:
    request, aborted = requests(PATH)
    assert tokens(request) == (10, 20000, 1000, None, 100)
    assert (request.model, request.provider, request.app) == ("claude-sonnet-4-5", "anthropic", "shop")
    assert (request.stated_cost_pico, request.time_us) == (11_280_000_000, 1_793_613_600_000_000)
    assert [message.text for message in request.messages or []] == ["Fix it"]
    assert (request.completion, aborted.status) == ("ok", "cancelled")
    assert request.merge_key != aborted.merge_key


def test_headers_questions_and_changes_are_no_calls() -> None:
    assert not_calls(PATH) == ["metadata"] * 3
    assert rejections(PATH) == [("no_model", "message.model")]


def test_counts_of_openais_models_on_bedrock_keep_both_bounds(tmp_path: Path) -> None:
    """A stream of Bedrock counts cached tokens in the input too."""
    usage = {"input": 8369, "output": 9, "cacheRead": 0, "cacheWrite": 8367, "totalTokens": 16745}
    message = {"role": "assistant", "provider": "amazon-bedrock", "model": "openai.gpt-5.6", "usage": usage}
    log = tmp_path / "session.jsonl"
    log.write_text(json.dumps({"type": "message", "timestamp": "2026-08-27T10:00:00Z", "message": message}))
    (request,) = requests(log)
    assert (tokens(request), request.usage.ambiguous_tokens) == ((8369, 0, 8367, None, 9), 8367)


def test_writes_of_an_hour_are_part_of_all_writes(tmp_path: Path) -> None:
    usage = {"input": 10, "output": 20, "cacheRead": 300, "cacheWrite": 50, "cacheWrite1h": 40, "reasoning": 5}
    message = {"role": "assistant", "provider": "anthropic", "model": "claude-sonnet-4-5", "usage": usage}
    log = tmp_path / "session.jsonl"
    log.write_text(json.dumps({"type": "message", "timestamp": "2026-08-27T10:00:00Z", "message": message}))
    (request,) = requests(log)
    assert (tokens(request), request.usage.reasoning_tokens) == ((10, 300, 10, 40, 20), 5)
