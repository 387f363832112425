import json

import pytest
from msgspec.structs import replace
from tests.sources.formats.fixture_files import once, rejections, requests, tokens

from llm_audit.sources.entry import BadRecordError
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.plain.flat import FORMAT
from llm_audit.sources.formats.plain.flat.typed import typed_reader
from llm_audit.sources.records.column_names import SYNONYMS, Columns, columns_of, normalize_name

NESTED, COLUMNS, SYNONYMOUS = "flat/nested_usage.jsonl", "flat/columns.csv", "flat/synonyms.jsonl"
USAGE_WITH_COST = {"prompt_tokens": 1000, "completion_tokens": 5, "cost": 0.01}
OPENAI = {"prompt_tokens": 1200, "completion_tokens": 50, "total_tokens": 1250}
ANTHROPIC = {"input_tokens": 200, "output_tokens": 50}


def read(record):
    (entry,) = FORMAT.entries(record, Context("x"))
    return entry


def test_nested_usage_is_inclusive() -> None:
    first = requests(NESTED)[0]
    assert tokens(first) == (310 - 128, 128, None, None, 57)
    assert (first.team, first.app, first.trace, first.tags) == ("search", "rag", "t-1", ())
    assert (first.time_us, first.latency_ms, first.streamed) == (1_788_220_800_000_000, 950.0, True)
    assert first.messages is not None
    assert [message.role for message in first.messages] == ["system", "user"]


def test_the_same_line_twice_is_one_call_and_a_retry_another() -> None:
    found = requests(NESTED)
    assert (len(found), len(once(found))) == (4, 3)
    assert [request.status for request in once(found)] == ["ok", "ok", "error"]


def test_what_cannot_be_right_is_rejected_by_field() -> None:
    assert rejections(NESTED) == [("bad_tokens", "prompt_tokens"), ("bad_time", "timestamp"), ("no_model", "model")]
    assert rejections(COLUMNS) == [("bad_tokens", "promptTokens")]


@pytest.mark.parametrize(
    ("usage", "beside", "expected"),
    [
        (OPENAI, {"cached_tokens": 1000}, (200, 1000, None)),
        (OPENAI, {"cachedTokens": 1000}, (200, 1000, None)),
        (json.dumps(OPENAI), {"cached_tokens": 1000}, (200, 1000, None)),
        (OPENAI, {"cached_tokens": 0}, (1200, None, None)),
        (OPENAI, {"cached_tokens": None}, (1200, None, None)),
        (OPENAI, {"cached_tokens": -1}, (1200, None, None)),
        ({**OPENAI, "prompt_tokens_details": {"cached_tokens": 400}}, {"cached_tokens": 1000}, (800, 400, None)),
        ({**OPENAI, "prompt_tokens_details": {"cached_tokens": 0}}, {"cached_tokens": 1000}, (1200, 0, None)),
        (ANTHROPIC, {"cache_read_input_tokens": 1000}, (200, 1000, None)),
        (ANTHROPIC, {"cache_creation_input_tokens": 300}, (200, None, 300)),
        ({**ANTHROPIC, "cache_read_input_tokens": 1000}, {"cache_read_input_tokens": 1000}, (200, 1000, None)),
        ({"input": 1200, "output": 50}, {"cached_tokens": 1000}, (200, 1000, None)),
    ],
)
def test_cached_tokens_beside_a_usage_are_those_it_does_not_state(usage, beside, expected) -> None:
    record = {"model": "gpt-4o", "ts": 1_788_220_800, "usage": usage, **beside}
    for given in (record, dict(reversed(record.items()))):
        found = read(given).usage
        assert (found.input_tokens, found.cache_read_tokens, found.cache_write_5m_tokens) == expected
        assert found.output_tokens == 50
        assert typed_reader(given) is None  # a line is read as a dictionary, whatever it holds


