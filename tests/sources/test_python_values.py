"""Values as Python prints them, wherever a log holds them."""

import json
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import requests, tokens

from llm_audit.sources.entry import BadRecordError
from llm_audit.sources.python_values import object_at_end, python_value
from llm_audit.sources.records.times import micros

USAGE = (
    "CompletionUsage(completion_tokens=40, prompt_tokens=150, total_tokens=190, completion_tokens_details=None, "
    "prompt_tokens_details=PromptTokensDetails(audio_tokens=0, cached_tokens=100))"
)
COMPLETION = (
    "ChatCompletion(id='chatcmpl-1', choices=[Choice(finish_reason='stop', index=0, logprobs=None, message="
    "ChatCompletionMessage(content='It\\'s (fine)', role='assistant', tool_calls=None))], created=1778580000, "
    f"model='gpt-4o-2024-08-06', object='chat.completion', usage={USAGE})"
)
MESSAGE = (
    "Message(id='msg_01', content=[TextBlock(citations=None, text='Hello', type='text')], model='claude-sonnet-4-5', "
    "role='assistant', type='message', usage=Usage(cache_creation_input_tokens=100, cache_read_input_tokens=2000, "
    "input_tokens=10, output_tokens=20, server_tool_use=None, service_tier='standard'))"
)
GEMINI = (
    "GenerateContentResponse(candidates=[Candidate(content=Content(parts=[Part(text='Hi')], role='model'), "
    "finish_reason=<FinishReason.STOP: 'STOP'>)], "
    "create_time=datetime.datetime(2026, 5, 12, 10, 0, tzinfo=TzInfo(UTC)), "
    "model_version='gemini-2.5-pro', usage_metadata=GenerateContentResponseUsageMetadata(candidates_token_count=31, "
    "prompt_token_count=1000, thoughts_token_count=329, total_token_count=1360))"
)
TIME_US = 1_778_580_000_000_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': (1, None)}", {"a": (1, None)}),
        ("[{'a': 1}]", [{"a": 1}]),
        ("Usage(n_tokens=-1, kind=Kind.FAST, other=NOT_GIVEN)", {"n_tokens": -1, "kind": "FAST", "other": None}),
        ("Usage(n_tokens={'a': [1]}, at=datetime.datetime(2026, 5, 12))", None),
        ("Usage(n_tokens=1, left=Left(1, 2))", {"n_tokens": 1, "left": None}),
        ("Usage(n_tokens=open('x'))", {"n_tokens": None}),
        ("Usage(n_tokens=1 + 1)", None),
        ("Usage(n_tokens=", None),
        ("Circle(radius=3)", None),
        ("He said (n_tokens=3)", None),
        ("", None),
    ],
)
def test_values_are_parsed_and_never_evaluated(text: str, value: object) -> None:
    if "datetime" in text:
        value = {"n_tokens": {"a": [1]}, "at": "2026-05-12T00:00:00Z"}
    assert python_value(text) == value


def test_a_deep_or_long_value_is_none() -> None:
    assert python_value("A" + "bc(a_token=" * 20_000) is None
    assert python_value("Usage(n_tokens=" + "[" * 5_000 + "]" * 5_000 + ")") is None
    assert python_value("Usage(n_tokens='" + "x" * 70_000 + "')") is None


def test_an_object_stands_at_the_end_of_a_line() -> None:
    assert object_at_end("INFO Usage(n_tokens=1)\n") == ("INFO ", {"n_tokens": 1})
    assert object_at_end("INFO Usage(n_tokens=1) done") is None
    assert object_at_end("INFO f(x=1)") is None


@pytest.mark.parametrize(
    ("line", "model", "counts", "time_us"),
    [
        (f"2026-05-12 10:00:00,123 INFO openai: {COMPLETION}", "gpt-4o-2024-08-06", (50, 100, None, None, 40), TIME_US),
        (f"INFO:root:{MESSAGE}", "claude-sonnet-4-5", (10, 2000, 100, None, 20), None),
        (f"[info] {GEMINI}", "gemini-2.5-pro", (1000, None, None, None, 360), TIME_US),
        (
            json.dumps({"at": 1, "message": f"got {COMPLETION}"}),
            "gpt-4o-2024-08-06",
            (50, 100, None, None, 40),
            TIME_US,
        ),
        (json.dumps({"model": "gpt-4o", "usage": USAGE}), "gpt-4o", (50, 100, None, None, 40), None),
        (
            json.dumps({"request": {"model": "gpt-4o", "messages": []}, "response": COMPLETION}),
            "gpt-4o-2024-08-06",
            (50, 100, None, None, 40),
            TIME_US,
        ),
    ],
)
def test_objects_of_sdks_in_logs_are_calls(
    line: str, model: str, counts: tuple[int | None, ...], time_us: int | None, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    log.write_text(line + "\n")
    (request,) = requests(log)
    assert (request.model, tokens(request), request.time_us) == (model, counts, time_us)


@pytest.mark.parametrize(
    ("zone", "read"),
    [
        ("tzinfo=datetime.timezone.utc", "2026-05-12T10:00:00Z"),
        ("tzinfo=TzInfo(UTC)", "2026-05-12T10:00:00Z"),
        ("tzinfo=TzInfo(+02:00)", "2026-05-12T08:00:00Z"),
        ("tzinfo=TzInfo(-25200)", "2026-05-12T17:00:00Z"),
        ("tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))", "2026-05-12T08:00:00Z"),
        ("tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200))", "2026-05-12T17:00:00Z"),
        ("tzinfo=datetime.timezone(datetime.timedelta(seconds=3600), 'CET')", "2026-05-12T09:00:00Z"),
        ("tzinfo=zoneinfo.ZoneInfo(key='Europe/Berlin')", "2026-05-12T08:00:00Z"),  # in summer
        ("0, 0, tzutc()", "2026-05-12T10:00:00Z"),
        ("tzinfo=None", "2026-05-12T10:00:00Z"),
        ("tzinfo=tzlocal()", "2026-05-12T10:00:00 in an unknown zone"),
        ("tzinfo=<DstTzInfo 'Europe/Berlin' CEST+2:00:00 DST>", None),
    ],
)
def test_a_time_is_in_the_zone_that_it_names(zone: str, read: str | None) -> None:
    found = python_value(f"Usage(input_tokens=3, created=datetime.datetime(2026, 5, 12, 10, 0, {zone}))")
    assert found == (read and {"input_tokens": 3, "created": read})


def test_a_time_in_a_zone_that_cannot_be_read_is_no_time() -> None:
    with pytest.raises(BadRecordError):
        micros("2026-05-12T10:00:00 in an unknown zone")
