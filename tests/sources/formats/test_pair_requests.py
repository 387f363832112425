import json
from typing import Any

import pytest

from llm_audit.sources.entry import NO_USAGE, Request, Usage
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.bodies import usage_of
from llm_audit.sources.records.pair import Pair, read_pair

REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE = {"object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [], "usage": {"prompt_tokens": 1}}


def pair(record) -> Pair:
    found = read_pair(record)
    assert found is not None
    return found


def counted(record: dict[str, Any], usage: Usage | None = None) -> Request:
    held = pair(record)
    request = request_of(held, provider=None)
    set_counts(request, held, usage_of(held.response_body) if usage is None else usage)
    return request


def test_a_failed_or_cancelled_answer_is_told_from_a_good_one() -> None:
    states = {"completed": "ok", "incomplete": "ok", "failed": "error", "cancelled": "cancelled"}
    for state, status in states.items():
        body = {"object": "response", "model": "m", "status": state}
        assert request_of(pair(body), provider=None).status == status


def test_legacy_completions_are_read() -> None:
    body = {"object": "text_completion", "model": "m", "choices": [{"text": "Hello", "index": 0}]}
    assert request_of(pair(body), provider=None).completion == "Hello"


def test_ids_in_the_metadata_are_found() -> None:
    request_body = {**REQUEST, "metadata": {"session_id": "s", "trace_id": "t"}}
    request = request_of(pair({"request": request_body, "response": RESPONSE}), provider=None)
    assert (request.conversation, request.trace, request.tags) == ("s", "t", ())


def test_counts_around_a_pair_are_read() -> None:
    record = {
        "input_tokens": 1000,
        "output_tokens": 50,
        "cached_tokens": 600,
        "request": REQUEST,
        "response": {"content": "Hi."},
    }
    usage = counted(record, NO_USAGE).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (400, 600, 50)
    assert counted({"request": REQUEST, "response": RESPONSE}, NO_USAGE).usage.usage_source == "none"


@pytest.mark.parametrize(
    ("around", "asked", "answered", "tier"),
    [
        ({"service_tier": "flex"}, {}, {}, "flex"),
        ({"service_tier": "batch"}, {}, {"service_tier": "default"}, "batch"),  # as OpenAI's batches answer
        ({"batch": True}, {}, {"service_tier": "default"}, "batch"),
        ({"batch": False, "service_tier": "priority"}, {"service_tier": "auto"}, {}, "priority"),
        ({"service_tier": "flex"}, {}, {"service_tier": "default"}, "standard"),  # refused, and served as usual
        ({"service_tier": "batch"}, {}, {"usage": {"prompt_tokens": 1, "service_tier": "standard"}}, "standard"),
        ({"service_tier": "batch"}, {}, {"service_tier": "priority"}, "priority"),
        ({}, {"service_tier": "flex"}, {"service_tier": "priority"}, "priority"),
        ({"speed": 80.5}, {}, {}, "standard"),
        ({"batch": 17}, {}, {}, "standard"),  # the number of a batch, or its size
        ({"batch": 1}, {}, {}, "standard"),
        ({"batch": "1"}, {}, {}, "standard"),
        ({"batch": "batch_68a1"}, {}, {}, "standard"),
        ({"batch": 1, "is_batch": 0}, {}, {}, "standard"),
        ({"is_batch": 1}, {}, {}, "batch"),
        ({"batch": "True"}, {}, {}, "batch"),
        ({"batch": True}, {"service_tier": "standard_only"}, {}, "batch"),  # as batches of Anthropic may ask
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_the_tier_is_that_of_the_bodies_or_else_of_the_record_around_them(
    around: dict[str, Any], asked: dict[str, Any], answered: dict[str, Any], tier: str, *, as_text: bool
) -> None:
    bodies: list[Any] = [REQUEST | asked, RESPONSE | answered]
    if as_text:
        bodies = [json.dumps(body) for body in bodies]
    request = request_of(pair({**around, "request": bodies[0], "response": bodies[1]}), provider=None)
    assert request.service_tier == tier


def test_costs_around_a_pair_that_are_not_used_are_named() -> None:
    body = RESPONSE | {"usage": {"prompt_tokens": 100, "completion_tokens": 10}}
    for cost, pico, unread in (
        ({"cost": "0.5 EUR"}, None, "cost in EUR"),
        ({"cost": 0.5}, 500_000_000_000, None),
        ({"price": 2.5}, None, "cost that is no plain amount"),  # dollars a million tokens
    ):
        request = counted({**cost, "request": REQUEST, "response": body})
        assert (request.stated_cost_pico, request.usage.unread_counts) == (pico, unread)
        assert request.usage.input_tokens == 100
