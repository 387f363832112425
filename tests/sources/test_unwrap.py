import json

from llm_audit.sources.unwrap import unwrap

FLAT = {"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "input_tokens": 3, "output_tokens": 5, "prompt": "Hi"}


def test_wrapped_records_are_taken_out() -> None:
    inner = json.dumps(FLAT)
    cloudwatch = {"logGroup": "g", "logEvents": [{"message": inner, "timestamp": 1}, {"message": inner}]}
    assert list(unwrap(cloudwatch)) == [FLAT, FLAT]
    assert list(unwrap({"records": [FLAT, FLAT]})) == [FLAT, FLAT]
    assert list(unwrap({"data": [FLAT]})) == [FLAT]
    assert list(unwrap({"log": inner + "\n", "stream": "stdout"})) == [FLAT]


def test_a_body_with_a_field_called_like_a_wrapper_is_left_as_it_is() -> None:
    for record in (
        {"object": "list", "data": [{"embedding": [1]}], "model": "m"},
        {"message": "INFO started", "timestamp": 1},
        {"message": {"role": "user"}, "type": "user"},
        {"records": []},
        {"records": [1, 2]},
    ):
        assert list(unwrap(record)) == [record]
