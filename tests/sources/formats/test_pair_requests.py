from llm_audit.sources.formats.pair_requests import counts_around, request_of
from llm_audit.sources.records.pair import Pair, read_pair

REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE = {"object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [], "usage": {"prompt_tokens": 1}}


def pair(record) -> Pair:
    found = read_pair(record)
    assert found is not None
    return found


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
    usage = counts_around(pair(record))
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (400, 600, 50)
    assert counts_around(pair({"request": REQUEST, "response": RESPONSE})).usage_source == "none"