PLAIN = {"prompt_tokens": 1200, "completion_tokens": 50}
WRITTEN = {**ANTHROPIC, "cache_creation_input_tokens": 300}
HIDDEN = {"promptTokenCount": 1200, "candidatesTokenCount": 50, "totalTokenCount": 1300}
TOLD = {**OPENAI, "completion_tokens_details": {"reasoning_tokens": 20}}


@pytest.mark.parametrize(
    ("model", "usage", "beside", "expected"),
    [
        ("gpt-5", OPENAI, {"reasoning_tokens": 30}, {"output": 50, "reasoning": 30}),
        ("gpt-5", PLAIN, {"reasoning_tokens": 80}, {"output": 130, "reasoning": 80}),
        ("gpt-5", TOLD, {"reasoning_tokens": 20}, {"output": 50, "reasoning": 20}),
        ("gemini-2.5-pro", OPENAI, {"reasoning_tokens": 30}, {"output": 50, "reasoning": 30}),
        ("gemini-2.5-pro", PLAIN, {"reasoning_tokens": 30}, {"output": 80, "reasoning": 30, "ambiguous": 30}),
        ("gemini-2.5-pro", PLAIN, {"thinking_tokens": 30}, {"output": 80, "reasoning": 30}),
        ("gemini-2.5-pro", HIDDEN, {"thoughts_token_count": 50}, {"output": 100, "reasoning": 50}),
        ("gemini-2.5-pro", HIDDEN, {"thoughtsTokens": 30}, {"output": 80, "reasoning": 30, "unexplained": 20}),
        ("gpt-4o", OPENAI, {"audio_input_tokens": 100}, {"input": 1100, "audio_input": 100}),
        ("gpt-4o", OPENAI, {"audio_output_tokens": 20}, {"output": 30, "audio_output": 20}),
        ("gpt-4o", OPENAI, {"image_input_tokens": 100}, {"input": 1200, "image_input": 100}),
        ("gpt-4o", OPENAI, {"image_output_tokens": 40}, {"output": 50, "image_output": 40}),
        ("gpt-4o", OPENAI, {"cache_write_tokens": 100}, {"input": 1100, "cache_write_5m": 100}),
        ("claude-opus-4-5", WRITTEN, {"cache_write_1h_tokens": 200}, {"cache_write_5m": 100, "cache_write_1h": 200}),
        ("claude-opus-4-5", ANTHROPIC, {"cache_write_1h_tokens": 400}, {"input": 200, "cache_write_1h": 400}),
        (
            "claude-opus-4-5",
            ANTHROPIC,
            {"cache_write_tokens": 70},
            {"input": 200, "cache_write_5m": 70, "ambiguous": 70},
        ),
        ("claude-opus-4-5", ANTHROPIC, {"cache_creation_input_tokens": 70}, {"input": 200, "cache_write_5m": 70}),
    ],
)
def test_parts_beside_a_usage_are_taken_where_they_fit(model, usage, beside, expected) -> None:
    for given in ({"usage": usage, **beside}, {**beside, "usage": json.dumps(usage)}):
        record = {"model": model, "ts": 1_788_220_800, **given}
        found = read(record).usage
        assert {name: getattr(found, f"{name}_tokens") for name in expected} == expected
        assert found.unread_counts is None
        assert typed_reader(record) is None


@pytest.mark.parametrize(
    ("usage", "beside"),
    [
        (OPENAI, {"reasoning_tokens": 80}),  # which its total denies
        (PLAIN, {"reasoning_tokens": 10**20}),
        (TOLD, {"reasoning_tokens": 30}),
        (OPENAI, {"audio_input_tokens": 5000}),
        (OPENAI, {"audio_output_tokens": 80}),
        (OPENAI, {"image_input_tokens": 5000}),
        (OPENAI, {"image_output_tokens": 80}),
        (WRITTEN, {"cache_write_1h_tokens": 400}),
        ({**OPENAI, "prompt_tokens_details": {"cached_tokens": 400}}, {"cached_tokens": 1000}),
    ],
)
def test_a_part_that_does_not_fit_the_usage_beside_it_is_named(usage, beside) -> None:
    record = {"model": "gpt-5", "ts": 1_788_220_800, "usage": usage}
    alone, found = read(record).usage, read({**record, **beside}).usage
    assert found.unread_counts == f"{next(iter(beside))} beside a usage that it does not fit"
    assert replace(found, unread_counts=None) == alone


