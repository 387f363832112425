from tests.sources.formats.fixture_files import requests

MOONCAKE = "mooncake-trace/conversation_trace.head.jsonl"


def test_mooncake_trace_has_no_dates() -> None:
    found = requests(MOONCAKE)
    assert (len(found), found[0].usage.input_tokens, found[0].usage.output_tokens) == (20, 6758, 500)
    assert sum(request.usage.output_tokens or 0 for request in found) == 7832
    assert {(request.model, request.time_us) for request in found} == {("mooncake-trace", None)}
