"""Counts of one call that contradict each other: one is taken, and the other is named."""

from typing import Any

import pytest

from llm_audit.sources.entry import Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.records.tokens import read_tokens

INPUT = "{} beside another input count"
OUTPUT = "{} beside another output count"


@pytest.mark.parametrize(
    ("counts", "taken", "unread"),
    [
        ({"prompt_tokens": 100, "input_tokens": 250, "output_tokens": 5}, 250, INPUT.format("prompt_tokens")),
        ({"input_tokens": 250, "output_tokens": 5, "prompt_tokens": "100"}, 250, INPUT.format("prompt_tokens")),
        ({"input_tokens": 9, "output_tokens": 5, "completionTokens": 7}, 9, OUTPUT.format("completion_tokens")),
        ({"input_tokens": 250, "prompt_tokens": 250, "output_tokens": 5}, 250, None),
        ({"input_tokens": 0, "prompt_tokens": 250, "output_tokens": 5}, 250, None),  # a zero is a count nobody knew
        # with and without what a cache held, and what thinking took
        ({"input_tokens": 100, "prompt_tokens": 250, "cache_read_input_tokens": 150, "output_tokens": 5}, 100, None),
        ({"input_tokens": 250, "prompt_tokens": 100, "cached_tokens": 150, "output_tokens": 5}, 100, None),
        ({"input_tokens": 9, "output_tokens": 50, "completion_tokens": 10, "reasoning_tokens": 40}, 9, None),
        ({"input_tokens": 100, "prompt_tokens": 60, "input_audio_tokens": 40, "output_tokens": 5}, 60, None),
        ({"input_tokens": 9, "output_tokens": 50, "completion_tokens": 10, "audio_output_tokens": 40}, 9, None),
        # counts of something else
        ({"native_tokens_prompt": 120, "tokens_prompt": 100, "native_tokens_completion": 5}, 120, None),
        ({"input_tokens": 250, "context_tokens": 9000, "output_tokens": 5}, 250, None),
        ({"input_tokens": 250, "message_tokens": 200, "output_tokens": 5}, 250, None),
    ],
)
def test_a_count_that_cannot_be_true_beside_the_one_taken_is_named(
    counts: dict[str, Any], taken: int, unread: str | None
) -> None:
    usage = read_tokens(counts)
    assert (usage.input_tokens, usage.unread_counts) == (taken, unread)


def read(record: dict[str, Any]) -> Request:
    ((_, entry),) = FormatDetector(all_formats(), path="log.jsonl").entries(
        1, {"timestamp": "2026-09-01T10:00:00Z", **record}
    )
    assert isinstance(entry, Request)
    return entry


USAGE = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}}
PAIR = {
    "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]},
    "response": {"object": "chat.completion", "model": "gpt-4o", "choices": [], "usage": USAGE},
}


@pytest.mark.parametrize("around", [{"model": "gpt-4o", "usage": USAGE}, PAIR])
@pytest.mark.parametrize(
    ("beside", "unread"),
    [
        ({"input_tokens": 250}, INPUT.format("input_tokens")),
        ({"input_tokens": 100, "output_tokens": 4}, OUTPUT.format("output_tokens")),
        ({"inputTokens": 250, "outputTokens": 4}, f"{INPUT.format('input_tokens')},{OUTPUT.format('output_tokens')}"),
        ({"input_tokens": 100, "output_tokens": 5}, None),
        ({"input_tokens": 40, "output_tokens": 5}, None),  # without the cached ones
        ({"input_tokens": 0, "output_tokens": None}, None),
        ({"context_tokens": 9000}, None),
    ],
)
def test_counts_beside_a_usage_are_checked_against_it(
    around: dict[str, Any], beside: dict[str, Any], unread: str | None
) -> None:
    usage = read({**around, **beside}).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (40, 60, 5)
    assert usage.unread_counts == unread


def test_a_count_beside_a_usage_may_leave_out_sound() -> None:
    details = {"prompt_tokens_details": {"audio_tokens": 30}, "completion_tokens_details": {"audio_tokens": 4}}
    usage = {"prompt_tokens": 100, "completion_tokens": 5, **details}
    for counts in ((100, 5), (70, 1)):
        beside = dict(zip(("input_tokens", "output_tokens"), counts, strict=True))
        assert read({"model": "gpt-4o", "usage": usage, **beside}).usage.unread_counts is None


def test_columns_of_one_kind_are_checked_against_each_other() -> None:
    usage = read({"model": "gpt-4o", "prompt_tokens": 100, "input_tokens": 250, "output_tokens": 5}).usage
    assert (usage.input_tokens, usage.unread_counts) == (250, INPUT.format("prompt_tokens"))