def test_a_number_beside_a_usage_that_cannot_count_tokens_is_named() -> None:
    found = read({"model": "gpt-4o", "ts": 1_788_220_800, "usage": OPENAI, "cached_tokens": 10**20}).usage
    assert (found.input_tokens, found.cache_read_tokens, found.output_tokens) == (1200, None, 50)
    assert found.unread_counts == "cached_tokens"


def test_columns_of_any_spelling() -> None:
    first, second = requests(COLUMNS)
    assert tokens(first) == (400, 600, None, None, 50)
    assert (first.stated_cost_pico, first.latency_ms) == (1_400_000_000, 1500.0)
    assert (first.team, first.environment, first.status) == ("finance", "prod", "ok")
    assert (second.time_us, second.latency_ms, second.status) == (first.time_us, 250.0, "error")
    assert tokens(second) == (12, None, None, None, 3)


def test_inclusive_or_exclusive_is_settled_or_marked() -> None:
    anthropic, open_, on_top, exceeding, thought, other = requests(SYNONYMOUS)
    assert tokens(anthropic) == (100, 40, 30, None, 9)
    assert (open_.usage.usage_source, open_.usage.ambiguous_tokens) == ("ambiguous", 40)
    assert tokens(open_) == (100, 40, None, None, 9)
    assert (on_top.usage.usage_source, tokens(on_top)) == ("reported", (100, 40, None, None, 9))
    assert (exceeding.usage.usage_source, tokens(exceeding)) == ("reported", (100, 400, None, None, 9))
    assert (tokens(thought), thought.usage.reasoning_tokens) == ((100, None, None, None, 29), 20)
    assert (other.service_tier, other.operation, other.redacted) == ("batch", "embedding", True)
    assert (other.needs_json_schema, other.needs_reasoning, other.tools) == (True, True, ("f",))
    assert (anthropic.user, anthropic.conversation, anthropic.completion) == ("42", "s-1", "Hello.")


def test_each_column_has_a_place_and_names_of_its_own() -> None:
    places = set(Columns.__struct_fields__) - {"only_usual", "attribution", "marks", "holders"}
    assert places == set(SYNONYMS)
    names = [name for known in SYNONYMS.values() for name in known]
    assert len(names) == len(set(names))
    assert all(normalize_name(name) == name for name in names)


@pytest.mark.parametrize("key", ["inputTokens", "Input Tokens", "INPUT_TOKENS", "input-tokens", "input.tokens"])
def test_spellings(key: str) -> None:
    assert columns_of({key: 1}).input == key


def test_of_two_names_the_more_telling_wins_whatever_their_order() -> None:
    ahead = read({"model": "m", "user_id": "1", "user": "a", "date": "2026-01-05", "timestamp": 1_767_607_200})
    behind = read({"timestamp": 1_767_607_200, "date": "2026-01-05", "user": "a", "user_id": "1", "model": "m"})
    assert (ahead.user, ahead.time_us) == (behind.user, behind.time_us) == ("a", 1_767_607_200_000_000)


