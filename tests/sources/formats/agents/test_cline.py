from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

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
