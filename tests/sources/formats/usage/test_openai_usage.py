import pytest
from tests.sources.formats.fixture_files import rejections, requests


@pytest.mark.parametrize(("name", "rows"), [("page", 2), ("costs", 1)])
def test_a_sum_of_requests_is_never_one_request(name, rows) -> None:
    path = f"openai-usage/{name}.json"
    assert requests(path) == []
    assert rejections(path) == [("bad_shape", "num_model_requests")] * rows