@pytest.mark.parametrize(
    ("column", "tier"),
    [
        ({"batch": True}, "batch"),
        ({"batch": "yes"}, "batch"),
        ({"is_batch": 1}, "batch"),
        ({"is_batch": None, "batch": True}, "batch"),
        ({"is_batch": None, "batch": 1}, "standard"),
        ({"batched": 1}, "standard"),
        ({"batch": 1}, "standard"),  # of the first batch, or of one call
        ({"batch": "1"}, "standard"),
        ({"batch": 1.0}, "standard"),
        ({"batch": 32}, "standard"),
        ({"batch": "2026-09-01"}, "standard"),
        ({"batch_size": 1}, "standard"),
        ({"batch": False, "service_tier": "flex"}, "flex"),
        ({"usage.service_tier": "batch"}, "batch"),  # of a usage as flat tables have it
        ({"response.service_tier": "default", "service_tier": "flex"}, "standard"),
        ({"response_service_tier": "default", "service_tier": "batch"}, "batch"),
        ({"response_service_tier": None, "service_tier": "flex"}, "flex"),
        ({"usage_speed": "fast", "usage_service_tier": "standard"}, "fast"),
        ({"speed": "fast"}, "fast"),
        ({"usage_speed": 80.5, "service_tier": "flex"}, "flex"),
        ({"usage": [{"input_tokens": 1, "output_tokens": 1, "service_tier": "batch"}]}, "batch"),
        ({"usage": '[{"input_tokens": 1, "output_tokens": 1, "service_tier": "batch"}]'}, "batch"),
    ],
)
def test_the_number_or_the_size_of_a_batch_is_no_batch_price(column, tier) -> None:
    assert read({"model": "m", "input_tokens": 1, **column}).service_tier == tier


def test_a_record_without_a_model_is_refused() -> None:
    with pytest.raises(BadRecordError, match="no_model"):
        read({"input_tokens": 1, "output_tokens": 1})


def test_a_served_model_is_told_from_the_one_asked_for() -> None:
    request = read({"model": "gpt-4o", "response_model": "gpt-4o-2024-08-06", "input_tokens": 1})
    assert (request.model_requested, request.model) == ("gpt-4o", "gpt-4o-2024-08-06")


def test_an_end_time_gives_the_latency() -> None:
    request = read({"model": "m", "start_time": 1_767_607_200, "end_time": 1_767_607_202.5})
    assert request.latency_ms == 2500.0


@pytest.mark.parametrize(
    "counts",
    [
        {"usage": {"input": 100, "output": 9, "cached": 40}},
        {"tokens": {"prompt": 100, "completion": 9, "cached": 40}},
        {"usage": '{"input_tokens": 100, "output_tokens": 9, "cached_tokens": 40}'},
        {"token_usage": {"prompt_tokens": "100", "completion_tokens": 9.0, "cached_tokens": 40}},
    ],
)
def test_counts_in_an_object_of_their_own(counts) -> None:
    assert tokens(read({"model": "m", **counts})) == (60, 40, None, None, 9)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {
                "usage.prompt_tokens": 1000,
                "usage.completion_tokens": 5,
                "usage.prompt_tokens_details.cached_tokens": 800,
            },
            (200, 800, None, None, 5),
        ),
        (
            {"prompt_tokens": 1000, "completion_tokens": 5, "prompt_tokens_details.cached_tokens": 800},
            (200, 800, None, None, 5),
        ),
        (
            {
                "usage_input_tokens": 200,
                "usage_cache_read_input_tokens": 800,
                "usage_cache_creation_input_tokens": 9,
                "usage_output_tokens": 5,
            },
            (200, 800, 9, None, 5),
        ),
        ({"response.usage.input_tokens": 9, "response.usage.output_tokens": 5}, (9, None, None, None, 5)),
        (
            {
                "usageMetadata.promptTokenCount": 1000,
                "usageMetadata.candidatesTokenCount": 5,
                "usageMetadata.cachedContentTokenCount": 800,
            },
            (200, 800, None, None, 5),
        ),
        ({"usage": [{"prompt_tokens": 1000, "completion_tokens": 5}]}, (1000, None, None, None, 5)),
    ],
)
def test_a_usage_is_read_as_flat_tables_have_it(record, expected) -> None:
    assert tokens(read({"model": "m", "time": "2026-09-01", **record})) == expected


