import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import not_calls, read, rejections, requests, tokens

from llm_audit.sources.entry import Request

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


def test_lists_among_metrics_that_are_no_counts_leave_the_counts(tmp_path: Path) -> None:
    metrics = {"input_tokens": 100, "output_tokens": 10, "timers": [], "tools": ["search"]}
    run = {"run_id": "r", "agent_id": "a", "model": "gpt-4o", "model_provider": "OpenAI", "metrics": metrics}
    (tmp_path / "runs.jsonl").write_text(json.dumps(run))
    assert [tokens(request) for request in requests(tmp_path / "runs.jsonl")] == [(100, None, None, None, 10)]


@pytest.mark.parametrize("metrics", [{"score": 0.9}, {"input_tokens": 1, "output_tokens": 1}], ids=["scores", "counts"])
def test_a_log_of_its_own_with_metrics_is_no_run(metrics: dict[str, float], tmp_path: Path) -> None:
    row = {
        "run_id": "r", "workflow_id": "w", "model": "gpt-4o", "time": "2026-09-01T00:00:00Z", "metrics": metrics,
        "prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.02,
    }  # fmt: skip
    (tmp_path / "log.jsonl").write_text(json.dumps(row))
    ((name, request),) = read(tmp_path / "log.jsonl")
    assert isinstance(request, Request)
    assert (name, tokens(request), request.stated_cost_pico) == ("flat", (1000, None, None, None, 100), 2 * 10**10)


def test_a_run_that_lists_no_calls_is_none(tmp_path: Path) -> None:
    run = {"run_id": "r4", "agent_id": "web", "session_id": "s2", "content": "Yes", "created_at": 1_788_221_000}
    (tmp_path / "run.jsonl").write_text(json.dumps({**run, "metrics": {"input_tokens": [], "output_tokens": []}}))
    assert not_calls(tmp_path / "run.jsonl") == ["metadata"]
