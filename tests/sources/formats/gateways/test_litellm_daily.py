from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "litellm-daily/rows.jsonl"


def test_a_row_is_as_many_requests_as_it_sums_up() -> None:
    good = [request for request in requests(PATH) if request.user == "ada" and request.status == "ok"]
    assert [tokens(request)[0] for request in good] == [61, 61, 61, 60, 60, 60, 60, 60, 60, 60]  # 603 fresh tokens
    assert sum(tokens(request)[1] for request in good) == 400
    assert sum(request.stated_cost_pico for request in good) == 240_000_000_000
    assert {request.model_requested for request in good} == {"mini"}


def test_failed_requests_have_no_tokens_unless_none_succeeded() -> None:
    failed = [request for request in requests(PATH) if request.status == "error"]
    assert [(request.user or request.team, tokens(request)[0]) for request in failed] == [
        ("ada", 0), ("ada", 0), ("core", 30), ("core", 30), ("core", 30),
    ]  # fmt: skip


def test_each_request_has_a_key_of_its_own() -> None:
    keys = [request.merge_key for request in requests(PATH)]
    assert len(set(keys)) == len(keys) == 17


def test_tools_and_empty_rows_are_no_calls_and_absurd_counts_are_rejected() -> None:
    assert not_calls(PATH) == ["not_a_model_call", "metadata"]
    assert rejections(PATH) == [("bad_shape", "failed_requests")]