@pytest.mark.parametrize(
    ("record", "left_out"),
    [
        ({"tokens": 1005}, "total without its parts"),
        ({"total_tokens": 1005}, "total without its parts"),
        ({"input_tokens_k": 1.2}, "input_tokens_k"),
        ({"input_token": "the", "output_token": "sky"}, None),  # words, and no counts
        ({"usage": [{"prompt_tokens": 1}, {"prompt_tokens": 2}]}, "usages of several calls"),
        ({"total_tokens": 0}, None),
        ({"total_tokens": None}, None),
    ],
)
def test_counts_of_which_none_can_be_used_are_named(record, left_out) -> None:
    read_one = read({"model": "m", "time": "2026-09-01", "prompt": "Why?", **record})
    assert (read_one.usage.usage_source, read_one.usage.unread_counts) == ("none", left_out)


@pytest.mark.parametrize(
    "record",
    [
        {"usage": [USAGE_WITH_COST]},
        {"usage": json.dumps([USAGE_WITH_COST])},
        {f"usage.{name}": value for name, value in USAGE_WITH_COST.items()},
    ],
)
def test_a_cost_is_read_beside_the_counts_of_a_usage(record) -> None:
    read_one = read({"model": "m", "time": "2026-09-01", **record})
    assert (tokens(read_one), read_one.stated_cost_pico) == ((1000, None, None, None, 5), 10**10)


def test_an_object_without_counts_is_no_usage() -> None:
    assert read({"model": "m", "usage": {"note": "none"}, "time": 1_767_607_200}).usage.usage_source == "none"


def test_ids_in_the_metadata_are_found() -> None:
    request = read({"model": "m", "input_tokens": 1, "metadata": {"sessionId": "s", "trace_id": "t", "user_id": "u"}})
    assert (request.conversation, request.trace, request.user, request.tags) == ("s", "t", "u", ())


def test_the_counts_that_openrouter_bills_are_its_native_ones() -> None:
    generation = {
        "model": "openai/gpt-4o", "created_at": "2026-09-01T10:00:00Z", "total_cost": 0.0015, "tokens_prompt": 10,
        "tokens_completion": 25, "native_tokens_prompt": 1000, "native_tokens_completion": 50,
        "native_tokens_reasoning": 5, "native_tokens_cached": 600,
    }  # fmt: skip
    found = read(generation)
    assert (tokens(found), found.usage.reasoning_tokens) == ((400, 600, None, None, 50), 5)


CALL = {"ts": 1_788_220_800, "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5}
NO_TOKENS = {"ts": 1_788_220_800, "model": "gpt-4o", "prompt": "Hello?"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**CALL, "cost": 0, "cached": True}, "gateway_cache_hit"),
        ({**CALL, "cost": 0.0, "cache_status": "HIT"}, "gateway_cache_hit"),
        ({**NO_TOKENS, "cacheHit": "true", "response": "Hi."}, "gateway_cache_hit"),
        ({**CALL, "cost": 0.001, "cache_hit": True}, None),  # of the provider's own cache
        ({**CALL, "cache_hit": True}, None),
        ({**CALL, "cost": 0, "cached": False}, None),
        ({**CALL, "cost": 0, "cached": 10}, None),  # a count
        ({**NO_TOKENS, "event": "on_llm_start"}, "metadata"),
        ({**NO_TOKENS, "msg": "request started"}, "metadata"),
        ({**NO_TOKENS, "event": "llm.end"}, None),
        ({**NO_TOKENS, "event": "restarted"}, None),
        ({**CALL, "event": "call started"}, None),  # it has counts
        ({**NO_TOKENS, "event": "llm_start", "response": "Hi."}, None),
    ],
    ids=str,
)
def test_records_that_say_that_they_are_no_calls(record: dict[str, object], reason: str | None) -> None:
    found = read(record)
    assert getattr(found, "reason", None) == reason


