from typing import Any

import pytest
from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

from llm_audit.sources.entry import NotACall, NotCallReason, Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats

PATH = "cline/ui_messages.json"


def test_counts_are_json_in_the_text() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (1200, 20000, 5000, None, 340)  # 25000 cached exceed 1200: they come on top
    assert (request.stated_cost_pico, request.time_us) == (34_200_000_000, 1_793_613_600_001_000)
    assert (request.model, request.usage.usage_source) == ("claude-opus-4-1", "reported")
    assert [message.text for message in request.messages or []] == ["<task>fix it</task>"]


def test_the_model_is_the_one_named_before_and_what_stays_open_is_ambiguous() -> None:
    request = requests(PATH)[1]
    assert (request.model, request.provider, request.status) == ("claude-sonnet-4-5", "anthropic", "cancelled")
    assert (tokens(request), request.usage.ambiguous_tokens) == ((900, 300, 0, None, 10), 300)


def test_calls_of_no_known_model_and_the_sum_of_removed_rows_are_refused() -> None:
    assert rejections(PATH) == [
        ("no_model", "modelInfo"),
        ("bad_shape", "deleted_api_reqs"),
        ("bad_shape", "subagent_usage"),
    ]
    assert not_calls(PATH) == ["metadata"] * 3


TASK = {"ts": 1_793_613_600_000, "task": "fix it", "tokensIn": 1200, "tokensOut": 340, "totalCost": 0.03, "id": "1"}


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("taskHistory.json", TASK | {"modelId": "claude-opus-4-1", "cacheReads": 20_000}),
        ("tasks/1/history_item.json", TASK | {"mode": "code", "status": "completed"}),
        ("tasks/1/task_metadata.json", {"files_in_context": [], "model_usage": [{"ts": 1, "model_id": "m"}]}),
        (
            "tasks/1/api_conversation_history.json",
            {"role": "assistant", "content": [], "modelInfo": {"modelId": "m"}, "metrics": {"tokens": {"prompt": 9}}},
        ),
    ],
)
def test_sums_of_tasks_and_what_else_a_task_keeps_are_no_calls(path: str, record: dict[str, Any]) -> None:
    found = list(FormatDetector(all_formats(), path=path).entries(1, record))
    assert found == [("cline", NotACall(NotCallReason.METADATA))]


COUNTS = {"ts": 1_793_613_600_000, "tokensIn": 1200, "tokensOut": 340, "totalCost": 0.03}


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("taskHistory.json", COUNTS | {"model": "gpt-4o"}),
        ("calls.jsonl", COUNTS | {"id": "1", "task": "summarize", "model": "gpt-4o"}),  # of a custom log
        ("calls.jsonl", COUNTS | {"id": "1", "task": "summarize", "modelId": "gpt-4o"}),
    ],
)
def test_counts_that_only_look_like_a_tasks_are_a_call(path: str, record: dict[str, Any]) -> None:
    ((name, request),) = FormatDetector(all_formats(), path=path).entries(1, record)
    assert (name, isinstance(request, Request)) == ("flat", True)
