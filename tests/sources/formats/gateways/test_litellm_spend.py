from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_a_row_of_litellms_own_tests_with_json_in_strings() -> None:
    (request,) = requests("litellm-spend/spend_logs_payload.json")
    assert tokens(request) == (10, None, None, None, 20)
    assert (request.stated_cost_pico, request.conversation) == (225_000_000, "1234567890")
    assert request.messages is None  # "{}" is the default, not a prompt


def test_csv_rows_with_usage_in_the_metadata() -> None:
    paid, failed = requests("litellm-spend/spend.csv")
    assert tokens(paid) == (116, 384, None, None, 60)  # 500 - 384
    assert (paid.usage.reasoning_tokens, paid.team, paid.user) == (16, "search-team", "svc")
    assert (paid.latency_ms, paid.stated_cost_pico) == (1850.0, 420_000_000)
    assert (failed.status, failed.team) == ("error", "search")
    assert not_calls("litellm-spend/spend.csv") == ["gateway_cache_hit"]  # the string "True"


def test_the_metadata_column_alone_keeps_its_tokens() -> None:
    (request,) = requests("litellm-spend/metadata_column.jsonl")
    assert tokens(request) == (100, 1500, 900, None, 100)  # 2500 - 1500 - 900
    assert (request.model, request.provider) == ("litellm (model not logged)", None)


def test_stored_prompts_are_in_messages_or_in_the_proxied_request() -> None:
    first, second = requests("litellm-spend/stored_prompts.jsonl")
    assert [[message.text for message in request.messages or []] for request in (first, second)] == [
        ["Is it open?"],
        ["Until when?"],
    ]
    assert (first.model, first.completion, second.max_output_tokens) == ("gpt-4o-2024-08-06", "Yes.", 9)
    assert tokens(second) == (30, None, None, None, 4)


def test_a_finished_batch_is_billed_and_one_in_progress_is_no_call() -> None:
    (batch,) = requests("litellm-spend/batches.jsonl")
    assert (batch.model, batch.service_tier, batch.team) == ("gpt-4o", "batch", "data")
    assert (tokens(batch), batch.stated_cost_pico) == ((10_000, None, None, None, 2000), 16_500_000_000)
    assert batch.tags == ("aggregated", "request-count-unknown")
    assert not_calls("litellm-spend/batches.jsonl") == ["not_a_model_call"]