def test_custom_logs_may_have_fields_of_other_formats() -> None:
    found = requests("flat/like_others.jsonl")
    assert [(request.model, tokens(request)) for request in found] == [("gpt-4o", (1000, None, None, None, 50))] * 7
    assert [request.time_us for request in found] == [1_780_000_000_000_000 + second * 1_000_000 for second in range(7)]
    assert {request.service_tier for request in found} == {"standard"}


@pytest.mark.parametrize(
    ("record", "output"),
    [
        ({"model": "gemini-2.5-pro", "thinking_tokens": 329}, 360),
        ({"model": "google/gemini-2.5-pro", "thinkingTokens": 20}, 51),
        ({"model": "gemini-2.5-pro", "thinking_tokens": 20, "total_tokens": 1984}, 31),  # its output holds them
        ({"model": "gemini-2.5-pro", "thinking_tokens": 20, "total_tokens": 2004}, 51),
        ({"model": "my-alias", "thoughts_token_count": 20}, 51),
        ({"model": "my-alias", "thoughtsTokenCount": 20, "total_tokens": 1984}, 31),
        ({"model": "claude-sonnet-4-5", "thinking_tokens": 20}, 31),
        ({"model": "gpt-5", "reasoning_tokens": 20}, 31),
        ({"model": "gpt-5", "reasoning_tokens": 20, "total_tokens": 2004}, 51),
        ({"model": "gemini-2.5-pro", "reasoning_tokens": 20, "thoughts_token_count": 20}, 31),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_thinking_comes_on_top_of_geminis_output_alone(record: dict[str, object], output: int, nested: bool) -> None:
    """The counts are those that a program gives as an example of Gemini's: 31 candidates after 329 thoughts."""
    counts = {"prompt_tokens": 1953, "completion_tokens": 31, **record}
    model = counts.pop("model")
    request = read({"model": model, **({"usage": counts} if nested else counts)})
    assert (request.usage.input_tokens, request.usage.output_tokens) == (1953, output)


def test_thoughts_in_details_of_an_output_are_part_of_it() -> None:
    """As pydantic-ai writes them, whose output holds Gemini's thoughts."""
    usage = {"input_tokens": 100, "output_tokens": 360, "details": {"thoughts_tokens": 329}}
    request = read({"model_name": "gemini-2.5-pro", "usage": usage})
    assert (request.usage.output_tokens, request.usage.reasoning_tokens) == (360, 329)


def test_a_cost_may_be_in_the_usage() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.003}
    assert read({"model": "m", "usage": usage}).stated_cost_pico == 3_000_000_000
    assert read({"model": "m", "usage": usage, "cost_cents": 0.4}).stated_cost_pico == 4_000_000_000


@pytest.mark.parametrize(
    "given",
    [
        {"timestamp_ms": 1_778_580_000_000, "date": "2026-05-12"},
        {"time_unix_nano": "1778580000000000000"},
        {"startTimeUnixNano": 1_778_580_000_000_000_000},
        {"epoch_ms": 1_778_580_000_000},
    ],
)
def test_a_time_may_name_its_unit(given: dict[str, object]) -> None:
    assert read({"model": "m", "prompt_tokens": 1, **given}).time_us == 1_778_580_000_000_000


@pytest.mark.parametrize("holder", ["llm", "result", "apiResponse", "response_metadata"])
def test_a_usage_may_be_in_what_a_library_returned(holder: str) -> None:
    usage = {"prompt_tokens": 150, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 100}}
    record = {"model": "gpt-4o", holder: {"usage": usage}}
    assert tokens(read(record)) == (50, 100, None, None, 40)
    assert tokens(read({"model": "gpt-4o", holder: {"token_usage": usage}})) == (50, 100, None, None, 40)
    assert tokens(read({**record, "input_tokens": 7, "output_tokens": 1})) == (7, None, None, None, 1)
    assert tokens(read({"model": "gpt-4o", holder: {"input": "text", "output": "text"}})) == (None,) * 5


