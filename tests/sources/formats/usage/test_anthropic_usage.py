from tests.sources.formats.fixture_files import rejections, requests

PATH = "anthropic-usage/messages.json"


def test_a_sum_of_requests_is_never_one_request() -> None:
    assert requests(PATH) == []
    assert rejections(PATH) == [("bad_shape", "uncached_input_tokens")]