@pytest.mark.parametrize("holder", ["metrics", "stats", "llm_usage", "modelUsage", "token_counts", "tokenInfo"])
@pytest.mark.parametrize(
    "counts",
    [
        {"prompt_tokens": 150, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 100}},
        {"input": 150, "output": 40, "cached": 100, "latency": 3.5},
        {"tokens": {"prompt": 150, "completion": 40, "cached": 100}},
    ],
    ids=["provider", "bare", "nested"],
)
def test_counts_may_be_among_metrics(holder: str, counts: dict[str, object]) -> None:
    """A prompt beside them would else be counted in their stead."""
    record = {"model": "gpt-4o", "prompt": "Hi", holder: counts}
    assert tokens(read(record)) == (50, 100, None, None, 40)
    assert tokens(read({"model": "gpt-4o", "prompt": "Hi", holder: {"latency": 3.5}})) == (None,) * 5


def test_counts_of_a_record_itself_come_before_those_among_its_metrics() -> None:
    record = {"model": "gpt-4o", "input_tokens": 7, "output_tokens": 1, "metrics": {"input": 150, "output": 40}}
    assert tokens(read(record)) == (7, None, None, None, 1)


@pytest.mark.parametrize(
    ("cached", "expected", "unread"),
    [
        (400, (600, 400, None, None, 100), None),
        ("400", (600, 400, None, None, 100), None),
        (0, (1000, None, None, None, 100), None),
        (True, (1000, None, None, None, 100), None),
        ("miss", (1000, None, None, None, 100), None),
        (1_788_220_800, (1000, None, None, None, 100), "cached"),  # a time, or what no one knows
        (0.8, (1000, None, None, None, 100), "cached"),  # a share
        (3, (1000, None, None, None, 100), "cached"),  # hits
        ("1", (1000, None, None, None, 100), None),
    ],
)
def test_a_column_named_cached_counts_tokens_or_marks_a_hit(
    cached: object, expected: tuple[int | None, ...], unread: str | None
) -> None:
    request = read({"model": "gpt-4o", "prompt_tokens": 1000, "completion_tokens": 100, "cached": cached})
    assert (tokens(request), request.usage.unread_counts) == (expected, unread)


@pytest.mark.parametrize(("unit", "count"), [("TOKENS", 40), ("tokens", 40), (None, 40), ("CHARACTERS", None)])
def test_counts_of_characters_are_no_tokens(unit: str | None, count: int | None) -> None:
    request = read({"model": "gpt-4o", "prompt": "Hi", "usage": {"input": 40, "output": 20, "unit": unit}})
    assert request.usage.input_tokens == count


@pytest.mark.parametrize(
    "metrics",
    [
        {"input": 0.93, "output": 0.4},
        {"input_tokens": -1, "output_tokens": 5},
        {"requests": 50, "input_tokens": 90_000},
    ],
    ids=["scores", "impossible", "of many calls"],
)
def test_metrics_that_are_no_counts_of_the_call_leave_the_record(metrics: dict[str, object]) -> None:
    request = read({"model": "gpt-4o", "time": "2026-09-01T00:00:00Z", "prompt": "Hi", "metrics": metrics})
    assert tokens(request) == (None, None, None, None, None)


def test_the_cost_of_usage_stays_beside_uncommon_columns() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.47}
    request = read({"model": "openai/gpt-4o", "provider": "openrouter", "time": "2026-09-01T00:00:00Z", "usage": usage})
    assert request.stated_cost_pico == 47 * 10**10


def test_more_thinking_than_claudes_output_is_a_budget() -> None:
    record = {"model": "claude-opus-4-5", "ts": 1_788_220_800, "usage": ANTHROPIC, "thinking_tokens": 1024}
    found = read(record).usage
    assert (found.output_tokens, found.reasoning_tokens) == (50, None)
    assert found.unread_counts == "thinking_tokens beside a usage that it does not fit"
